"""Runs procedures when they are due."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.schedules import Schedule
from komodo_tui.operations.procedures.launch import launch

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


class Due(NamedTuple):
    """A time that has come."""

    name: str
    at: float
    missed: bool


class Scheduler:
    """Starts what is due. Several may look at once: a slot is claimed by one of them."""

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
        self.looked = 0.0
        """Monotonic time of the last look."""

    async def run(self) -> None:
        """Look, sleep until the next time, look again, until cancelled."""
        try:
            while True:
                following = await self.look()
                await asyncio.sleep(max(0.05, min(following - self._now(), _LOOK)))
        finally:
            for task in self._starting:
                task.cancel()
            await asyncio.gather(*self._starting, return_exceptions=True)

    async def once(self) -> None:
        """Start what is due now, and wait until it has begun."""
        await self.look()
        await asyncio.gather(*self._starting)

    async def look(self) -> float:
        """Claim and start what is due; returns when the next one is (Unix time)."""
        self.looked = time.monotonic()
        due, following = await asyncio.to_thread(self._collect)
        for one in due:
            task = asyncio.create_task(self._start(one), name=f"start {one.name}")
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
        return following

    def _collect(self) -> tuple[list[Due], float]:
        now, found, following = self._now(), [], self._now() + _LOOK
        for definition in self._procedures():
            if not definition.schedule:
                continue
            try:
                schedule = Schedule(definition.schedule, definition.timezone)
                since = self._slots.since(definition.name, f"{definition.schedule} {definition.timezone}", now)
                found += self._claimed(definition, schedule.due(since, now), now)
                following = min(following, schedule.after(now))
            except UsageError as error:
                self._tell_once(definition.name, str(error))
        return found, following

    def _claimed(self, definition: ProcedureDefinition, times: list[float], now: float) -> list[Due]:
        """Of the times that came, those that became ours: the newest to be run, the others to be noted as missed."""
        found = []
        for at in times:
            late = now - at > GRACE
            missed = at != times[-1] or (late and definition.catch_up == "skip")
            if self._slots.claim(definition.name, at, self._who, now):
                found.append(Due(definition.name, at, missed))
        return found

    async def _start(self, due: Due) -> None:
        if due.missed:
            await asyncio.to_thread(self._slots.note, due.name, due.at, "missed")
            self._say(f"{due.name}: missed its time of {_clock(due.at)}")
            return
        async with self._turns:
            try:
                run = await launch(self._paths, self._runs, due.name, {})
            except KomodoError as error:
                self._say(f"{due.name}: did not begin: {error}")
                await asyncio.to_thread(self._slots.note, due.name, due.at, str(error)[:300])
                return
        await asyncio.to_thread(self._slots.note, due.name, due.at, run)
        self._say(f"{due.name}: run {run}")

    def _tell_once(self, name: str, problem: str) -> None:
        if self._broken.get(name) != problem:
            self._broken[name] = problem
            self._say(f"{name}: {problem}")


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
