"""What an act on images, volumes and networks would do, as far as was known when it was chosen.

The lists of resources are asked for on demand, so the operation itself says what was seen; the agent makes sure of it
again before it touches anything.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from komodo_agent.wire.resources import ClearBuildCache, CreateNetwork, CreateVolume, PullImage
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.units import bytes_text, count_text, long_duration_text
from komodo_tui.operations.container_plans import Draft, server_of, stale
from komodo_tui.operations.resource_jobs import pruned, resource_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.resources import ResourceOperation, ResourceTarget
    from komodo_tui.fleet.live import FleetState

_NAMED, _LISTED = 10, 500
"""How many things a prune's command and its list spell out."""
_UNDO = {
    "pull": "remove the image; a tag that moved keeps pointing to the new one",
    "tag": "remove the tag; the image stays",
    "push": "delete it in the registry; a tag that moved there keeps pointing to the new one",
    "create": "remove it again",
    "clear_cache": "nothing is lost: the next builds take longer",
    "image": "pull or build them again",
    "volume": "nothing brings them back: the data in them is lost",
    "network": "create them again, and connect what used them",
}


def draft_resource(operation: ResourceOperation, state: FleetState) -> Draft:
    """One step for each job.

    Raises:
        UsageError: it names nothing, or its parts do not fit each other.
        NotFoundError: an unknown server.
    """
    _check(operation)
    for server, _ in resource_jobs(operation):
        server_of(state, server)
    steps = tuple(_steps(operation, state))
    kinds = {target.kind for target in operation.targets}
    undo = "; ".join(_UNDO[kind] for kind in sorted(kinds)) if operation.verb in ("remove", "prune") else ""
    verb = operation.verb.replace("_", " ")
    return Draft(_title(operation, steps), verb, steps, undo or _UNDO.get(operation.verb, ""))


def _check(operation: ResourceOperation) -> None:
    verb = operation.verb
    if verb in ("pull", "create", "clear_cache"):
        if not operation.servers:
            raise UsageError(f"{verb}: no server is named", hint="choose at least one")
        if _verb_of(operation.spec) != verb:
            raise UsageError(f"{verb}: it does not say what")
        return
    if not operation.targets:
        raise UsageError(f"{verb}: nothing is named", hint="choose at least one")
    if verb == "tag" and (len(operation.targets) != 1 or operation.targets[0].kind != "image" or not operation.tag):
        raise UsageError("tag: one image and one new tag", hint="like shop/api:1.9")
    if verb == "push" and (len(operation.targets) != 1 or operation.targets[0].kind != "image"):
        raise UsageError("push: one image at a time", hint="name one")
    if verb == "push" and not operation.references:
        raise UsageError("push: no registry is named", hint="like registry.example:5000")


def _verb_of(spec: PullImage | CreateNetwork | CreateVolume | ClearBuildCache | None) -> str:
    """The verb that a spec goes with."""
    if spec is None:
        return ""
    return {PullImage: "pull", ClearBuildCache: "clear_cache"}.get(type(spec), "create")


def _steps(operation: ResourceOperation, state: FleetState) -> list[PlanStep]:
    if operation.verb == "prune":
        return [_prune_step(server, kind, picked, state) for (server, kind), picked in pruned(operation).items()]
    if operation.verb == "remove":
        return [_remove_step(operation, target, state) for target in dict.fromkeys(operation.targets)]
    if operation.verb == "push":
        return [_push_step(operation.targets[0], reference, state) for reference in dict.fromkeys(operation.references)]
    if operation.verb == "tag":
        image = operation.targets[0]
        return [
            PlanStep(
                target=Target(server=image.server, name=image.label, id=image.id),
                text=f"tag {image.label} as {operation.tag}",
                command=shlex.join(["docker", "tag", image.name or image.id, operation.tag]),
                warning=stale(server_of(state, image.server)),
            )
        ]
    return [_new_step(operation, server, state) for server in dict.fromkeys(operation.servers)]


def _push_step(image: ResourceTarget, reference: str, state: FleetState) -> PlanStep:
    tag = "" if reference in image.tags else f"{shlex.join(['docker', 'tag', image.name or image.id, reference])} && "
    size = f" (at most {bytes_text(image.size)})" if image.size else ""
    return PlanStep(
        target=Target(server=image.server, name=reference, id=image.id),
        text=f"push {image.label} as {reference}{size}",
        command=tag + shlex.join(["docker", "push", reference]),
        warning=stale(server_of(state, image.server)),
    )


