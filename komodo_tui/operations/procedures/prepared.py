"""Steps whose operation has to be asked for first: stacks are previewed, resources are listed, then acted on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.repos import RepoOperation, servers_of
from komodo_tui.domain.resources import PruneRule, ResourceOperation, prunable, target_of
from komodo_tui.operations.procedures.targets import Picked, pick_servers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.repos import RepoVerb
    from komodo_tui.domain.operations import Operation
    from komodo_tui.domain.resources import ResourceTarget
    from komodo_tui.domain.stacks import StackVerb
    from komodo_tui.operations.procedures.parts import RunParts

_PATIENCE = 10.0
"""Seconds a server may take to be connected."""
_VERBS: dict[type[steps.OnStack], StackVerb] = {
    steps.StartStack: "start", steps.StopStack: "stop", steps.RestartStack: "restart", steps.DestroyStack: "destroy",
}  # fmt: skip


def pick_stack(step: steps.OnStack, parts: RunParts) -> Picked:
    """The servers of a stack, or those of them that are named. Raises NotFoundError, UsageError."""
    stack = parts.stacks.stored(step.stack).value
    servers, named = pick_servers(step.servers, parts.fleet.state)
    return _on(parts.preparer.places(stack, [live.name for live in servers] if named else ()), step.stack, parts)


def pick_repo(step: steps.OnRepo, parts: RunParts) -> Picked:
    """The servers of a repo, or those of them that are named. Raises NotFoundError, UsageError."""
    repo = parts.repos.stored(step.repo).value
    servers, named = pick_servers(step.servers, parts.fleet.state)
    wanted = {live.name for live in servers}
    its = servers_of(repo, {name: live.definition for name, live in parts.fleet.state.servers.items()})
    strange = sorted(wanted - set(its)) if named else []
    if strange:
        raise UsageError(f"repo {repo.name} is not on {strange[0]!r}", hint=f"it is on {', '.join(its)}")
    return _on([name for name in its if name in wanted], repo.name, parts)


def _on(servers: Iterable[str], name: str, parts: RunParts) -> Picked:
    picked = Picked()
    for server in servers:
        live = parts.fleet.state.servers[server]
        if live.live:
            picked.targets.append(Target(server=server, name=name))
        else:
            picked.away.append(live)
    return picked


async def prepared(
    step: steps.OnStack | steps.OnRepo | steps.Prune, parts: RunParts, servers: tuple[str, ...]
) -> Operation | None:
    """The operation on these servers; None where there is nothing to do. Raises KomodoError."""
    if isinstance(step, steps.Prune):
        return await _prune(step, parts, servers)
    if isinstance(step, steps.OnRepo):
        verb: RepoVerb = "pull" if isinstance(step, steps.RepoPull) else "clone"
        make = isinstance(step, steps.RepoPull) and step.clone
        return RepoOperation(verb=verb, repo=parts.repos.stored(step.repo).value, servers=servers, make=make)
    stack = parts.stacks.stored(step.stack).value
    if isinstance(step, steps.Deploy):
        if step.only_if_changed:
            previews = await asyncio.gather(*(parts.preparer.preview(stack, server) for server in servers))
            servers = tuple(s for s, preview in zip(servers, previews, strict=True) if preview.changes)
            if not servers:
                return None
        return await parts.preparer.deploy(stack, servers, pull=step.pull or None)
    if isinstance(step, steps.RollbackStack):
        return await parts.preparer.rollback(stack, servers, step.revision)
    return await parts.preparer.act(_VERBS[type(step)], stack.name, stack.project_name, servers)


async def _prune(step: steps.Prune, parts: RunParts, servers: tuple[str, ...]) -> ResourceOperation | None:
    rule = PruneRule(
        images=step.images, networks=step.networks, volumes=step.volumes, keep_labels=words(step.keep_labels),
        older_than=parse_duration(step.older_than),
    )  # fmt: skip

    async def one(server: str) -> list[ResourceTarget]:
        client = await parts.fleet.link(server).client(_PATIENCE)
        return [target_of(server, found) for found in prunable(await client.resources(), rule, time.time())]

    targets = [target for found in await asyncio.gather(*map(one, servers)) for target in found]
    return ResourceOperation(verb="prune", targets=tuple(targets)) if targets else None
