"""A build from its plan to what follows: its whole log kept, its image brought on, what uses it deployed again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import pushed_name
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError
from komodo_tui.domain.resources import ResourceOperation, ResourceTarget
from komodo_tui.domain.servers import named_servers
from komodo_tui.domain.text import clean
from komodo_tui.operations.build_history import run_of
from komodo_tui.operations.ship_plans import prepare_ship

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord, Operation, Plan
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.operations.deployment_definitions import Deployables
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.store.build_logs import BuildLogs
    from komodo_tui.store.history import History

    Prepare = Callable[[], Awaitable[Operation]]
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
    """What comes after a build that succeeded: ship, push, redeploy, in this order."""

    def __init__(
        self,
        fleet: FleetManager,
        executor: Executor,
        preparer: StackPreparer,
        deployables: Deployables,
        known: Callable[[], Mapping[str, ServerDefinition]],
    ) -> None:
        """``known`` reads the servers' definitions."""
        self._fleet = fleet
        self._executor = executor
        self._preparer = preparer
        self._deployables = deployables
        self._known = known

    def places(self, build: BuildDefinition) -> tuple[str, ...]:
        """The servers that are needed then. Blocks. Raises UsageError, NotFoundError."""
        return tuple(dict.fromkeys((*self._shipped_to(build), *self._deployed_on(build))))

    async def follow(self, build: BuildDefinition, record: ActionRecord, submit: Submit) -> list[FollowUp]:
        """Do it, one thing after the other; nothing after one that did not end well."""
        run = run_of(record)
        done: list[FollowUp] = []
        for what, prepare in self._wanted(build, run, await asyncio.to_thread(self._shipped_to, build)):
            bad = next((one for one in done if not one.ok), None)
            if bad is not None:
                done.append(FollowUp(what, error=ActError(f"not begun, since {bad.what} did not end well")))
                continue
            try:
                operation = await prepare()
                done.append(FollowUp(what, await submit(self._executor.plan(operation))))
            except KomodoError as error:
                done.append(FollowUp(what, error=error))
        return done

    def _wanted(self, build: BuildDefinition, run: BuildRun, shipped: Sequence[str]) -> Iterator[tuple[str, Prepare]]:
        servers = [server for server in shipped if server != run.server]
        if servers:
            yield (
                f"ship to {', '.join(servers)}",
                lambda: prepare_ship(self._fleet, run.image, servers, run.server, tags=run.references),
            )
        if build.registries:
            domains = ", ".join(registry.domain for registry in build.registries)
            yield f"push to {domains}", lambda: _push(build, run)
        for name in build.redeploy_on_build:
            yield f"redeploy {name}", lambda name=name: self._redeploy(name)  # type: ignore[misc]

    def _shipped_to(self, build: BuildDefinition) -> tuple[str, ...]:
        """Those that are named; and where the image is in no registry, those that are to run it."""
        named = named_servers(f"build {build.name}: ship", build.ship, self._known())
        return named if build.registries else tuple(dict.fromkeys((*named, *self._deployed_on(build))))

    def _deployed_on(self, build: BuildDefinition) -> Iterator[str]:
        for name in build.redeploy_on_build:
            yield from self._preparer.places(self._deployables.find(name))

    async def _redeploy(self, name: str) -> Operation:
        return await self._preparer.deploy(await asyncio.to_thread(self._deployables.find, name))


async def _push(build: BuildDefinition, run: BuildRun) -> Operation:
    tags = [reference.rpartition(":")[2] for reference in run.references]
    names = [pushed_name(build, registry) for registry in build.registries]
    target = ResourceTarget(kind="image", server=run.server, id=run.image, name=run.references[0] if tags else "")
    return ResourceOperation(
        verb="push", targets=(target,), references=tuple(f"{name}:{tag}" for name in names for tag in tags)
    )


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
