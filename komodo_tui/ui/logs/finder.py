"""Keeps the hits of one pattern in step with a ring that grows and forgets, working in a thread."""

from __future__ import annotations

import asyncio
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from komodo_tui.ui.logs.search import Matches, scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.ui.logs.ring import LogRing
    from komodo_tui.ui.logs.search import Pattern

_TOGETHER = 8
"""Blocks looked through between two looks at what is new."""
_SETTLE = 0.1
"""Seconds before the search begins: while somebody types, each key makes another pattern."""


class Finder:
    """Searches what is kept, newest first, then what comes.

    :meth:`run` and everything else but the search itself belong to the event loop. ``changed`` is called there
    after each step that found something or came to the end.
    """

    def __init__(self, ring: LogRing, pattern: Pattern, changed: Callable[[], None]) -> None:
        self.pattern = pattern
        self.matches = Matches()
        self._ring = ring
        self._changed = changed
        self._low = self._high = ring.end
        self._grown = asyncio.Event()
        self._over = False

    def grown(self) -> None:
        """Lines came, or went."""
        self.matches.forget(self._ring.first)
        if self._ring.end > self._high:
            self._grown.set()

    async def run(self) -> None:
        """Search until cancelled; what was found stays."""
        try:
            await asyncio.sleep(_SETTLE)
            while True:
                await self._step()
        finally:
            self._over = True

    async def _step(self) -> None:
        if self._high < self._ring.end:
            await self._newer()
        elif self._low > self._ring.first:
            await self._older()
        else:
            self._grown.clear()
            self.matches.complete = True
            self._changed()
            await self._grown.wait()

    async def _newer(self) -> None:
        # What was dropped before it was looked at is skipped.
        low, high = max(self._high, self._ring.first), self._ring.end
        self._high = high
        await self._look(low, high)

    async def _older(self) -> None:
        pieces = list(islice(self._ring.pieces(self._ring.first, self._low), _TOGETHER))
        low = pieces[-1].first if pieces else self._ring.first
        high, self._low = self._low, low
        await self._look(low, high)

    async def _look(self, low: int, high: int) -> None:
        # The thread of a search that was given up ends too: it would hold the interpreter while keys wait.
        pieces = takewhile(lambda _: not self._over, self._ring.pieces(low, high))
        found = await asyncio.to_thread(scan, self.pattern, pieces)
        self.matches.add(found)
        self.matches.forget(self._ring.first)
        if found:
            self._changed()
