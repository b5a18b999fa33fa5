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

    def wake(self) -> None:
        """There is something new."""
        self._output.set()

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
            began = loop.time()
            frame = await core.take_frame(held_since is not None and began - held_since > HOLD_LIMIT)
            if frame.held:
                held_since = held_since or began
                self._output.set()
            else:
                held_since = None
                self._show(frame)
            await self._pause(loop.time() - began, frame)

    async def _pause(self, took: float, frame: Frame) -> None:
        if self._looked_at.is_set():
            flood = frame.full and len(frame.dirty) > 1 and self._output.is_set()
            await asyncio.sleep(max(0.0, (FLOOD_FRAME if flood else FRAME) - took))
            return
        try:
            async with asyncio.timeout(UNSEEN_FRAME):
                await self._looked_at.wait()
        except TimeoutError:
            return
