"""Steps on images, volumes and networks: pruned, removed, pulled, backed up and restored."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.resources import ClearBuildCache, PullImage
from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import ContainerOperation, Target
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.resource_filter import label_test
from komodo_tui.domain.resources import PruneRule, ResourceOperation, prunable, target_of
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.targets import pick_for_servers, word_test

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from komodo_agent.wire.models import Container
    from komodo_agent.wire.resources import Resource, ResourceKind
    from komodo_tui.domain.operations import Operation
    from komodo_tui.domain.procedures import steps
    from komodo_tui.operations.procedures.parts import Environment, RunParts
    from komodo_tui.operations.procedures.targets import Picked

_PATIENCE = 10.0
"""Seconds a server may take to be connected."""
_STOPPED = ("exited", "dead", "created")
_STAMP = "%Y%m%d-%H%M%S"


async def _listed(server: str, parts: RunParts) -> list[Resource]:
    client = await parts.fleet.link(server).client(_PATIENCE)
    return await client.resources()


# -- prune --------------------------------------------------------------------------------------------------------


async def prune_works(
    step: steps.Prune, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """What nothing uses, by the step's rule: containers first, since they use images."""
    servers = [target.server for target in targets]
    gone = {server: _stopped(step, server, parts) for server in servers}
    listed = await asyncio.gather(*(_listed(server, parts) for server in servers))
    rule = PruneRule(
        images=step.images, networks=step.networks, volumes=step.volumes, keep_labels=words(step.keep_labels),
        older_than=parse_duration(step.older_than),
    )  # fmt: skip
    now = time.time()
    resources = [
        target_of(server, found)
        for server, known in zip(servers, listed, strict=True)
        for found in prunable(_without(known, gone[server]), rule, now)
    ]
    removed = [
        Target(server=server, name=container.name, id=container.id)
        for server, containers in gone.items()
        for container in containers
    ]
    works: list[Work] = []
    if removed:
        works.append(_on(ContainerOperation(verb="remove", targets=tuple(removed)), {t.server for t in removed}))
    if resources:
        works.append(_on(ResourceOperation(verb="prune", targets=tuple(resources)), {t.server for t in resources}))
    if step.build_cache:
        spec = ClearBuildCache(older_than=parse_duration(step.older_than))
        works.append(_on(ResourceOperation(verb="clear_cache", servers=tuple(servers), spec=spec), set(servers)))
    return works


def _on(operation: Operation, servers: set[str]) -> Work:
    return Work(operation, tuple(Target(server=server) for server in sorted(servers)))


def _stopped(step: steps.Prune, server: str, parts: RunParts) -> list[Container]:
    if not step.containers:
        return []
    kept, age, now = words(step.keep_labels), parse_duration(step.older_than), time.time()
    return [
        container
        for container in parts.state.servers[server].containers.values()
        if container.state in _STOPPED
        and (not age or now - max(container.finished, container.created) >= age)
        and not any(_labelled(container.labels, label) for label in kept)
    ]


