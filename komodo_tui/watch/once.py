"""One look at everything, for cron: what is due is begun, seen through where it is ours, and reported."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.operations.alerts.surveys import MoreSurveys
from komodo_tui.operations.alerts.watcher import AlertWatcher
from komodo_tui.operations.build_keeper import FollowKeeper
from komodo_tui.operations.pushes.watch import pushes_once
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.watching import SyncWatcher
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.sync_bases import SyncBases
from komodo_tui.watch.loops import notifier_of, scheduler_of, slots_of
from komodo_tui.watch.timetable import is_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.store.slots import SlotStore
    from komodo_tui.watch.loops import Runtime

_EARLY = 30.0
"""Seconds by which a sync may be looked at before its time: cron does not come to the second."""
_RECENT = 200


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found and did with one thing."""

    name: str
    ok: bool
    text: str
    """A run's id, what a sync differs in, why something failed."""


class Report(msgspec.Struct, kw_only=True):
    """Of one look. Only what was due stands in it."""

    schedules: list[Looked] = []
    pushes: list[Looked] = []
    repos: list[Looked] = []
    """Repos that cannot be looked at."""
    builds: list[Looked] = []
    """What was to follow builds whose program had ended."""
    syncs: list[Looked] = []
    alerts: list[str] = []
    """What opened, grew worse or ended."""
    watched: str = ""
    """Who watches all the time, so that nothing was done here."""

    @property
    def failed(self) -> list[Looked]:
        """What was not as it should be. Alerts are none of it: they are what was looked for."""
        return [one for one in (*self.schedules, *self.pushes, *self.repos, *self.builds, *self.syncs) if not one.ok]


class OnceLook:
    """Looks once; the turn is held meanwhile."""

    def __init__(self, runtime: Runtime, say: Callable[[str], None], connected: Callable[[], Awaitable[None]]) -> None:
        """``connected`` connects the servers, once, and waits until each is there or known to be away."""
        self._runtime = runtime
        self._say = say
        self._connected = connected
        self._runs = RunStore(runtime.state_dir.runs)
        self.report = Report()

    async def run(self) -> Report:
        """Schedules first: they wait for no server. Raises StoreError."""
        await self._schedules()
        await self._connected()
        await self._pushes()
        await self._builds()
        await self._syncs()
        await self._alerts()
        return self.report

    async def _schedules(self) -> None:
        with closing(slots_of(self._runtime)) as slots:
            before = await asyncio.to_thread(self._last, slots)
            await scheduler_of(self._runtime, slots, self._runs, self._say).once()
            after = await asyncio.to_thread(self._last, slots)
        for name, (at, result) in after.items():
            if before.get(name, (0.0, ""))[0] != at:
                self.report.schedules.append(Looked(name=name, ok=is_run(result), text=result))

    def _last(self, slots: SlotStore) -> dict[str, tuple[float, str]]:
        known = self._runtime.procedures().known().values()
        found = {
            definition.name: slots.last(definition.name, time.time()) for definition in known if definition.schedule
        }
        return {name: (slot.at, slot.result) for name, slot in found.items() if slot is not None}

    async def _pushes(self) -> None:
        began = time.time()
        with closing(PushStore(self._runtime.state_dir.pushes)) as store:
            await pushes_once(self._runtime, store, self._runs, self._say)
            recent, seen = await asyncio.to_thread(lambda: (store.recent(limit=_RECENT), store.seen()))
        for push in recent:
            if push.ended >= began:
                text = f"{push.commit[:12] or push.branch}: {push.note or push.state}"
                self.report.pushes.append(Looked(name=push.repo, ok=push.state == "done", text=text))
        polled = {name for name, repo in RepoDefinitions(self._runtime.definitions).known().items() if repo.poll}
        for name, branch in seen.items():
            if name in polled and branch.problem:
                self.report.repos.append(Looked(name=name, ok=False, text=branch.problem))

    async def _builds(self) -> None:
        for name, steps in await FollowKeeper(self._runtime, self._say, grace=0.0).once():
            self.report.builds += [
                Looked(name=name, ok=one.ok, text=f"{one.what}: {one.why or 'done'}") for one in steps
            ]

    async def _syncs(self) -> None:
        syncs = await asyncio.to_thread(SyncDefinitions(self._runtime.definitions).known)
        bases = SyncBases(self._runtime.state_dir.syncs)
        now = time.time()

        def due(sync: SyncDefinition) -> bool:
            return not 0 <= now - bases.shown(sync.name).looked < parse_duration(sync.every) - _EARLY

        wanted = [sync for sync in syncs.values() if await asyncio.to_thread(due, sync)]
        watcher = SyncWatcher(self._runtime, self._runs, self._say)
        for name, (ok, text) in (await watcher.once(wanted)).items():
            self.report.syncs.append(Looked(name=name, ok=ok, text=text))

    async def _alerts(self) -> None:
        """What is so now, and was so at the look before, counts as lasting in between."""
        runtime = self._runtime
        more = MoreSurveys(runtime, await asyncio.to_thread(runtime.alerts.last_look))
        await more.once()
        watcher = AlertWatcher(runtime.fleet.state, runtime.alerts, self._alert, more.latest)
        await watcher.once(runtime.state_dir.root / "alerts-once.json")
        await notifier_of(runtime, self._say).look()  # also of what an open screen found, which tells nobody

    def _alert(self, text: str) -> None:
        self.report.alerts.append(text)
        self._say(text)
