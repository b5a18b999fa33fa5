"""What the Builds page knows: definitions and past builds read in threads, those under way by the agents' feeds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_history import BuildHistory
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.ui.definitions.asking import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from komodo_agent.wire.jobs import Job
    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.fleet.live import Changes
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_RUNS = 400
"""Builds that are looked back on, of all definitions together."""
_AGAIN = 3.0
"""Seconds after which everything is read again."""
_KEPT = 100
"""Of one."""


class BuildRow(NamedTuple):
    """A build and how it went."""

    definition: BuildDefinition
    runs: tuple[BuildRun, ...] = ()
    """The newest first."""
    job: Job | None = None
    """Of the agent that builds it now."""
    server: str = ""
    """Where."""

    @property
    def last(self) -> BuildRun | None:
        """The newest."""
        return self.runs[0] if self.runs else None

    @property
    def good(self) -> BuildRun | None:
        """The newest that succeeded."""
        return next((run for run in self.runs if run.outcome == "success"), None)

    @property
    def state(self) -> str:
        """``running``, the state of the last one, or empty: it was never built."""
        if self.job is not None:
            return "running"
        return self.last.state if self.last is not None else ""


class _Read(NamedTuple):
    definitions: dict[str, BuildDefinition]
    runs: dict[str, tuple[BuildRun, ...]]


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


class BuildBook:
    """``changed`` is called when there is news."""

    def __init__(self, runtime: Runtime, shell: Shell, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._changed = changed
        self._history = BuildHistory(runtime.history, FollowUpStore(runtime.state_dir.follow_ups))
        self._reading = Reading(shell, self._read, self._take)
        self._jobs: dict[str, bool] = {}
        self._looked = 0.0
        self._read_at: tuple[object, ...] = ()
        self.read = False
        self._known = _Read({}, {})

    def look(self) -> None:
        """Read everything anew."""
        self._looked = time.monotonic()
        self._reading.look()

    def tick(self, changes: Changes) -> None:
        """Read again where a build has begun or ended, and now and then: others write definitions and history too."""
        jobs = {job.id: job.ended for _, job in self._build_jobs()}
        late = time.monotonic() - self._looked >= _AGAIN
        if jobs != self._jobs or (late and not self._reading.under_way):
            self._jobs = jobs
            self.look()

    def _read(self) -> _Read | None:
        """None: nothing was written since the last time. In a thread."""
        stamp = self._stamp()
        if stamp == self._read_at:
            return None
        self._read_at = stamp
        runs: dict[str, list[BuildRun]] = {}
        for run in self._history.runs(limit=_RUNS):
            found = runs.setdefault(run.name, [])
            if len(found) < _KEPT:
                found.append(run)
        return _Read(
            BuildDefinitions(self._runtime.definitions).known(), {name: tuple(found) for name, found in runs.items()}
        )

    def _take(self, found: _Read | None) -> None:
        if found is not None:
            self._known, self.read = found, True
            self._changed()

    def _stamp(self) -> tuple[object, ...]:
        """Another one whenever something of it may have been written."""
        paths = self._runtime.state_dir
        files = (paths.definitions, paths.follow_ups, paths.follow_ups.with_name(f"{paths.follow_ups.name}-wal"))
        return (self._runtime.history.version(), *(_written(path) for path in files))

    def _build_jobs(self) -> list[tuple[str, Job]]:
        servers = self._runtime.fleet.state.servers
        return [(name, job) for name, live in servers.items() for job in live.jobs.values() if job.kind == "build"]

    def rows(self) -> Mapping[str, BuildRow]:
        """Every build, by name."""
        working = {job.target: (server, job) for server, job in self._build_jobs() if not job.ended}
        rows = {}
        for name, definition in self._known.definitions.items():
            server, job = working.get(name, ("", None))
            rows[name] = BuildRow(definition, self._known.runs.get(name, ()), job, server)
        return rows
