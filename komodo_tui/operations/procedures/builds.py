"""Steps that build images, and do what their definitions say is to follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import builders_of
from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures.words import words
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_history import BuildHistory
from komodo_tui.operations.build_prepare import BuildPreparer, pick_server
from komodo_tui.operations.build_runs import BuildFollower, BuildOutput, not_well
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.targets import Picked, pick_named, pick_servers
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.build_logs import BuildLogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.procedures import steps
    from komodo_tui.operations.build_runs import Submit
    from komodo_tui.operations.procedures.parts import Environment, RunParts


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
        operation = await asyncio.to_thread(preparer.prepare, build, target.server, step.version)
        works.append(Work(operation, (target,), _Then(build, parts, follow_up=step.follow_up)))
    return works


async def _known(parts: RunParts) -> dict[str, BuildDefinition]:
    return await asyncio.to_thread(BuildDefinitions(parts.runtime.definitions).known)


class _Then:
    """What comes after one build."""

    def __init__(self, build: BuildDefinition, parts: RunParts, *, follow_up: bool) -> None:
        self._build = build
        self._parts = parts
        self._follow_up = follow_up

    async def __call__(self, record: ActionRecord, submit: Submit) -> None:
        """Do it. Raises ActError where it did not go well."""
        runtime = self._parts.runtime
        await BuildOutput(runtime.fleet, BuildLogs(runtime.state_dir.root), runtime.history).keep(record)
        if record.outcome != "success" or not self._follow_up:
            return
        known = {name: live.definition for name, live in self._parts.state.servers.items()}
        follower = BuildFollower(
            runtime.fleet, runtime.executor, runtime.preparer, runtime.deployables, lambda: known
        )  # fmt: skip
        bad = not_well(await follower.follow(self._build, record, submit))
        if bad:
            why = bad[0].error.message if bad[0].error else bad[0].record.summary if bad[0].record else ""
            raise ActError(f"it is built, but {bad[0].what}: {why}")