def _labelled(labels: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _without(resources: Sequence[Resource], gone: Sequence[Container]) -> list[Resource]:
    names = {container.name for container in gone}
    return [
        msgspec.structs.replace(resource, used_by=tuple(name for name in resource.used_by if name not in names))
        for resource in resources
    ]


# -- removed by name, pulled --------------------------------------------------------------------------------------


async def pick_resources(step: steps.RemoveResources, parts: RunParts) -> Picked:
    """The things of a kind that the words fit."""
    return await _pick(step, step.what, words(step.match), parts)


async def _pick(step: steps.Spread, kind: ResourceKind, match: Sequence[str], parts: RunParts) -> Picked:
    picked = pick_for_servers(step, parts)
    servers = [target.server for target in picked.targets]
    listed = await asyncio.gather(*(_listed(server, parts) for server in servers))
    picked.targets = [
        Target(server=server, name=found.name or found.id, id=found.id)
        for server, known in zip(servers, listed, strict=True)
        for found in sorted(known, key=lambda one: one.name)
        if found.kind == kind and not found.fixed and any(_fits(word, found) for word in match)
    ]
    if not picked.targets and not picked.problem:
        picked.problem = f"no {kind} matches {' '.join(match)}"
    return picked


def _fits(word: str, found: Resource) -> bool:
    if word.startswith("label:"):
        return label_test((word.removeprefix("label:"),))(found)
    test = word_test(word)
    return any(test(name, ()) for name in {found.name, *found.tags})


async def remove_works(
    step: steps.RemoveResources, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """Removal of exactly these. Raises NotFoundError for one that is gone."""
    servers = list(dict.fromkeys(target.server for target in targets))
    listed = await asyncio.gather(*(_listed(server, parts) for server in servers))
    known = {
        (server, one.id): one
        for server, ones in zip(servers, listed, strict=True)
        for one in ones
        if one.kind == step.what
    }
    resources = []
    for target in targets:
        found = known.get((target.server, target.id))
        if found is None:
            raise NotFoundError(f"{step.what} {target} is not there any more")
        resources.append(target_of(target.server, found))
    return [
        Work(ResourceOperation(verb="remove", targets=tuple(resources), force=step.force), tuple(targets))
    ]  # fmt: skip


async def pull_works(
    step: steps.PullImage, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """One image on servers."""
    servers = tuple(target.server for target in targets)
    return [Work(ResourceOperation(verb="pull", servers=servers, spec=PullImage(image=step.image)), tuple(targets))]


# -- backups ------------------------------------------------------------------------------------------------------


async def pick_volumes(step: steps.BackupVolume | steps.RestoreVolume, parts: RunParts) -> Picked:
    """The volumes of a backup or a restore."""
    return await _pick(step, "volume", [step.volume], parts)


async def backup_works(
    step: steps.BackupVolume, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """One file a volume."""
    stamp, used = time.strftime(_STAMP), await _used_by(targets, parts)
    return [
        Work(VolumeOperation(verb="backup", server=target.server, volume=target.id, used_by=used[target],
                             file=f"{step.folder}/{_stem(target)}-{stamp}.tar"), (target,))
        for target in targets
    ]  # fmt: skip


async def restore_works(
    step: steps.RestoreVolume, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """Into one volume. Raises UsageError for several, NotFoundError where there is no backup."""
    if len(targets) != 1:
        raise UsageError(f"restore_volume: {len(targets)} volumes are meant", hint="name one server and one volume")
    target, used = targets[0], await _used_by(targets, parts)
    file = await asyncio.to_thread(_newest, step.file, target)
    operation = VolumeOperation(
        verb="restore", server=target.server, volume=target.id, file=file, replace=True, used_by=used[target]
    )
    return [Work(operation, (target,))]


def _stem(target: Target) -> str:
    return f"{target.server}-{target.name}".replace("/", "_")


def _newest(path: str, target: Target) -> str:
    if not os.path.isdir(path):
        return path
    found = _backups(path, target)
    if not found:
        raise NotFoundError(f"{path} has no backup of {target}", hint=f"it would be called {_stem(target)}-TIME.tar")
    return str(found[-1])


def _backups(folder: str, target: Target) -> list[Path]:
    """Oldest first: their names end with the time."""
    stem = _stem(target)
    size = len(stem) + len("-20261126-174502.tar")
    return sorted(
        path for path in Path(folder).iterdir()
        if path.name.startswith(f"{stem}-") and path.name.endswith(".tar") and len(path.name) == size
    )  # fmt: skip


def forget_old(step: steps.BackupVolume, target: Target) -> str:
    """Delete the oldest backups beyond what is kept; says which. Blocks; raises OSError."""
    if not step.keep:
        return ""
    old = _backups(step.folder, target)[: -step.keep]
    for path in old:
        path.unlink()
    return f"deleted {', '.join(path.name for path in old)}" if old else ""


async def _used_by(targets: Sequence[Target], parts: RunParts) -> dict[Target, tuple[str, ...]]:
    servers = list(dict.fromkeys(target.server for target in targets))
    listed = await asyncio.gather(*(_listed(server, parts) for server in servers))
    users = {
        (server, one.id): one.used_by
        for server, ones in zip(servers, listed, strict=True)
        for one in ones
        if one.kind == "volume"
    }
    return {target: users.get((target.server, target.id), ()) for target in targets}
