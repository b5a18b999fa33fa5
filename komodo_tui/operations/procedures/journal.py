"""The journal of one run: written as it goes, and read again by the process that goes on with it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.procedures.journal import (
    RunEnded,
    RunStarted,
    StageEnded,
    StepEnded,
    StepStarted,
    TargetEnded,
    TargetStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Target
    from komodo_tui.domain.procedures.journal import Entry
    from komodo_tui.store.runs import RunStore

Place = tuple[int, int]
"""Stage and step, counted from 0."""


class RunJournal:
    """What has happened so far. Entries are on disk before what they announce begins."""

    def __init__(
        self, store: RunStore, run: str, tell: Callable[[str, Entry], None], *, above: tuple[str, ...] = ()
    ) -> None:
        """``tell`` is called with the run's id and each new entry; ``above``: procedures this run is a step of."""
        self.run = run
        self.procedure = ""
        self.began = 0.0
        """Unix time of the first entry."""
        self._above = above
        self._store = store
        self._tell = tell
        self.stages: dict[int, StageEnded] = {}
        self.steps: dict[Place, StepEnded] = {}
        self.begun: dict[Place, StepStarted] = {}
        self.targets: dict[tuple[Place, Target], TargetEnded] = {}
        self.open: dict[tuple[Place, Target], TargetStarted] = {}
        """Attempts whose end was not written."""
        self.ended: RunEnded | None = None

    @property
    def above(self) -> tuple[str, ...]:
        """The procedures whose runs this one is part of, and its own."""
        return (*self._above, self.procedure)

    async def load(self) -> RunStarted:
        """Read what an earlier process wrote. Raises NotFoundError, StoreError."""
        entries = await asyncio.to_thread(self._store.entries, self.run)
        for _, _, entry in entries:
            self._take(entry)
        self.began, first = entries[0][1:]
        assert isinstance(first, RunStarted)
        self.procedure = first.procedure
        return first

    async def begin(self, entry: RunStarted) -> None:
        """Write the first entry."""
        await asyncio.to_thread(self._store.begin, entry)
        self.procedure, self.began = entry.procedure, time.time()
        self._tell(self.run, entry)

    async def write(self, *entries: Entry) -> None:
        """Write the next entries, all or none. Raises StoreError."""
        if not entries:
            return
        await asyncio.to_thread(self._store.append, self.run, *entries)
        for entry in entries:
            self._take(entry)
            self._tell(self.run, entry)

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, StageEnded):
            self.stages[entry.stage] = entry
        elif isinstance(entry, StepStarted):
            self.begun[entry.stage, entry.step] = entry
        elif isinstance(entry, StepEnded):
            self.steps[entry.stage, entry.step] = entry
        elif isinstance(entry, TargetStarted):
            self.open[(entry.stage, entry.step), entry.target] = entry
        elif isinstance(entry, TargetEnded):
            key = ((entry.stage, entry.step), entry.target)
            self.open.pop(key, None)
            self.targets[key] = entry
        elif isinstance(entry, RunEnded):
            self.ended = entry
