"""All panes' cores in one worker process, with another one warm: when the first dies, the second takes over.

The programs themselves are not touched by that; what they wrote last is kept here and fed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal import protocol
from komodo_tui.ui.terminal.core import (
    CoreLostError,
    Frame,
    Hit,
    KeyInput,
    MouseInput,
    Options,
    Scrollbar,
    clamp_size,
)
from komodo_tui.ui.terminal.process import WorkerGoneError, WorkerProcess
from komodo_tui.ui.terminal.restore import LastPicture, Tail
from komodo_tui.ui.terminal.standby import Standby

if TYPE_CHECKING:
    from komodo_tui.ui.terminal.cores import CoreName

LINGER = 60.0
"""Seconds that the processes stay after the last terminal was closed."""
BLAME_WINDOW = 60.0
"""Seconds for which a crash counts against the terminal whose output caused it."""

_DROP_PIECE, _DROP_TAIL, _CHANGE_CORE, _GIVE_UP = 1, 2, 3, 5
"""What is done at the how-manieth crash within the window."""


class WorkerHost:
    """Starts workers when the first core is opened, and brings every core back when one dies."""

    def __init__(self, *, guarded: bool = True) -> None:
        self._guarded = guarded
        self._cores: dict[int, WorkerCore] = {}
        self._ids = itertools.count(1)
        self._active: WorkerProcess | None = None
        self._standby = Standby()
        self._lock = asyncio.Lock()
        self._linger: asyncio.TimerHandle | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        self.restarts = 0
        """How often a worker had to be replaced."""

    @property
    def pid(self) -> int | None:
        """The process that serves now."""
        return self._active.pid if self._active else None

    async def open(
        self, cols: int, rows: int, options: Options | None = None, core: CoreName | None = None
    ) -> WorkerCore:
        """A new core; raises :class:`CoreLostError` when no worker can be started."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        opened = WorkerCore(self, next(self._ids), clamp_size(cols, rows), options or Options(), core)
        async with self._lock:
            process = await self._process()
            try:
                opened.learn(await process.ask(opened.open_request(self._guarded)))
            except WorkerGoneError as error:
                raise CoreLostError("the terminal worker died while opening a terminal") from error
            self._cores[opened.number] = opened
        self._standby.begin()
        return opened

    @property
    def is_warm(self) -> bool:
        """Whether the next process waits already."""
        return self._standby.is_warm

    async def _process(self) -> WorkerProcess:
        if self._active is None:
            self._active = await WorkerProcess.start()
        return self._active

    async def forget(self, core: WorkerCore) -> None:
        """A core was closed."""
        if self._cores.pop(core.number, None) is None:
            return
        if self._active is not None:
            with contextlib.suppress(WorkerGoneError):
                await self._active.ask(protocol.Close(core.number))
        if not self._cores and self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER, self._retire)

    def _retire(self) -> None:
        self._linger = None
        task = asyncio.create_task(self.close())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def close(self) -> None:
        """Stop all processes. Cores that are still open are lost."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        async with self._lock:
            active, self._active = self._active, None
            await self._standby.close()
            if active is not None:
                await active.stop()

    async def ask(self, core: WorkerCore, request: protocol.Request) -> Any:
        """The reply to a core's request; across restarts. A feed that a restart interrupts is not repeated: what
        it fed is in the tail. Raises :class:`CoreLostError`."""
        while True:
            process = self._active
            if core.lost:
                raise CoreLostError(core.lost)
            if process is None or core.number not in self._cores:
                raise CoreLostError("the terminal was closed")
            try:
                return await process.ask(request)
            except WorkerGoneError as gone:
                await self._recover(process, gone.culprit)
                if isinstance(request, protocol.Feed):
                    return b""

    async def _recover(self, dead: WorkerProcess, culprit: protocol.Request | None) -> None:
        """Put another process in place of the dead one and bring all cores back in it."""
        async with self._lock:
            if self._active is not dead:
                return
            self.restarts += 1
            await dead.stop()
            for core in self._cores.values():
                core.blame(culprit if culprit is not None and culprit.pane == core.number else None)
            while True:
                try:
                    self._active = await self._standby.take()
                    for core in list(self._cores.values()):
                        if not core.lost:
                            await core.revive(self._active, self._guarded)
                except CoreLostError as error:
                    for core in self._cores.values():
                        core.lost = core.lost or str(error)
                    self._active = None
                except WorkerGoneError as gone:
                    assert self._active is not None
                    await self._active.stop()
                    for core in self._cores.values():
                        if gone.culprit is not None and gone.culprit.pane == core.number:
                            core.blame(gone.culprit)
                    continue
                return


class WorkerCore:
    """A core in the worker process (:class:`~komodo_tui.ui.terminal.core.PaneCore`)."""

    def __init__(
        self, host: WorkerHost, number: int, size: tuple[int, int], options: Options, core: CoreName | None
    ) -> None:
        self.number = number
        self.lost = ""
        """Why it cannot go on."""
        self._host = host
        self._size = size
        self._options = options
        self._wanted = core
        self._feed_slice = 4096
        self._tail = Tail()
        self._picture = LastPicture()
        self._feeding: int | None = None
        self._crashes: list[float] = []
        self._notice = ""

    def open_request(self, guarded: bool) -> protocol.Open:
        """What opens it."""
        return protocol.Open(self.number, *self._size, self._options, self._wanted, guarded)

    def learn(self, opened: protocol.Opened) -> None:
        """What the worker said about it."""
        self._feed_slice = opened.feed_slice

    def blame(self, culprit: protocol.Request | None) -> None:
        """The worker died; ``culprit`` is the request of this core that did it, None when it was not its own."""
        if culprit is None:
            self._notice = self._notice or "redrawn: the terminal process had to be restarted"
            return
        now = time.monotonic()
        self._crashes = [at for at in self._crashes if now - at < BLAME_WINDOW] + [now]
        lost = self._tail.drop(self._feeding) if self._feeding is not None else 0
        what = f"{lost} bytes of output are not shown" if lost else "some output may not be shown"
        self._notice = f"the terminal process died of this program's output and was restarted; {what}"
        if len(self._crashes) >= _DROP_TAIL:
            self._tail.clear()
        if len(self._crashes) >= _CHANGE_CORE:
            self._wanted = "bittty"
            self._notice += "; it goes on with the slower, safer emulator"
        if len(self._crashes) >= _GIVE_UP:
            self.lost = "the terminal process keeps dying of this program's output"

    async def revive(self, process: WorkerProcess, guarded: bool) -> None:
        """Open it in another process and feed what is known; raises :class:`WorkerGoneError`."""
        self.learn(await process.ask(self.open_request(guarded)))
        before, after = self._tail.before_picture(), self._tail.after_picture()
        picture = b"" if self._tail.complete else self._picture.output()
        for output in (before, picture, after):
            for start in range(0, len(output), self._feed_slice):
                # The answers are not sent: the program has them already.
                await process.ask(protocol.Feed(self.number, output[start : start + self._feed_slice]))

    async def feed(self, data: bytes) -> bytes:
        replies = []
        for start in range(0, len(data), self._feed_slice):
            piece = data[start : start + self._feed_slice]
            self._feeding = self._tail.add(piece)
            replies.append(await self._host.ask(self, protocol.Feed(self.number, piece)))
            self._feeding = None
        return b"".join(replies)

    async def resize(self, cols: int, rows: int) -> bytes:
        self._size = clamp_size(cols, rows)
        return bytes(await self._host.ask(self, protocol.Resize(self.number, *self._size)))

    async def take_frame(self, force: bool = False) -> Frame:
        frame: Frame = await self._host.ask(self, protocol.TakeFrame(self.number, force))
        if not frame.held:
            self._picture.take(frame)
            self._tail.mark_shown()
        return frame

    async def encode_key(self, key: KeyInput) -> bytes:
        return bytes(await self._host.ask(self, protocol.EncodeKey(self.number, key)))

    async def encode_mouse(self, mouse: MouseInput) -> bytes:
        return bytes(await self._host.ask(self, protocol.EncodeMouse(self.number, mouse)))

    async def encode_paste(self, text: str) -> bytes:
        return bytes(await self._host.ask(self, protocol.EncodePaste(self.number, text)))

    async def encode_focus(self, focused: bool) -> bytes:
        return bytes(await self._host.ask(self, protocol.EncodeFocus(self.number, focused)))

    async def scroll(self, delta: int) -> Scrollbar:
        bar: Scrollbar = await self._host.ask(self, protocol.Scroll(self.number, delta))
        return bar

    async def scroll_to(self, row: int) -> Scrollbar:
        bar: Scrollbar = await self._host.ask(self, protocol.ScrollTo(self.number, row))
        return bar

    async def scroll_bottom(self) -> Scrollbar:
        bar: Scrollbar = await self._host.ask(self, protocol.ScrollBottom(self.number))
        return bar

    async def scrollbar(self) -> Scrollbar:
        bar: Scrollbar = await self._host.ask(self, protocol.GetScrollbar(self.number))
        return bar

    async def search(self, text: str, limit: int = 10_000) -> list[Hit]:
        hits: list[Hit] = await self._host.ask(self, protocol.Search(self.number, text, limit))
        return hits

    async def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str:
        request = protocol.GetText(self.number, start_row, start_col, end_row, end_col)
        return str(await self._host.ask(self, request))

    async def close(self) -> None:
        await self._host.forget(self)

    def take_notice(self) -> str:
        notice, self._notice = self._notice, ""
        return notice
