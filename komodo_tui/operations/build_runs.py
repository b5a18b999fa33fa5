"""A build from its plan to what follows: its whole log kept, its image brought on, what uses it deployed again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, NotFoundError
from komodo_tui.domain.text import clean
from komodo_tui.operations.build_history import run_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.operations.deployment_definitions import Deployables
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.store.build_logs import BuildLogs
    from komodo_tui.store.history import History

    Submit = Callable[[Plan], Awaitable[ActionRecord]]
    """How a front end does a plan that was agreed to together with the build."""

_ANSWER = 5.0
"""Seconds a server may take to be there for a log."""


@dataclass(frozen=True)
class FollowUp:
    """One thing that was to be done after a build."""

    what: str
    record: ActionRecord | None = None
    """None: it was not begun."""
    error: KomodoError | None = None

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.record is not None and self.record.outcome == "success"


class BuildFollower:
    """What comes after a build that succeeded."""

    def __init__(self, executor: Executor, preparer: StackPreparer, deployables: Deployables) -> None:
        self._executor = executor
        self._preparer = preparer
        self._deployables = deployables

    def places(self, build: BuildDefinition) -> tuple[str, ...]:
        """The servers that are needed then. Raises UsageError, NotFoundError."""
        found: dict[str, None] = {}
        for name in build.redeploy_on_build:
            found |= dict.fromkeys(self._preparer.places(self._deployables.find(name)))
        return tuple(found)

    async def follow(self, build: BuildDefinition, submit: Submit) -> list[FollowUp]:
        """Deploy what is attached, one after the other; nothing after one that did not end well."""
        done: list[FollowUp] = []
        for name in build.redeploy_on_build:
            bad = next((one for one in done if not one.ok), None)
            if bad is not None:
                error = KomodoError(f"not begun, since {bad.what} did not end well")
                done.append(FollowUp(f"redeploy {name}", error=error))
                continue
            done.append(await self._redeploy(name, submit))
        return done

    async def _redeploy(self, name: str, submit: Submit) -> FollowUp:
        what = f"redeploy {name}"
        try:
            operation = await self._preparer.deploy(await asyncio.to_thread(self._deployables.find, name))
            return FollowUp(what, await submit(self._executor.plan(operation)))
        except KomodoError as error:
            return FollowUp(what, error=error)


class BuildOutput:
    """The whole output of a build, wherever it is kept."""

    def __init__(self, fleet: FleetManager, logs: BuildLogs, history: History) -> None:
        self._fleet = fleet
        self._logs = logs
        self._history = history

    async def keep(self, record: ActionRecord) -> None:
        """Fetch the whole log from its agent, and keep it. What cannot be had is let go: the history has its end."""
        run = run_of(record)
        if not run.job:
            return
        try:
            log = await self._of_agent(run)
            await asyncio.to_thread(self._logs.write, run.name, run.id, log)
        except KomodoError:
            return

    async def read(self, run: BuildRun) -> str:
        """All of it, or the end of it that the history has.

        Raises:
            StoreError: the history cannot be read.
        """
        kept = await asyncio.to_thread(self._logs.read, run.name, run.id)
        if kept is not None:
            return _text(kept)
        try:
            return _text(await self._of_agent(run))
        except KomodoError:
            record = await asyncio.to_thread(self._history.get, run.id)
            return record.steps[0].output if record.steps else ""

    async def _of_agent(self, run: BuildRun) -> bytes:
        """Raises KomodoError where it is not to be had."""
        client = await self._fleet.link(run.server).client(timeout=_ANSWER)
        if not (await client.job(run.job)).started:
            raise NotFoundError("the agent knows no such job", server=run.server)
        parts: list[bytes] = []
        size = 0
        while True:
            data, _ = await client.job_log(run.job, size)
            if not data:
                return b"".join(parts)
            parts.append(data)
            size += len(data)


def _text(log: bytes) -> str:
    return "\n".join(clean(line) for line in log.decode("utf-8", "replace").split("\n"))


def not_well(done: Sequence[FollowUp]) -> list[FollowUp]:
    """Those that did not end well."""
    return [one for one in done if not one.ok]
