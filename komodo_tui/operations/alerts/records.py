"""What alerts are about besides live state: builds, procedures, schedules, syncs, drift, replaced images.

Read now and then, and kept until the next reading: the evaluator takes what is known at each of its looks.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.alerts import HERE, Scope, Subject
from komodo_tui.domain.alerts_projects import project_readings
from komodo_tui.domain.alerts_readings import Reading, Survey
from komodo_tui.domain.alerts_survey import RECENT
from komodo_tui.domain.errors import KomodoError
from komodo_tui.operations.alerts.definitions import LogRuleDefinitions
from komodo_tui.operations.alerts.watcher import NOTHING
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_history import NOT_FOLLOWED, BuildHistory
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.store.sync_bases import SyncBases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from komodo_tui.domain.levels import Level
    from komodo_tui.domain.log_rules import LogRule
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.image_updates import ImageUpdates
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.history import History
    from komodo_tui.store.paths import StateDirectory

_RECORDS_EVERY = 15.0
_PROJECTS_EVERY = 120.0
_UNSEEN = 600.0
"""Seconds for which a repository cannot be looked at before that is trouble."""
_AT_ONCE = 8
_FEW = 5
"""Newest runs that are looked at for the last that ended."""
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_NOT_WELL = ("failed", "interrupted", "rolled_back", "rollback_failed")


class Runtime(Protocol):
    """Where it is read from."""

    @property
    def state_dir(self) -> StateDirectory: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def definitions(self) -> DefinitionStore: ...
    @property
    def history(self) -> History: ...
    @property
    def fleet(self) -> FleetManager: ...
    @property
    def updates(self) -> ImageUpdates: ...
    def procedures(self) -> ProcedureDefinitions:
        """The procedures, read at each call."""
        ...


class RecordSurvey:
    """:meth:`run` reads, :meth:`latest` tells. What failed long before anybody watched is no news."""

    def __init__(self, runtime: Runtime, last_look: float | None) -> None:
        """``last_look``: Unix time at which somebody evaluated alerts last; None = never."""
        self._runtime = runtime
        self._follow_ups = FollowUpStore(runtime.state_dir.follow_ups)
        self._news_from = (last_look if last_look is not None else time.time()) - RECENT
        self._records = NOTHING
        self._projects: dict[str, list[Reading]] = {}
        self._asked = float("-inf")
        self.log_rules: tuple[LogRule, ...] = ()
        """Those that are defined, as of the last reading."""

    def latest(self) -> Survey:
        """All that is known now."""
        readings = [*self._records.readings, *(one for found in self._projects.values() for one in found)]
        told: set[tuple[str, Scope]] = {*self._records.told, *((server, "compose") for server in self._projects)}
        if self._runtime.settings.alerts.updates:
            readings += self._replaced()
            told |= {(name, "registry") for name in self._runtime.updates.asked()}
        else:  # what was open is over: nobody looks for it any more
            told |= {(name, "registry") for name in self._servers()}
        return Survey(readings, frozenset(told), frozenset({HERE}))

    async def run(self) -> None:
        """Read again and again, until cancelled. What cannot be read stays as it was known."""
        while True:
            await self.read()
            if time.monotonic() - self._asked >= _PROJECTS_EVERY:
                self._asked = time.monotonic()
                await self.ask_projects()
            if self._runtime.settings.alerts.updates:
                self._runtime.updates.look()
            await asyncio.sleep(_RECORDS_EVERY)

    async def read(self) -> None:
        """Read our own records once."""
        with suppress(KomodoError):  # the stores tell of their damage themselves
            self._records = await asyncio.to_thread(self._read)
            self.log_rules = await asyncio.to_thread(self._read_log_rules)

    # -- our own records ----------------------------------------------------------------------------------------

    def _read(self) -> Survey:
        """Builds, procedures, schedules, syncs and pushes. Blocks. Raises StoreError."""
        readings = [*self._builds(), *self._procedures(), *self._syncs(), *self._pushes()]
        return Survey(readings, frozenset({(HERE, "records")}), frozenset({HERE}))

    def _read_log_rules(self) -> tuple[LogRule, ...]:
        return tuple(LogRuleDefinitions(self._runtime.definitions).known().values())

    def _builds(self) -> Iterator[Reading]:
        history = BuildHistory(self._runtime.history, self._follow_ups)
        for name in BuildDefinitions(self._runtime.definitions).known():
            last = next((run for run in history.runs(name, _FEW) if run.ended is not None), None)
            if last is not None and last.ended is not None and last.outcome in _NOT_WELL:
                why = last.failed_step or last.error or last.outcome
                yield self._bad("build", name, "warning", f"{last.version}: {why}", last.ended)
            elif last is not None and last.state == NOT_FOLLOWED and last.follow_up is not None:
                text = f"{last.version} is built, but {last.why}"
                yield self._bad("build", name, "warning", text, last.follow_up.ended or time.time())

    def _procedures(self) -> Iterator[Reading]:
        runs = RunStore(self._runtime.state_dir.runs)
        slots = SlotStore(self._runtime.state_dir.runs / "slots.db")
        try:
            for name, definition in self._runtime.procedures().known().items():
                level: Level = "critical" if definition.schedule else "warning"
                ended = next((run for run in runs.runs(name, limit=_FEW) if run.ended is not None), None)
                if ended is not None and ended.ended is not None and ended.outcome in _NOT_WELL:
                    text = f"run {ended.run} {ended.outcome}: {ended.summary}".rstrip(": ")
                    yield self._bad("procedure", name, level, text, ended.ended)
                slot = slots.last(name, time.time()) if definition.schedule else None
                if slot is not None and slot.result and not _RUN.fullmatch(slot.result):
                    yield self._bad("schedule", name, "warning", slot.result, slot.at)
        finally:
            runs.close()
            slots.close()

    def _syncs(self) -> Iterator[Reading]:
        bases = SyncBases(self._runtime.state_dir.syncs)
        for name, sync in SyncDefinitions(self._runtime.definitions).known().items():
            base = bases.shown(name)
            if base.problem:
                yield self._bad("sync", name, "warning", base.problem, base.looked)
            elif base.conflicts:
                yield self._bad("sync", name, "warning", f"{base.conflicts} changed here and in the files", base.looked)
            for where in base.drifted if not sync.automatic or not sync.deploy else ():
                stack, _, server = where.rpartition("@")
                text = f"it does not run as the files of sync {name} say"
                yield Reading(Subject(server, "drift", stack), "warning", "warning", None, text)

    def _pushes(self) -> Iterator[Reading]:
        """Those whose newest one failed, or that nobody can look for any more."""
        path = self._runtime.state_dir.pushes
        if not path.exists():
            return
        store = PushStore(path)
        try:
            newest, seen = store.newest(), store.seen()
        finally:
            store.close()
        for name in RepoDefinitions(self._runtime.definitions).known():
            push, branch = newest.get(name), seen.get(name)
            if push is not None and push.state == "failed":
                yield self._bad("push", name, "warning", f"{push.commit[:8]} {push.note}".strip(), push.ended)
            elif branch is not None and branch.problem and time.time() - branch.since >= _UNSEEN:
                yield self._bad("push", name, "warning", f"not looked for: {branch.problem}", branch.since + _UNSEEN)

    def _bad(self, kind: str, name: str, level: Level, text: str, at: float) -> Reading:
        subject = Subject(HERE, kind, name)  # type: ignore[arg-type]  # one of those above
        return Reading(subject, level, level, None, text, old=at < self._news_from)

    # -- agents -------------------------------------------------------------------------------------------------

    async def ask_projects(self) -> None:
        """Ask the agents once for the compose projects that do not run as they were deployed."""
        turns = asyncio.Semaphore(_AT_ONCE)
        names = [name for name, live in self._servers().items() if live.engine_live]
        self._projects = {name: found for name, found in self._projects.items() if name in self._servers()}

        async def one(name: str) -> None:
            async with turns:
                try:
                    client = await self._runtime.fleet.link(name).client()
                    projects = await client.compose_projects()
                except KomodoError:
                    return  # known from elsewhere; what was known of its projects stays
            self._projects[name] = [
                reading for project in projects for reading in project_readings(name, project, self._news_from)
            ]

        await asyncio.gather(*map(one, names))

    def _replaced(self) -> Iterator[Reading]:
        for outdated in self._runtime.updates.available():
            subject = Subject(outdated.server, "update", outdated.container.name)
            yield Reading(subject, "warning", "warning", None, f"{outdated.container.image} has a newer image")

    def _servers(self) -> Mapping[str, ServerLive]:
        return self._runtime.fleet.state.servers