def _remove_step(operation: ResourceOperation, target: ResourceTarget, state: FleetState) -> PlanStep:
    size = f", {bytes_text(target.size)}" if target.size else ""
    tags = f" with its {len(target.tags)} tags" if len(target.tags) > 1 else ""
    warnings = [stale(server_of(state, target.server))]
    if target.used_by:
        refused = "the engine will refuse" if not operation.force else "the engine refuses while it runs"
        warnings.insert(0, f"used by {_some(target.used_by)}: {refused}")
    elif target.kind == "volume":
        warnings.insert(0, "its data is lost")
    return PlanStep(
        target=Target(server=target.server, name=target.label, id=target.id),
        text=f"remove {target.kind} {target.label}{tags} (used by {_some(target.used_by) or 'nothing'}{size})",
        command=_remove_command(target.kind, [target], force=operation.force),
        warning="; ".join(filter(None, warnings)),
    )


def _prune_step(server: str, kind: str, picked: Sequence[ResourceTarget], state: FleetState) -> PlanStep:
    freed = sum(target.size or 0 for target in picked)
    frees = f", frees about {bytes_text(freed)}" if freed else ""
    warnings = ["the data in them is lost"] if kind == "volume" else []
    return PlanStep(
        target=Target(server=server),
        text=f"remove {count_text(len(picked), f'unused {kind}')}{frees}",
        command=_remove_command(kind, picked[:_NAMED]) + (" …" if len(picked) > _NAMED else ""),
        details=tuple(_detail(target) for target in picked[:_LISTED])
        + ((f"and {len(picked) - _LISTED} more",) if len(picked) > _LISTED else ()),
        warning="; ".join(filter(None, [*warnings, stale(server_of(state, server))])),
    )


def _detail(target: ResourceTarget) -> str:
    return f"{target.label}, {bytes_text(target.size)}" if target.size else target.label


def _remove_command(kind: str, picked: Sequence[ResourceTarget], *, force: bool = False) -> str:
    flags = ["-f"] if force and kind != "network" else []
    names = [name for target in picked for name in target.tags or (target.name or target.id,)]
    return shlex.join(["docker", kind, "rm", *flags, *names])


def _new_step(operation: ResourceOperation, server: str, state: FleetState) -> PlanStep:
    spec = operation.spec
    warning = stale(server_of(state, server))
    if isinstance(spec, PullImage):
        name, text, words = spec.image, f"pull {spec.image}", ["docker", "pull", spec.image]
    elif isinstance(spec, ClearBuildCache):
        older = f", where unused for {long_duration_text(spec.older_than)}" if spec.older_than else ""
        name, text = "", f"clear the build cache{older}"
        words = ["docker", "builder", "prune", "-a"]
        words += ["--filter", f"until={int(spec.older_than)}s"] if spec.older_than else []
    elif isinstance(spec, CreateVolume):
        name, text = spec.name, f"create volume {spec.name} ({spec.driver})"
        words = ["docker", "volume", "create", "--driver", spec.driver]
        words += [word for key in spec.options for word in ("--opt", f"{key}=…")]
        words += [*_labels(spec.labels), spec.name]
    else:
        assert isinstance(spec, CreateNetwork)
        name, text = spec.name, f"create network {spec.name} ({spec.driver}{', internal' if spec.internal else ''})"
        words = ["docker", "network", "create", "--driver", spec.driver]
        words += ["--subnet", spec.subnet] if spec.subnet else []
        words += ["--internal"] if spec.internal else []
        words += [*_labels(spec.labels), spec.name]
    return PlanStep(target=Target(server=server, name=name), text=text, command=shlex.join(words), warning=warning)


def _labels(labels: dict[str, str]) -> list[str]:
    return [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]


def _some(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``"""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _title(operation: ResourceOperation, steps: Sequence[PlanStep]) -> str:
    verb = operation.verb.capitalize()
    servers = {step.target.server for step in steps}
    where = next(iter(servers)) if len(servers) == 1 else count_text(len(servers), "server")
    if operation.verb == "clear_cache":
        return f"Clear the build cache on {where}"
    if operation.verb in ("pull", "create"):
        spec = operation.spec
        kind = "network " if isinstance(spec, CreateNetwork) else "volume " if isinstance(spec, CreateVolume) else ""
        return f"{verb} {kind}{steps[0].target.name} on {where}"
    targets = operation.targets
    if operation.verb == "push":
        to = steps[0].target.name if len(steps) == 1 else count_text(len(steps), "name")
        return f"Push {targets[0].label}@{where} to {to}"
    if operation.verb == "tag":
        return f"Tag {targets[0].label}@{where} as {operation.tag}"
    if len(targets) == 1 and operation.verb == "remove":
        return f"Remove {targets[0].kind} {targets[0].label}@{where}"
    kinds = {target.kind for target in targets}
    what = kinds.pop() if len(kinds) == 1 else "resource"
    freed = sum(target.size or 0 for target in targets)
    frees = f", frees {bytes_text(freed)}" if freed and operation.verb == "prune" else ""
    return f"{verb} {count_text(len(targets), what)} on {where}{frees}"
