"""Acts on images, volumes and networks: pull, tag, remove, create."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.resources import (
    ClearBuildCache,
    CreateNetwork,
    CreateVolume,
    PullImage,
    PushImage,
    RemoveResources,
    TagImage,
)
from .asking import ask, image_path, name_path
from .pull import pull, split_reference
from .push import push
from .resource_commands import (
    clear_cache_command,
    create_network_command,
    create_volume_command,
    remove_command,
    tag_command,
)
from .resources import document, resources, short

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.resources import Resource, ResourceItem, ResourceJob
    from .client import Engine

_REMOVAL_TIMEOUT = 600.0
"""Seconds the removal of one thing may take: an image of many layers on a slow disk."""
_REFERENCE = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]{0,255}")


def describe_resource_job(spec: ResourceJob) -> tuple[str, str]:
    """The kind of the job as people call it, and what it acts on."""
    if isinstance(spec, PullImage):
        return "pull", spec.image
    if isinstance(spec, PushImage):
        return "push", spec.reference
    if isinstance(spec, TagImage):
        return "tag", spec.tag
    if isinstance(spec, RemoveResources):
        one = spec.items[0].name or short(spec.items[0].id) if len(spec.items) == 1 else ""
        return "prune" if spec.prune else "remove", one or f"{len(spec.items)} {spec.what}s"
    if isinstance(spec, ClearBuildCache):
        return "clear cache", "build cache"
    return "create", spec.name


async def run_resource_job(engine: Engine, context: JobContext, spec: ResourceJob) -> None:
    """Do it, and record it in the job.

    Raises:
        AgentError: it makes no sense, is not there any more, or the engine refused or failed.
    """
    if isinstance(spec, PullImage):
        image_path(spec.image)
        await pull(engine, context, spec.image, spec.registry_auth)
    elif isinstance(spec, PushImage):
        await push(engine, context, spec)
    elif isinstance(spec, TagImage):
        await _tag(engine, context, spec)
    elif isinstance(spec, RemoveResources):
        await _remove_all(engine, context, spec)
    elif isinstance(spec, ClearBuildCache):
        await _clear_cache(engine, context, spec)
    else:
        await _create(engine, context, spec)


async def _clear_cache(engine: Engine, context: JobContext, spec: ClearBuildCache) -> None:
    context.command(clear_cache_command(spec.older_than))
    filters = {"until": [f"{int(spec.older_than)}s"]} if spec.older_than else {}
    params = {"all": "true", "filters": json.dumps(filters)}
    answer = await ask(engine, "clear the build cache", "POST", "/build/prune", params=params, timeout=_REMOVAL_TIMEOUT)
    freed = int((answer or {}).get("SpaceReclaimed") or 0)
    context.log(f"{len((answer or {}).get('CachesDeleted') or ())} entries removed, {freed} bytes freed")
    context.result(freed=str(freed))


async def _tag(engine: Engine, context: JobContext, spec: TagImage) -> None:
    if not _REFERENCE.fullmatch(spec.tag) or ".." in spec.tag:
        raise AgentError(
            "bad_request", f"{spec.tag[:80]!r} is no tag", hint="like shop/api:1.9, the name in lower case"
        )
    image = image_path(spec.image.id)
    context.command(tag_command(spec.image.name or spec.image.id, spec.tag))
    repository, tag = split_reference(spec.tag)
    await ask(engine, f"tag {short(image)}", "POST", f"/images/{image}/tag", params={"repo": repository, "tag": tag})


async def _create(engine: Engine, context: JobContext, spec: CreateNetwork | CreateVolume) -> None:
    name_path(spec.name, "name")
    if isinstance(spec, CreateVolume):
        # The engine answers "created" to a name that exists, and hands out the old volume with its old data.
        await _refuse_taken(engine, spec.name)
        context.command(create_volume_command(spec))
        body = {"Name": spec.name, "Driver": spec.driver, "DriverOpts": spec.options, "Labels": spec.labels}
        made = await ask(engine, f"create volume {spec.name}", "POST", "/volumes/create", json=body)
        context.result(volume=str((made or {}).get("Name") or spec.name))
        return
    context.command(create_network_command(spec))
    network: dict[str, object] = {
        "Name": spec.name,
        "Driver": spec.driver,
        "Internal": spec.internal,
        "Labels": spec.labels,
        "CheckDuplicate": True,
    }
    if spec.subnet:
        network["IPAM"] = {"Config": [{"Subnet": spec.subnet}]}
    made = await ask(engine, f"create network {spec.name}", "POST", "/networks/create", json=network)
    context.result(network=str((made or {}).get("Id") or ""))


async def _refuse_taken(engine: Engine, name: str) -> None:
    try:
        await document(engine, "volume", name)
    except AgentError as error:
        if error.code == "not_found":
            return
        raise
    raise AgentError("conflict", f"there is a volume {name} already", hint="choose another name")


async def _remove_all(engine: Engine, context: JobContext, spec: RemoveResources) -> None:
    """One after the other; what fails is told at the end."""
    now = {(found.kind, found.id): found for found in await resources(engine)}
    removed, kept, failures = 0, 0, []
    for number, item in enumerate(spec.items):
        label = item.name or short(item.id)
        context.progress(f"removing {label}", number / len(spec.items))
        try:
            found = _still(spec, item, now.get((spec.what, item.id)))
            await _remove(engine, context, spec, item, found)
            removed += 1
        except AgentError as error:
            context.log(f"{label} stays: {error.message}")
            if spec.prune and error.code in ("conflict", "not_found"):
                kept += 1  # used or gone by now: so it is not what was to be pruned
            else:
                failures.append(error)
    context.result(removed=str(removed), kept=str(kept + len(failures)))
    if failures and len(spec.items) == 1:
        raise failures[0]
    if failures:
        raise AgentError("failed", f"{len(failures)} of {len(spec.items)} stay; the first: {failures[0].message}")


def _still(spec: RemoveResources, item: ResourceItem, found: Resource | None) -> Resource:
    """The same thing as it is now.

    Raises:
        AgentError: it is gone, it is another one under the same name, or somebody uses what was to be pruned.
    """
    label = item.name or short(item.id)
    if found is None:
        raise AgentError("not_found", f"the {spec.what} {label} is gone: nothing was done")
    if found.fixed:
        raise AgentError("forbidden", f"the {spec.what} {label} is the engine's own and cannot be removed")
    same = set(item.tags) <= set(found.tags) if spec.what == "image" else item.name in ("", found.name)
    if not same:
        raise AgentError("conflict", f"{label} is another {spec.what} by now: nothing was done", hint="look again")
    if spec.prune and found.used_by:
        raise AgentError("conflict", f"{found.used_by[0]} uses it by now")
    return found


async def _remove(
    engine: Engine, context: JobContext, spec: RemoveResources, item: ResourceItem, found: Resource
) -> None:
    what = f"remove {spec.what} {item.name or short(item.id)}"
    if spec.what == "image":
        # Its tags one by one: by its id alone the engine refuses an image that has several.
        names = item.tags or (found.id,)
        context.command(remove_command("image", names, force=spec.force))
        for name in names:
            path = f"/images/{image_path(name)}"
            force = {"force": "true"} if spec.force else None
            done = await ask(engine, what, "DELETE", path, params=force, timeout=_REMOVAL_TIMEOUT)
            for entry in done or ():
                context.log(" ".join(f"{verb.lower()} {short(str(which))}" for verb, which in entry.items()))
        return
    context.command(remove_command(spec.what, (found.name,), force=spec.force))
    params = {"force": "true"} if spec.force and spec.what == "volume" else None
    path = f"/{spec.what}s/{name_path(found.id, spec.what)}"
    await ask(engine, what, "DELETE", path, params=params, timeout=_REMOVAL_TIMEOUT)
    context.log(f"removed {found.name}")
