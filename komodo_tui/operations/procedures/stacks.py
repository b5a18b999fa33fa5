"""Steps on stacks, single-container deployments and repos: several are acted on one after the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_agent.wire.resources import PullImage
from komodo_tui.domain.errors import ActError, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.repos import RepoOperation, servers_of
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.stacks import where_it_changes
from komodo_tui.operations.outcomes import LEFT
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.targets import Picked, pick_named, pick_servers
from komodo_tui.operations.repo_definitions import RepoDefinitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_agent.wire.repos import RepoVerb
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.stacks import StackDefinition, StackOperation, StackVerb
    from komodo_tui.operations.procedures.parts import Environment, RunParts, Submit

_VERBS: dict[type[steps.OnStack], StackVerb] = {
    steps.StartStack: "start", steps.StopStack: "stop", steps.RestartStack: "restart", steps.PauseStack: "pause",
    steps.UnpauseStack: "unpause", steps.DestroyStack: "destroy",
}  # fmt: skip


async def pick_stacks(step: steps.OnStack, parts: RunParts) -> Picked:
    """The stacks that the words fit, each on its servers, or on those of them that are named.

    Raises:
        NotFoundError, UsageError: a name is not known, or one stack does not run on a server that is named.
    """
    known = await asyncio.to_thread(parts.runtime.deployables.known)
    names = pick_named(step.stack, [(name, stack.tags) for name, stack in known.items()], "stack")
    places = {name: parts.runtime.preparer.places(known[name]) for name in names}
    return _placed(step.servers, f"stack {' '.join(words(step.stack))}", places, parts)


async def pick_repos(step: steps.OnRepo, parts: RunParts) -> Picked:
    """The same for repos and their clones."""
    known = await asyncio.to_thread(RepoDefinitions(parts.runtime.definitions).known)
    servers = {name: live.definition for name, live in parts.state.servers.items()}
    names = pick_named(step.repo, [(name, repo.tags) for name, repo in known.items()], "repo")
    places = {name: servers_of(known[name], servers) for name in names}
    return _placed(step.servers, f"repo {' '.join(words(step.repo))}", places, parts)


def _placed(wanted: steps.Words, what: str, places: Mapping[str, Sequence[str]], parts: RunParts) -> Picked:
    picked = Picked()
    servers, named = pick_servers(wanted, parts)
    here = {live.name: live for live in servers}
    its = list(dict.fromkeys(server for servers_of_one in places.values() for server in servers_of_one))
    strange = [name for name in here if name not in its]
    if words(wanted) and named and strange and len(places) == 1:
        raise UsageError(f"{what} is not on {strange[0]!r}", hint=f"it is on {', '.join(its)}")
    for name, on in places.items():
        for server in on:
            if server not in here:
                continue
            if here[server].live:
                picked.targets.append(Target(server=server, name=name))
            else:
                picked.no_answer(here[server], named=True)
    if not picked.targets and not picked.away:
        picked.problem = f"nothing matches {what}"
    return picked


async def repo_works(
    step: steps.OnRepo, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """One act a repo."""
    verb: RepoVerb = "pull" if isinstance(step, steps.RepoPull) else "clone"
    make = isinstance(step, steps.RepoPull) and step.clone
    known = await asyncio.to_thread(RepoDefinitions(parts.runtime.definitions).known)
    return [
        Work(RepoOperation(verb=verb, repo=known[name], servers=tuple(t.server for t in there), make=make), there)
        for name, there in _by_name(targets).items()
    ]


async def stack_works(
    step: steps.OnStack, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """One act a stack; none where nothing would change and that was asked for. Raises KomodoError."""
    works: list[Work] = []
    for name, there in _by_name(targets).items():
        stack = await asyncio.to_thread(parts.runtime.deployables.find, name)
        if isinstance(step, steps.PullStack):
            works += await _pulls(stack, there, parts)
            continue
        at_once = await _at_once(step, stack, there, parts)
        if at_once is not None:
            works.append(at_once)
            continue
        operation = await _operation(step, stack, [t.server for t in there], parts)
        if isinstance(step, steps.DeployIfChanged) or (isinstance(step, steps.Deploy) and step.only_if_changed):
            operation = where_it_changes(operation)
            there = tuple(t for t in there if any(t.server == target.server for target in operation.targets))
        if there:
            works.append(Work(operation, there))
    return works


async def _at_once(
    step: steps.OnStack, stack: StackDefinition, targets: tuple[Target, ...], parts: RunParts
) -> Work | None:
    """A deploy that makes its plan itself; None = it is planned here. On several servers all are asked before one is
    touched."""
    if not (parts.unplanned and isinstance(step, steps.Deploy) and step.only_if_changed and not step.pull):
        return None
    if len(targets) != 1:
        return None
    operation = await parts.runtime.preparer.unplanned(stack, targets[0].server)
    return None if operation is None else Work(operation, targets, _Planned(stack, targets[0].server, parts))


class _Planned:
    """After a deploy that had to leave all as it was, for it takes more than it was sent: the same with a plan."""

    def __init__(self, stack: StackDefinition, server: str, parts: RunParts) -> None:
        self._stack = stack
        self._server = server
        self._parts = parts

    async def __call__(self, record: ActionRecord, submit: Submit) -> None:
        """Do it. Raises KomodoError: it cannot be planned, or did not go well."""
        if not any(step.result.get(LEFT) for step in record.steps):
            return
        runtime = self._parts.runtime
        operation = where_it_changes(await runtime.preparer.deploy(self._stack, [self._server]))
        if operation.targets:
            done = await submit(runtime.executor.plan(operation))
            if done.outcome != "success":
                raise ActError(done.summary or f"it ended as {done.outcome}")


async def _operation(
    step: steps.OnStack, stack: StackDefinition, servers: Sequence[str], parts: RunParts
) -> StackOperation:
    preparer = parts.runtime.preparer
    if isinstance(step, steps.Deploy | steps.DeployIfChanged):
        return await preparer.deploy(stack, servers, pull=step.pull or None)
    if isinstance(step, steps.RollbackStack):
        return await preparer.rollback(stack, servers, step.revision)
    services = words(getattr(step, "services", ()))
    return await preparer.act(_VERBS[type(step)], stack.name, stack.project_name, servers, services=services)


async def _pulls(stack: StackDefinition, targets: tuple[Target, ...], parts: RunParts) -> list[Work]:
    previews = await asyncio.gather(*(parts.runtime.preparer.preview(stack, target.server) for target in targets))
    wanted: dict[str, list[Target]] = {}
    for target, preview in zip(targets, previews, strict=True):
        for image in dict.fromkeys(s.image for s in preview.services if s.image and not s.builds):
            wanted.setdefault(image, []).append(target)
    return [
        Work(ResourceOperation(verb="pull", servers=tuple(t.server for t in there), spec=PullImage(image=image)),
             tuple(there))
        for image, there in wanted.items()
    ]  # fmt: skip


def _by_name(targets: Sequence[Target]) -> dict[str, tuple[Target, ...]]:
    found: dict[str, tuple[Target, ...]] = {}
    for target in targets:
        found[target.name] = (*found.get(target.name, ()), target)
    return found
