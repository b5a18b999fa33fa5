"""Runs procedures when they are due."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError, RefusedError, StoreError, UsageError
from komodo_tui.domain.procedures.figures import schedule_of
from komodo_tui.operations.procedures.launch import begun, launch
from komodo_tui.operations.procedures.start import new_run_id
from komodo_tui.store.locks import is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.store.paths import StateDirectory
    from komodo_tui.store.runs import RunStore
    from komodo_tui.store.slots import SlotStore

GRACE = 90.0
"""Seconds after which a time that passed counts as missed: a watcher in a crontab looks once a minute."""
_LOOK = 5.0
"""Seconds after which definitions are read again, at the latest."""
_AT_ONCE = 8
"""Runs that are being started at the same time."""
_PRUNE = 86400.0
"""Seconds after which the oldest slots are forgotten again."""
_AGAIN = 0.2
_MISSED = "missed"
_ON_ITS_WAY = 5.0
"""Seconds for which a run may still be beginning whose starter is gone and whose procedure is locked."""


class Due(NamedTuple):
    """A time that has come."""

    name: str
    at: float
    run: str
    """The id of its run."""
    missed: bool
    """It is too late to start it."""
    left: bool = False
    """Somebody had claimed it who is gone, and who may have started the run."""


class Scheduler:
    """Starts what is due, and what a killed one had claimed. The lock of ``watch`` keeps others out meanwhile."""

    def __init__(
        self,
        paths: StateDirectory,
        procedures: Callable[[], Iterable[ProcedureDefinition]],
        slots: SlotStore,
        runs: RunStore,
        say: Callable[[str], None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``procedures`` reads the definitions; ``say`` is told, in one line, what begins and what cannot."""
        self._paths = paths
        self._procedures = procedures
        self._slots = slots
        self._runs = runs
        self._say = say
        self._now = now
        self._who = f"process {os.getpid()}"
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._starting: set[asyncio.Task[None]] = set()
        self._broken: dict[str, str] = {}
        self._pruned = -_PRUNE
        self.looked = 0.0
        """Monotonic time of the last look."""

    async def run(self) -> None:
        """Look, sleep until the next time, look again, until cancelled."""
        try:
            await self._resume()
            while True:
                following = await self.look()
                await asyncio.sleep(max(0.05, min(following - self._now(), _LOOK)))
        finally:
            for task in self._starting:
                task.cancel()
            await asyncio.gather(*self._starting, return_exceptions=True)

    async def once(self) -> None:
        """Start what is due now, and wait until it has begun."""
        await self._resume()
        await self.look()
        await asyncio.gather(*self._starting)

    async def look(self) -> float:
        """Claim and start what is due; returns when the next one is (Unix time)."""
        self.looked = time.monotonic()
        due, following = await asyncio.to_thread(self._collect)
        self._begin(due)
        return following

    async def _resume(self) -> None:
        """Go on with what was claimed by a process that is gone."""
        self._begin(await asyncio.to_thread(self._left))

    def _left(self) -> list[Due]:
        known, now = {each.name: each for each in self._procedures()}, self._now()
        return [
            Due(one.name, one.at, one.run, missed=_too_late(known.get(one.name), one.at, now), left=True)
            for one in self._slots.open()
        ]

    def _begin(self, due: Iterable[Due]) -> None:
        for one in due:
            task = asyncio.create_task(self._start(one), name=f"start {one.name}")
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    def _collect(self) -> tuple[list[Due], float]:
        if time.monotonic() - self._pruned >= _PRUNE:
            self._pruned = time.monotonic()
            self._slots.prune()
        now, found, following = self._now(), [], self._now() + _LOOK
        for definition in self._procedures():
            if not definition.schedule:
                continue
            try:
                schedule = schedule_of(definition)
                since = self._slots.since(definition.name, _identity(definition), now)
                following = min(following, schedule.after(now))
                times = schedule.due(since, now)
                if times and not self._has_to_wait(definition):
                    found += self._claimed(definition, times, now)
            except UsageError as error:
                self._tell_once(definition.name, str(error))
        return found, following

    def _claimed(self, definition: ProcedureDefinition, times: list[float], now: float) -> list[Due]:
        """Of the times that came, those that became ours: the newest to be run, the others to be noted as missed."""
        found, free = [], self._free_since(definition)
        for at in times:
            late = _too_late(definition, max(at, free), now)
            due = Due(definition.name, at, new_run_id(), at != times[-1] or late)
            if self._slots.claim(due.name, at, self._who, now, run=due.run):
                found.append(due)
        return found

    def _has_to_wait(self, definition: ProcedureDefinition) -> bool:
        """Whether a run is under way that is to be waited for: its times are then claimed once that has ended."""
        return definition.overlap == "wait" and is_held(self._runs.lock(f"procedure-{definition.name}").path)

    def _free_since(self, definition: ProcedureDefinition) -> float:
        """Unix time at which the last run ended, where runs wait for each other: what waited for that is not late."""
        if definition.overlap != "wait":
            return 0.0
        return max((run.ended or 0.0 for run in self._runs.runs(definition.name, 1)), default=0.0)

    async def _start(self, due: Due) -> None:
        async with self._turns:
            try:
                result = await self._outcome(due)
            except KomodoError as error:
                result = str(error)[:300]
                self._say(f"{due.name}: did not begin: {error}")
        try:
            await asyncio.to_thread(self._slots.note, due.name, due.at, result)
        except StoreError as error:  # it stays open: the next start finds its run
            self._say(f"{due.name}: what became of its time cannot be kept: {error}")

    async def _outcome(self, due: Due) -> str:
        """What becomes of it: the run's id, or ``missed``. Raises KomodoError."""
        if due.left and await begun(self._runs, due.run):
            return due.run
        if due.missed:
            self._say(f"{due.name}: missed its time of {_clock(due.at)}")
            return _MISSED
        try:
            await launch(self._paths, self._runs, due.name, {}, run=due.run)
        except RefusedError:
            if not due.left or not await self._on_its_way(due.run):
                raise
        self._say(f"{due.name}: run {due.run}")
        return due.run

    async def _on_its_way(self, run: str) -> bool:
        """Whether what refused us was this very run, started by the one who is gone."""
        end = time.monotonic() + _ON_ITS_WAY
        while not await begun(self._runs, run):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(_AGAIN)
        return True

    def _tell_once(self, name: str, problem: str) -> None:
        if self._broken.get(name) != problem:
            self._broken[name] = problem
            self._say(f"{name}: {problem}")


def _identity(definition: ProcedureDefinition) -> str:
    """What makes it another schedule when it is changed: times before that are no concern of it."""
    jitter = f" {definition.jitter}" if definition.jitter else ""
    return f"{definition.schedule} {definition.timezone}{jitter}"


def _too_late(definition: ProcedureDefinition | None, at: float, now: float) -> bool:
    return now - at > GRACE and (definition is None or definition.catch_up == "skip")


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
