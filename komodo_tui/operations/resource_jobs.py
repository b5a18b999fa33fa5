"""An act on resources as the jobs of its agents, one a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.resources import (
    ClearBuildCache,
    CreateVolume,
    PullImage,
    PushImage,
    RemoveResources,
    ResourceItem,
    ResourceJob,
    ResourceKind,
    TagImage,
)
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from komodo_tui.domain.resources import ResourceOperation, ResourceTarget


def resource_jobs(operation: ResourceOperation) -> list[tuple[str, ResourceJob]]:
    """Server and job of each step, in the order of the plan.

    Raises:
        UsageError: the operation says too little.
    """
    if operation.verb in ("pull", "create", "clear_cache"):
        if operation.spec is None:
            raise UsageError(f"{operation.verb}: nothing is named")
        return [(server, operation.spec) for server in dict.fromkeys(operation.servers)]
    if operation.verb == "push":
        image = operation.targets[0]
        return [
            (image.server, PushImage(image=_item(image), reference=reference))
            for reference in dict.fromkeys(operation.references)
        ]
    if operation.verb == "tag":
        return [(target.server, TagImage(image=_item(target), tag=operation.tag)) for target in operation.targets]
    if operation.verb == "remove":
        return [
            (target.server, RemoveResources(what=target.kind, items=(_item(target),), force=operation.force))
            for target in dict.fromkeys(operation.targets)
        ]
    return [
        (server, RemoveResources(what=kind, items=tuple(map(_item, targets)), prune=True))
        for (server, kind), targets in pruned(operation).items()
    ]


def pruned(operation: ResourceOperation) -> dict[tuple[str, ResourceKind], list[ResourceTarget]]:
    """What a prune removes, by server and kind: one job each."""
    groups: dict[tuple[str, ResourceKind], list[ResourceTarget]] = {}
    for target in dict.fromkeys(operation.targets):
        groups.setdefault((target.server, target.kind), []).append(target)
    return groups


def resource_locks(operation: ResourceOperation) -> list[str]:
    """Two acts on the same thing exclude each other; two prunes of one kind on one server do too."""
    if operation.verb == "prune":
        return [f"prune {server} {kind}" for server, kind in pruned(operation)]
    if operation.verb == "push":
        return [f"push {reference}" for reference in operation.references]
    if operation.targets:
        return [f"{target.kind} {target.server} {target.id}" for target in operation.targets]
    spec = operation.spec
    if isinstance(spec, ClearBuildCache):
        return [f"build cache {server}" for server in operation.servers]
    what = "" if spec is None else f"image {spec.image}" if isinstance(spec, PullImage) else f"new {spec.name}"
    return [f"{operation.verb} {server} {what}" for server in operation.servers]


def without_secrets(operation: ResourceOperation, hidden: str) -> ResourceOperation:
    """The operation with what may be secret in it replaced by ``hidden``."""
    spec = operation.spec
    if isinstance(spec, PullImage) and spec.registry_auth:
        spec = msgspec.structs.replace(spec, registry_auth=hidden)
    elif isinstance(spec, CreateVolume) and spec.options:
        spec = msgspec.structs.replace(spec, options=dict.fromkeys(spec.options, hidden))
    return msgspec.structs.replace(operation, spec=spec)


def _item(target: ResourceTarget) -> ResourceItem:
    return ResourceItem(id=target.id, name=target.name, tags=target.tags)
