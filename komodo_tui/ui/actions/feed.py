"""Keeps the list in line with the history on disk: pages while one scrolls, what is new while one looks."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from komodo_tui.ui.actions.finding import EVERYTHING, Find
from komodo_tui.ui.actions.reading import PAGE, Part, read_again, read_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.store.history import History
    from komodo_tui.ui.actions.reading import UnderWay

Rows = dict[str, "ActionRecord"]
"""By id."""
_MANY = 5000
"""Acts read at first when all are wanted."""
_PROBE = 10.0
"""Seconds between looks at whether other programs still work on their acts: a look takes their locks for a moment."""


class Feed:
    """The acts read so far that pass one find, newest first without gaps.

    All methods that read are coroutines of the page's workers; the reading itself is done in threads.
    """

    def __init__(self, history: History, under_way: UnderWay, changed: Callable[[Rows | None], None]) -> None:
        """A feed that has read nothing yet.

        ``under_way`` tells whether somebody works on an act without outcome (it blocks). ``changed`` is called with
        the rows that are new or other ones; with None when rows went too.
        """
        self.rows: Rows = {}
        self.running: set[str] = set()
        """Ids of those that somebody works on."""
        self.find: Find = EVERYTHING
        self.more = False
        """Whether older ones may follow."""
        self.busy = False
        """Whether a part is being read."""
        self._history = history
        self._under_way = under_way
        self._changed = changed
        self._probed = 0.0
        self._version: tuple[int, int] | None = None
        self._stop = threading.Event()

    def abandon(self) -> None:
        """Let the threads that still read for an older wish end."""
        self._stop.set()
        self._stop = threading.Event()

    async def begin(self, find: Find) -> None:
        """Read the newest acts that pass.

        Raises:
            StoreError: the history cannot be read.
        """
        self.abandon()
        self.find = find
        self._version = await asyncio.to_thread(self._history.version)
        part = await self._part(None, PAGE)
        self.rows, self.running = {}, set()
        self._take(part.records, part.running, part.more, anew=True)

    async def older(self, *, everything: bool = False) -> None:
        """Read on at the old end: one part, or all there are.

        Raises:
            StoreError: the history cannot be read.
        """
        size = _MANY if everything else PAGE
        while self.more:
            oldest = min((record.seq for record in self.rows.values()), default=None)
            part = await self._part(oldest, size)
            self._take(part.records, part.running, part.more)
            if not everything:
                return
            size *= 2  # the table is ordered anew after each part

    async def newer(self) -> None:
        """Take in what was begun or ended since, by whichever program; cheap when there is nothing.

        Raises:
            StoreError: the history cannot be read.
        """
        version = await asyncio.to_thread(self._history.version)
        if self.busy or (version == self._version and not self._is_probe_due()):
            return
        find, stop, self._probed = self.find, self._stop, time.monotonic()
        part = await asyncio.to_thread(read_part, self._history, find, self._under_way, None, stop)
        fresh = {record.id for record in part.records}
        open_ = [r.id for r in self.rows.values() if r.outcome is None and r.id not in fresh]
        again = await asyncio.to_thread(read_again, self._history, open_, self._under_way)
        if stop.is_set() or self.busy:
            return
        self._version = version
        newest = max((record.seq for record in self.rows.values()), default=0)
        is_torn = part.more and part.records[-1].seq > newest  # what lies between is not known
        if is_torn:
            self.rows, self.running, again = {}, set(), Part((), True, frozenset())
        self.running.difference_update(fresh, open_)
        more = is_torn or self.more
        self._take((*part.records, *again.records), part.running | again.running, more, anew=is_torn)

    def _is_probe_due(self) -> bool:
        is_open = any(record.outcome is None for record in self.rows.values())
        return is_open and time.monotonic() - self._probed >= _PROBE

    async def _part(self, before: int | None, limit: int) -> Part:
        self.busy = True
        self._changed({})
        try:
            return await asyncio.to_thread(
                read_part, self._history, self.find, self._under_way, before, self._stop, limit
            )
        finally:
            self.busy = False

    def _take(self, records: Iterable[ActionRecord], running: Iterable[str], more: bool, *, anew: bool = False) -> None:
        changed = {r.id: r for r in records if self.rows.get(r.id) != r}
        self.rows.update(changed)
        self.running.update(running)
        self.more = more
        self._changed(None if anew else changed)
