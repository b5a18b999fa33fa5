"""When to take a picture of a core: as soon as there is output, and no more often than it can be seen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.ui.terminal.core import Frame, PaneCore

FRAME = 1 / 60
FLOOD_FRAME = 1 / 12
"""Seconds between pictures: of a program that answers, and of one that fills the screen faster than it can be read."""
DRAIN_FRAME = 1 / 4
"""Of a flood just after a key was pressed: what the key does is sooner seen without pictures that nobody can read, and
what is on its way when ``^C`` was pressed sooner gone."""
DRAIN = 0.75
"""Seconds that this lasts."""
FLOOD = 32 << 10
"""Bytes from one picture to the next that are a flood: more than a full-screen program takes to draw itself."""
UNSEEN_FRAME = 1.0
"""Seconds between pictures that nobody looks at: titles and bells still matter."""
HOLD_LIMIT = 0.15
"""Seconds that a program may hold the drawing back (synchronized output)."""


class Painter:
    """Waits for output and hands out frames."""

    def __init__(self, show: Callable[[Frame], None]) -> None:
        self._show = show
        self._output = asyncio.Event()
        self._looked_at = asyncio.Event()
        self._size = 0
        """Bytes since the last picture."""
        self._typed = float("-inf")

    def wake(self, size: int = 0) -> None:
        """There is something new: so many bytes of output, or none."""
        self._size += size
        self._output.set()

    def typed(self) -> None:
        """A key was pressed."""
        self._typed = asyncio.get_running_loop().time()

    def look(self, looked_at: bool) -> None:
        """Somebody looks, or nobody any more."""
        if looked_at:
            self._looked_at.set()
            self._output.set()
        else:
            self._looked_at.clear()

    async def run(self, core: PaneCore) -> None:
        """Take pictures until cancelled. Nothing runs while there is no output."""
        loop = asyncio.get_running_loop()
        held_since: float | None = None
        while True:
            await self._output.wait()
            self._output.clear()
            began, self._size = loop.time(), 0
            frame = await core.take_frame(held_since is not None and began - held_since > HOLD_LIMIT)
            if frame.held:
                held_since = held_since or began
                self._output.set()
            else:
                held_since = None
                self._show(frame)
            await self._pause(loop, began)

    async def _pause(self, loop: asyncio.AbstractEventLoop, began: float) -> None:
        if self._looked_at.is_set():
            await asyncio.sleep(max(0.0, began + FRAME - loop.time()))
            if self._size > FLOOD:
                slow = DRAIN_FRAME if loop.time() - self._typed < DRAIN else FLOOD_FRAME
                await self._until(loop, began + slow)
            return
        try:
            async with asyncio.timeout(UNSEEN_FRAME):
                await self._looked_at.wait()
        except TimeoutError:
            return

    async def _until(self, loop: asyncio.AbstractEventLoop, end: float) -> None:
        """Wait, but no longer than the flood lasts."""
        while (left := end - loop.time()) > 0 and self._size:
            self._size = 0
            await asyncio.sleep(min(left, FRAME))
