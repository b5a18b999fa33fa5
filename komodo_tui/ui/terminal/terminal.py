"""An open terminal: a session, the core that understands its output, and what they show. Panes look at it.

It lives in the manager, not in a widget, so it goes on when the page with its pane is left.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.fleet.sessions import ByteSession, SessionEnd, SharedSession
from komodo_tui.ui.terminal.controls import State, TerminalControls, lost
from komodo_tui.ui.terminal.core import CoreLostError, Frame, Options, PaneCore, clamp_size
from komodo_tui.ui.terminal.painter import Painter
from komodo_tui.ui.terminal.picture import Picture
from komodo_tui.ui.terminal.pump import Pump

if TYPE_CHECKING:
    from komodo_tui.ui.terminal.view import View

OpenSession = Callable[[int, int], Awaitable[ByteSession]]
"""Opens the program's side at a size in columns and rows; raises :class:`KomodoError`."""
OpenCore = Callable[[int, int, Options], Awaitable[PaneCore]]


class Keeper(Protocol):
    """Where the program lives that goes on without us."""

    @property
    def id(self) -> str:
        """Tells it from all others."""
        ...

    async def end(self) -> None:
        """End the program; raises :class:`KomodoError`."""
        ...

    async def rename(self, name: str) -> None:
        """Call it something else for all; raises :class:`KomodoError`."""
        ...


T = TypeVar("T")

NOTICE_SECONDS = 8.0
"""How long a passing notice stays."""
RESIZE_DELAY = 0.05
"""Seconds a size has to last before the program is told."""


