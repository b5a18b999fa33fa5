"""One terminal: a program, what is kept of its output, and those who look at it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.exec import ExecExit
from ..wire.terminals import TerminalInfo
from .ring import Cursor, Ring, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from .programs import Begun

_log = logging.getLogger(__name__)

_AHEAD = 64 << 10
"""Bytes that the program may be ahead of the slowest who looks: what it writes further is held back, not dropped."""
_STALLED = 2.0
"""Seconds without taking anything after which somebody who looks does not hold the program back any more."""
_SMALLEST, _LARGEST = 1, 1000


class Viewer:
    """Somebody who looks at a terminal."""

    def __init__(self, size: Size, cursor: Cursor, *, read_only: bool) -> None:
        self.size = size
        self.cursor = cursor
        self.read_only = read_only
        self.answers = False
        """Its emulator answers what the program asks its terminal."""
        self.wake = asyncio.Event()
        """There is something to send."""
        self.moved = time.monotonic()
        """When it last took something."""


class AgentTerminal:
    """Runs until its program ends or it is closed, whoever looks at it."""

    def __init__(self, id: str, name: str, uid: int, begun: Begun, size: Size, on_end: Callable[[], None]) -> None:
        self.id = id
        self.name = name or begun.target or " ".join(begun.command) or "shell"
        self.uid = uid
        self.opened = time.time()
        self.left = time.monotonic()
        """When the last who looked went."""
        self.ring = Ring(size)
        self.end: ExecExit | None = None
        self.ended: float | None = None
        self.viewers: list[Viewer] = []
        self._begun = begun
        self._program = begun.program
        self._on_end = on_end
        self._moved = asyncio.Event()
        self._wanted_size = size
        self._sizing: asyncio.Task[None] | None = None
        self._closed = False
        self._running = asyncio.create_task(self._run(), name=f"terminal {id}")

    def info(self) -> TerminalInfo:
        """What is said of it."""
        end = self.end or ExecExit(code=None)
        return TerminalInfo(
            id=self.id, name=self.name, target=self._begun.target, container=self._begun.container,
            command=self._begun.command, opened=self.opened, rows=self.ring.size.rows, cols=self.ring.size.cols,
            clients=len(self.viewers), ended=self.ended, code=end.code, reason=end.reason, uid=self.uid,
            attached=self._begun.attached, fresh=self._begun.fresh,
        )  # fmt: skip

    # -- the program --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        end = ExecExit(code=None, reason="the agent lost it")
        try:
            while data := await self._next():
                self.ring.add(data)
                self._wake()
            end = await self._program.exit()
            await self._program.close()
        except AgentError as error:
            end = ExecExit(code=None, reason=error.sentence())
        except OSError as error:
            end = ExecExit(code=None, reason=f"its terminal cannot be read: {error.strerror}")
        finally:
            self._ended(ExecExit(code=None, reason="closed") if self._closed and end.code is None else end)

    async def _next(self) -> bytes:
        while not self._closed and any(self._holds_back(viewer) for viewer in self.viewers):
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), _STALLED / 4)
            except asyncio.TimeoutError:
                continue
        return await self._program.read()

    def _holds_back(self, viewer: Viewer) -> bool:
        behind = self.ring.end - viewer.cursor.place
        return behind > _AHEAD and time.monotonic() - viewer.moved < _STALLED

    def _ended(self, end: ExecExit) -> None:
        self.end, self.ended = end, time.time()
        self._wake()
        self._on_end()

    async def write(self, data: bytes) -> None:
        """Input; waits while the program takes none. Does nothing after the end."""
        if self.end is None:
            await self._program.write(data)

    async def close(self) -> None:
        """Hang up, and wait for the end. Safe to call twice."""
        self._closed = True
        self._moved.set()
        try:
            await self._program.close()
        except AgentError as error:
            _log.warning("a process may be left behind: %s", error.message)
        if self._sizing is not None:
            self._sizing.cancel()
        done, _ = await asyncio.wait({self._running}, timeout=_STALLED)
        if not done:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    # -- those who look -----------------------------------------------------------------------------------------

    def look(self, viewer: Viewer) -> None:
        """Somebody looks from now on."""
        self.viewers.append(viewer)
        self._settle()

    def leave(self, viewer: Viewer) -> None:
        """Somebody looks no more; the program goes on."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        self.left = time.monotonic()
        self._settle()

    def took(self, viewer: Viewer) -> None:
        """Somebody has been given something."""
        viewer.moved = time.monotonic()
        self._moved.set()

    def resize(self, viewer: Viewer, size: Size) -> None:
        """Somebody's window has another size."""
        viewer.size = size
        self._settle()

    def draw_again(self) -> None:
        """Have a full-screen program draw all of its screen, as it does when its size changes."""
        self._size(wiggle=True)

    def _settle(self) -> None:
        """The smallest size wins, and the one who has looked for longest answers for the terminal."""
        self._moved.set()
        active = [viewer for viewer in self.viewers if not viewer.read_only]
        for viewer in self.viewers:
            answers = bool(active) and viewer is active[0]
            if viewer.answers is not answers:
                viewer.answers = answers
                viewer.wake.set()
        if active and self.end is None:
            wanted = Size(min(v.size.rows for v in active), min(v.size.cols for v in active))
            if wanted != self._wanted_size:
                self._wanted_size = wanted
                self._size()

    def _size(self, *, wiggle: bool = False) -> None:
        if self._sizing is None or self._sizing.done():
            self._sizing = asyncio.create_task(self._set_size(wiggle=wiggle))

    async def _set_size(self, *, wiggle: bool) -> None:
        """Sizes are set one after the other: the last one wanted is the last one set."""
        try:
            while self.end is None and (wiggle or self.ring.size != self._wanted_size):
                size = self._wanted_size
                if wiggle:
                    await self._program.resize(max(_SMALLEST, size.rows - 1), size.cols)
                wiggle = False
                self.ring.resize(size)
                self._wake()
                await self._program.resize(size.rows, size.cols)
        except (AgentError, OSError) as error:
            _log.warning("the size of terminal %s cannot be set: %s", self.id, error)

    def _wake(self) -> None:
        for viewer in self.viewers:
            viewer.wake.set()


def bounded(rows: int, cols: int) -> Size:
    """The nearest size that a terminal can have."""
    return Size(min(max(rows, _SMALLEST), _LARGEST), min(max(cols, _SMALLEST), _LARGEST))
