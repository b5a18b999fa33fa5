"""Steps that build images, and do what their definitions say is to follow."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import BuildOperation, builders_of
from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures.words import words
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_follow import follower_of, not_well
from komodo_tui.operations.build_history import BuildHistory
from komodo_tui.operations.build_prepare import BuildPreparer, pick_server
from komodo_tui.operations.build_runs import BuildOutput
from komodo_tui.operations.intents import read_operation
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.targets import Picked, pick_named, pick_servers
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.build_logs import BuildLogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.domain.procedures import steps
    from komodo_tui.operations.procedures.parts import Environment, RunParts, Submit


async def pick_builds(step: steps.Build, parts: RunParts) -> Picked:
    """The builds that the words fit, each on the least loaded of its servers, of those that are named.

    Raises:
        NotFoundError, UsageError: a name is not known, or a build may be built nowhere.
        UnreachableError: no server it may be built on is there.
    """
    known = await _known(parts)
    names = pick_named(step.build, [(name, build.tags) for name, build in known.items()], "build")
    servers, _ = pick_servers(step.servers, parts)
    allowed = {live.name: live.definition for live in servers}
    picked = Picked()
    for name in names:
        places = [place for place in builders_of(known[name], allowed) if place in allowed]
        picked.targets.append(Target(server=pick_server(known[name], places, parts.state), name=name))
    if not names:
        picked.problem = f"nothing matches build {' '.join(words(step.build))}"
    return picked


async def build_works(
    step: steps.Build, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """One act a build. Raises KomodoError."""
    known, runtime = await _known(parts), parts.runtime
    preparer = BuildPreparer(RepoDefinitions(runtime.definitions), runtime.values, BuildHistory(runtime.history))
    works = []
    for target in targets:
        build = known[target.name]
        operation = await asyncio.to_thread(
            partial(preparer.prepare, build, target.server, step.version, follow_up=step.follow_up)
        )
        works.append(Work(operation, (target,), _Then(operation, parts)))
    return works


async def build_rest(step: steps.Build, record: ActionRecord, parts: RunParts, run: str) -> None:
    """What was to follow a build, where the process that ran it has ended. Raises KomodoError."""
    operation = read_operation(record)
    if isinstance(operation, BuildOperation):
        await _Then(operation, parts)(record, _Submitting(parts, run))


async def _known(parts: RunParts) -> dict[str, BuildDefinition]:
    return await asyncio.to_thread(BuildDefinitions(parts.runtime.definitions).known)


class _Then:
    """What comes after one build."""

    def __init__(self, operation: BuildOperation, parts: RunParts) -> None:
        self._operation = operation
        self._parts = parts

    async def __call__(self, record: ActionRecord, submit: Submit) -> None:
        """Do it. Raises ActError where it did not go well."""
        runtime = self._parts.runtime
        await BuildOutput(runtime.fleet, BuildLogs(runtime.state_dir.root), runtime.history).keep(record)
        if record.outcome != "success" or not self._operation.follow_up:
            return
        bad = not_well(await follower_of(runtime).follow(self._operation.build, record, submit))
        if bad:
            raise ActError(f"it is built, but {bad[0].what}: {bad[0].why}")


class _Submitting:
    """Does plans for a run, outside of an attempt."""

    def __init__(self, parts: RunParts, run: str) -> None:
        self._parts = parts
        self._run = run

    async def __call__(self, plan: Plan, act_id: str = "") -> ActionRecord:
        """What was agreed to together with the build."""
        return await self._parts.executor.submit(
            plan, self._parts.actor, given=plan.phrase or True, act_id=act_id, run=self._run
        )
