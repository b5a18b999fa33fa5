"""The loop of ``watch`` that is about syncs: each is looked at when it is due, and applied where it is automatic."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.operations import Actor
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.syncs import by_itself
from komodo_tui.operations.procedures.start import resumed, started
from komodo_tui.operations.pushes.parts import PushParts
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.applying import SyncApplier
from komodo_tui.operations.syncs.looking import SyncLooker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.operations.procedures.parts import Runtime
    from komodo_tui.operations.syncs.applying import Drift
    from komodo_tui.operations.syncs.looking import Pending
    from komodo_tui.store.runs import RunStore

_LOOK = 2.0
"""Seconds between looks at what is due."""
_AT_ONCE = 4
_SLOWEST = 3600.0
"""Seconds between attempts at what failed again and again."""
RUN_NAME = "sync."


class SyncWatcher:
    """Runs while the lock of ``watch`` is held: nobody else does it by itself."""

    def __init__(self, runtime: Runtime, runs: RunStore, say: Callable[[str], None]) -> None:
        """``say`` is told, in one line, what begins and how it ends."""
        self._runtime = runtime
        self._runs = runs
        self._say = say
        self._looker = SyncLooker(runtime, runtime.fleet, runtime.state_dir)
        self._applier = SyncApplier(runtime, runtime.executor, runtime.preparer, self._looker)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._due: dict[str, float] = {}
        """Unix time of the next look; a sync that is not among them was not looked at since the start."""
        self._looked_as: dict[str, SyncDefinition] = {}
        """As each was when it was looked at: a changed one is looked at anew."""
        self._failures: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self.looked = 0.0
        """Monotonic time of the last look at what is due."""

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.looked = time.monotonic()
                self._begin_due(await asyncio.to_thread(SyncDefinitions(self._runtime.definitions).known))
                await asyncio.sleep(_LOOK)
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def once(self, syncs: Iterable[SyncDefinition]) -> dict[str, tuple[bool, str]]:
        """Look at these now, and apply what is to be applied by itself.

        By name: whether that went well, and how it stands.
        """
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(sync: SyncDefinition) -> None:
            async with turns:
                await self._one(sync)

        wanted = list(syncs)
        await asyncio.gather(*map(one, wanted))
        return {sync.name: (not self._failures[sync.name], self._told.get(sync.name, "")) for sync in wanted}

    def _begin_due(self, known: dict[str, SyncDefinition]) -> None:
        now = time.time()
        for name, task in list(self._busy.items()):
            if task.done():
                del self._busy[name]
                task.result()  # a fault of this program ends the loop, and with it the watch
        self._looked_as = {name: as_was for name, as_was in self._looked_as.items() if known.get(name) == as_was}
        self._due = {name: due for name, due in self._due.items() if name in self._looked_as}
        for name, sync in known.items():
            if len(self._busy) < _AT_ONCE and name not in self._busy and now >= self._due.get(name, 0.0):
                self._looked_as[name] = sync
                self._busy[name] = asyncio.create_task(self._one(sync), name=f"sync {name}")

    async def _one(self, sync: SyncDefinition) -> None:
        """Look, and apply what is to be applied by itself."""
        every = parse_duration(sync.every)
        good = False
        try:
            pending = await self._looker.look(sync)
            drifts = await self._applier.drifts(pending)
            await self._applier.drifted(sync, pending, drifts)
            deploys = sync.deploy and any(drift.operation is not None for drift in drifts)
            self._tell(sync.name, self._words(pending, drifts))
            if sync.automatic and (by_itself(sync, pending.items) or deploys):
                good = await self._apply(sync)
            else:
                good = True
        except KomodoError as error:
            self._tell(sync.name, str(error))
        failures = 0 if good else self._failures.get(sync.name, 0) + 1
        self._failures[sync.name] = failures
        self._due[sync.name] = time.time() + min(max(every, _SLOWEST), every * 2 ** min(failures, 10))

    async def _apply(self, sync: SyncDefinition) -> bool:
        definition = msgspec.convert(
            {"name": f"{RUN_NAME}{sync.name}"[:64], "description": f"sync {sync.name}", "overlap": "wait",
             "stages": [{"name": "apply", "steps": [{"sync": {"sync": sync.name}}]}]},
            ProcedureDefinition,
        )  # fmt: skip
        parts = PushParts(runtime=self._runtime, runs=self._runs, who=Actor(name="sync", via="watch"), own=definition)
        left = await asyncio.to_thread(self._left, definition.name)
        begun = resumed(parts, left) if left else started(parts, definition.name, {})
        async with begun as runner:
            end = await runner.run()
        self._say(f"sync {sync.name}: {'applied' if end.outcome == 'success' else end.summary}")
        return end.outcome == "success"

    def _left(self, name: str) -> str:
        """The run that the last who watched could not see through; empty = there is none. Blocks."""
        last = next(iter(self._runs.runs(name, 1)), None)
        return last.run if last is not None and last.outcome is None and not self._runs.alive(last.run) else ""

    def _tell(self, name: str, words: str) -> None:
        """Say it once, until it is something else."""
        if self._told.get(name) != words:
            self._told[name] = words
            self._say(f"sync {name}: {words}")

    def _words(self, pending: Pending, drifts: Sequence[Drift]) -> str:
        conflicts = sum(item.state == "conflict" for item in pending.items)
        words = [f"{len(pending.items)} differ" if pending.items else "equal"]
        words += [f"{conflicts} in conflict"] if conflicts else []
        words += [f"what runs of {drift.name} cannot be told: {drift.problem}" for drift in drifts if drift.problem]
        return ", ".join(words)