class Terminal(TerminalControls):
    """One open terminal. All methods are for the event loop's thread."""

    def __init__(
        self, open_session: OpenSession, title: str, *, open_core: OpenCore, target: str = "", command: str = "",
        options: Options | None = None, clock: Callable[[], float] = time.time, keeper: Keeper | None = None,
    ) -> None:  # fmt: skip
        """``title`` and ``target`` are shown as they are: clean them. ``clock`` gives Unix time.

        With a ``keeper`` the program goes on when this is let go.
        """
        self.name = title
        self.target = target or title
        self.command = command
        self.opened = clock()
        self.keeper = keeper
        self.attached = False
        """It shows a container's own process: closing it leaves that."""
        self.looks = False  # nothing typed reaches the program
        self.on_close: Callable[[], Awaitable[None]] | None = None
        """Awaited once when the program has ended, or before it is ended."""
        self.state: State = "new"
        self.end: SessionEnd | None = None
        self.error: KomodoError | None = None
        self.program_title = ""
        """What the program calls itself, cleaned."""
        self.notice = ""
        """A sentence for the person in front."""
        self.offered = ""
        """What the program wanted in the clipboard and may not write there itself."""
        self.unseen = False
        """There is output that no view has shown."""
        self.size = (80, 24)
        self.frame: Frame | None = None
        """The last frame, for its modes and places."""
        self.picture = Picture()
        self._open_session = open_session
        self._open_core = open_core
        self._options = options or Options()
        self._views: list[View] = []
        self._core: PaneCore | None = None
        self._session: ByteSession | None = None
        self._pump: Pump | None = None
        self._early = deque()
        self._painter = Painter(self._show)
        self._tasks: set[asyncio.Task[None]] = set()
        self._resizing: asyncio.TimerHandle | None = None
        self._hushing: asyncio.TimerHandle | None = None
        self._closed = False

    def attach_anew(self, keeper: Keeper, open_session: OpenSession, *, looks: bool) -> None:
        """To the same program, from now on ``looks`` only or with the keys again."""
        self.keeper, self._open_session, self.looks = keeper, open_session, looks
        self.keep_saying("")
        if self.state == "running":
            self._spawn(self._reopen)

    # -- life ---------------------------------------------------------------------------------------------------

    def start(self, cols: int, rows: int) -> None:
        """Open it at a size; later calls only set the size."""
        if self.state == "new":
            self.state = "opening"
            self.size = clamp_size(cols, rows)
            self._spawn(self._open)
        else:
            self.resize(cols, rows)

    def reopen(self) -> None:
        """Once it has ended or failed: the same again."""
        if self.state in ("ended", "failed"):
            self._spawn(self._reopen)

    async def _reopen(self) -> None:
        await self._release()
        self.state, self.end, self.error = "opening", None, None
        await self._open()

    async def _open(self) -> None:
        self._announce()
        try:
            self._core = await self._open_core(*self.size, self._options)
            self._spawn(partial(self._painter.run, self._core))
            self._session = await self._open_session(*self.size)
        except KomodoError as error:
            self._fail(error)
            return
        except CoreLostError as error:
            self._fail(lost(error))
            return
        if isinstance(self._session, SharedSession):
            self._session.on_notice = self.keep_saying
        self._pump = Pump(self._session, self._core, on_output=self._painter.wake, on_end=self._ended)
        self.state = "running"
        self._pump.start()
        self._send_early()
        self._announce()

    def _fail(self, error: KomodoError) -> None:
        self.state, self.error = "failed", error
        self._early.clear()
        self._announce()

    def _ended(self, end: SessionEnd) -> None:
        self.state, self.end = "ended", end
        self.keep_saying("")
        self._spawn(self._told)

    async def _told(self) -> None:
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            await on_close()

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run it as a task of ours. A call, not a coroutine: one whose task is cancelled first is never awaited."""
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """A lost core or connection ends the terminal, not the program."""
        try:
            await work()
        except CoreLostError as error:
            self._fail(lost(error))
        except KomodoError as error:
            self.say(str(error))

    async def close(self, *, keep: bool = False) -> None:
        """End the program, or leave it to its keeper with ``keep``, and free everything. Safe to call twice.

        Raises:
            KomodoError: the keeper cannot be reached; the program goes on.
        """
        if self._closed:
            return
        self._closed = True
        await self._release()
        self._views.clear()
        if self.keeper is None or not keep:
            await self._told()
        if self.keeper is not None and not keep:
            await self.keeper.end()

    async def _release(self) -> None:
        for timer in (self._resizing, self._hushing):
            if timer is not None:
                timer.cancel()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._pump is not None:
            await self._pump.stop()
        if self._session is not None:
            await self._session.close()
        if self._core is not None:
            await self._core.close()
        self._pump = self._session = self._core = None

    # -- views --------------------------------------------------------------------------------------------------

    def attach(self, view: View) -> None:
        """Let a view see it and follow what changes."""
        if view not in self._views:
            self._views.append(view)
        self.unseen = False
        self._painter.look(True)

    def detach(self, view: View) -> None:
        """The view looks elsewhere."""
        if view in self._views:
            self._views.remove(view)
        if not self._views:
            self._painter.look(False)

    async def rename(self, name: str) -> None:
        """Call it something else, also for others who look at it. ``name`` is shown as it is: clean it."""
        self.name = name
        self._announce()
        if self.keeper is not None:
            await self.keeper.rename(name)

    def say(self, text: str) -> None:
        """Show a sentence to who looks at it, for a while."""
        self.keep_saying(text)
        if text:
            self._hushing = asyncio.get_running_loop().call_later(NOTICE_SECONDS, self.keep_saying, "")

    def keep_saying(self, text: str) -> None:
        """Show a sentence until there is another one; an empty one takes it away."""
        if self._hushing is not None:
            self._hushing.cancel()
            self._hushing = None
        self.notice = text
        self._announce()

    def _announce(self) -> None:
        for view in list(self._views):
            view.announce()

    def _show(self, frame: Frame) -> None:
        self.frame = frame
        rows = self.picture.take(frame)
        if not self._views and frame.dirty:
            self.unseen = True
        if self._core is not None and (notice := self._core.take_notice()):
            self.say(notice)
            if frame.alternate and self._pump is not None:
                self._spawn(partial(self._pump.nudge, *self.size))
        if frame.title is not None:
            self.program_title = clean(frame.title)
            self._announce()
        for view in list(self._views):
            view.draw(rows)
            if frame.bells:
                view.ring()
            if frame.clipboard is not None:
                view.offer_clipboard(frame.clipboard)

    def resize(self, cols: int, rows: int) -> None:
        """Set the size, once it has lasted a moment."""
        self.size = clamp_size(cols, rows)
        if self._resizing is not None:
            self._resizing.cancel()
        self._resizing = asyncio.get_running_loop().call_later(RESIZE_DELAY, self._resize_now)

    def _resize_now(self) -> None:
        self._resizing = None
        if self._pump is not None and self.state == "running":
            self._spawn(partial(self._pump.resize, *self.size))
        elif self._core is not None:
            self._spawn(partial(self._resize_core, self._core))

    async def _resize_core(self, core: PaneCore) -> None:
        await core.resize(*self.size)
        self._painter.wake()
