"""All that runs by itself, as tasks of one event loop over one runtime."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.errors import StoreError, told_by
from komodo_tui.operations.alerts.notifier import Notifier
from komodo_tui.operations.alerts.surveys import MoreSurveys
from komodo_tui.operations.alerts.watcher import AlertWatcher
from komodo_tui.operations.build_keeper import FollowKeeper
from komodo_tui.operations.procedures.parts import Runtime as RunsRuntime
from komodo_tui.operations.procedures.scheduler import Scheduler
from komodo_tui.operations.pushes.watch import push_loops
from komodo_tui.operations.syncs.watching import SyncWatcher
from komodo_tui.store.deliveries import DeliveryQueue
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.watch.follow import ServerFollower

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.domain.settings import Settings
    from komodo_tui.store.alerts import AlertStore

_LOOK = 1.0
"""Seconds between looks whether read-only mode was switched."""
_AGAIN = 15.0
"""Seconds after which a part begins anew whose records could not be used; who runs as long counts as well."""


class Runtime(RunsRuntime, Protocol):
    """What a front end has."""

    @property
    def settings(self) -> Settings:
        """As they are now."""
        ...

    @property
    def alerts(self) -> AlertStore:
        """What is or was wrong."""
        ...


class WatchLoops:
    """:meth:`run` runs them; ``watch`` and the program on the screen do it while they hold the turn."""

    def __init__(self, runtime: Runtime, say: Callable[[str], None], *, evaluates: bool = True) -> None:
        """``say`` is told in a line of what begins, ends and cannot be done.

        ``evaluates``: whether alerts are looked for and servers followed, too; the program on the screen does that
        anyway.
        """
        self._runtime = runtime
        self._say = say
        self._evaluates = evaluates
        self._parts: dict[str, Looking] = {}
        self._still: dict[str, float] = {}
        """By part that stands still: since when, in Unix time."""
        self.acting = asyncio.Event()
        """Set while schedules, pushes and syncs are looked at: not in read-only mode."""

    async def run(self) -> None:
        """Until cancelled. A part whose records cannot be used stands still for a while, and the others go on.

        Where one breaks in another way, all end and its error is raised.
        Runs of procedures are processes of their own and go on; those of pushes and syncs are gone on with by the
        next who has the turn.
        """
        runtime, say = self._runtime, self._say
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kept("alerters", lambda: self._look(notifier_of(runtime, say), "alerters")))
            tasks.create_task(self._act())
            if self._evaluates:
                tasks.create_task(ServerFollower(runtime).run())
                tasks.create_task(self._kept("alerts", self._evaluate))

    def looked(self) -> dict[str, float]:
        """By part that runs: Unix time of its last look."""
        now, monotonic = time.time(), time.monotonic()
        return {name: now - (monotonic - part.looked) for name, part in self._parts.items() if part.looked}

    def still(self) -> dict[str, float]:
        """By part whose records cannot be used: Unix time since when it stands still."""
        return dict(self._still)

    async def _kept(self, name: str, begin: Callable[[], Awaitable[None]]) -> None:
        """Have a part run; where its records cannot be used (damaged, disk full) it begins anew after a while."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                well = loop.call_later(_AGAIN, self._goes_on, name)
                try:
                    await begin()
                    return
                except StoreError as error:
                    self._stands_still(name, error)
                except ExceptionGroup as errors:
                    told = told_by(errors)
                    if not isinstance(told, StoreError):
                        raise
                    self._stands_still(name, told)
                finally:
                    well.cancel()
                await asyncio.sleep(_AGAIN)
        finally:
            self._still.pop(name, None)

    def _stands_still(self, name: str, error: StoreError) -> None:
        if name not in self._still:
            self._still[name] = time.time()
            self._say(f"{name}: {error}; tried again every {_AGAIN:g} s, everything else goes on")

    def _goes_on(self, name: str) -> None:
        if self._still.pop(name, None) is not None:
            self._say(f"{name}: it goes on")

    async def _evaluate(self) -> None:
        """Look for alerts."""
        runtime = self._runtime
        async with asyncio.TaskGroup() as tasks:
            more = MoreSurveys(runtime, await asyncio.to_thread(runtime.alerts.last_look))
            watcher = AlertWatcher(runtime.fleet.state, runtime.alerts, self._say, more.latest)
            tasks.create_task(more.run())
            tasks.create_task(self._look(watcher, "alerts"))

    async def _look(self, part: Looking, name: str) -> None:
        self._parts[name] = part
        try:
            await part.run()
        finally:
            self._parts.pop(name, None)

    async def _act(self) -> None:
        """What changes servers: nothing of it is done in read-only mode, which can be switched at any time."""
        while True:
            while self._runtime.settings.read_only:  # noqa: ASYNC110 - the settings are a file of all processes
                await asyncio.sleep(_LOOK)
            acting = asyncio.create_task(self._acting())
            self.acting.set()
            try:
                while not self._runtime.settings.read_only and not acting.done():
                    await asyncio.wait({acting}, timeout=_LOOK)
                if acting.done():
                    acting.result()
                self._say("read-only mode is on: schedules, pushes and syncs wait")
            finally:
                self.acting.clear()
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    async def _acting(self) -> None:
        runtime, say = self._runtime, self._say
        runs = RunStore(runtime.state_dir.runs)
        async with asyncio.TaskGroup() as tasks:
            for name, begin in (
                ("schedules", lambda: self._schedule(runs)),
                ("syncs", lambda: self._look(SyncWatcher(runtime, runs, say), "syncs")),
                ("builds", lambda: FollowKeeper(runtime, say).run()),
                ("pushes", lambda: self._push(runs)),
            ):
                tasks.create_task(self._kept(name, begin))

    async def _schedule(self, runs: RunStore) -> None:
        with closing(slots_of(self._runtime)) as slots:
            await self._look(scheduler_of(self._runtime, slots, runs, self._say), "schedules")

    async def _push(self, runs: RunStore) -> None:
        runtime = self._runtime
        with closing(PushStore(runtime.state_dir.pushes)) as pushes:
            async with asyncio.TaskGroup() as tasks:
                for loop in push_loops(runtime, lambda: runtime.settings, pushes, runs, self._say):
                    tasks.create_task(loop)


class Looking(Protocol):
    """A part that looks again and again."""

    looked: float
    """Monotonic time of the last look; 0 = none yet."""

    async def run(self) -> None:
        """Until cancelled."""
        ...


def slots_of(runtime: Runtime) -> SlotStore:
    """The slots of schedules, to be closed."""
    return SlotStore(runtime.state_dir.runs / "slots.db")


def scheduler_of(runtime: Runtime, slots: SlotStore, runs: RunStore, say: Callable[[str], None]) -> Scheduler:
    """What starts procedures when they are due."""
    return Scheduler(runtime.state_dir, lambda: runtime.procedures().known().values(), slots, runs, say)


def notifier_of(runtime: Runtime, say: Callable[[str], None]) -> Notifier:
    """What tells alerters."""
    queue = DeliveryQueue(runtime.alerts)
    return Notifier(runtime.definitions, queue, lambda: runtime.values.lookup("", ""), say)
