"""Images, volumes and networks as the engine has them, with what uses them. Asked on demand, never kept."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from ..problems import AgentError
from ..wire.resources import DiskUsage, Resource, ResourceDetail, UsedSpace
from .asking import ask, image_path, name_path
from .convert import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .client import Engine

    Document = dict[str, Any]
    Users = dict[tuple[str, str], list[str]]
    """Names of containers by kind and id, or name, of what they use."""

FIXED_NETWORKS = frozenset({"bridge", "host", "none", "podman", "docker_gwbridge"})
"""Networks the engine makes itself (``podman`` is Podman's, ``docker_gwbridge`` a swarm's)."""
_NONE = "<none>"
_FULL_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_DISK_USAGE_TIMEOUT = 300.0
"""Seconds an engine may take to walk its files."""


async def resources(engine: Engine) -> tuple[Resource, ...]:
    """All of them, by kind and name.

    Raises:
        AgentError: the engine did not answer.
    """
    what = "list images, volumes and networks"
    containers, images, volumes, networks = await asyncio.gather(
        ask(engine, what, "GET", "/containers/json", params={"all": "true"}),
        ask(engine, what, "GET", "/images/json"),
        ask(engine, what, "GET", "/volumes"),
        ask(engine, what, "GET", "/networks"),
    )
    users = _users(containers)
    found = [
        *(image(entry, users) for entry in images),
        *(volume(entry, users) for entry in volumes.get("Volumes") or ()),
        *(network(entry, users) for entry in networks),
    ]
    return tuple(sorted(found, key=lambda resource: (resource.kind, resource.name, resource.id)))


def _users(containers: Iterable[Document]) -> Users:
    found: Users = {}
    for entry in containers:
        names = entry.get("Names") or ()
        name = str(names[0]).lstrip("/") if names else str(entry.get("Id"))[:12]
        used = {("image", str(entry.get("ImageID") or ""))}
        used |= {("volume", str(mount.get("Name") or "")) for mount in entry.get("Mounts") or () if mount.get("Name")}
        attached = (entry.get("NetworkSettings") or {}).get("Networks") or {}
        used |= {("network", str(network)) for network in attached}
        for key in used:
            found.setdefault(key, []).append(name)
    return found


def image(entry: Mapping[str, Any], users: Users) -> Resource:
    """An image of the engine's list. Pure."""
    tags = tuple(str(tag) for tag in entry.get("RepoTags") or () if _NONE not in tag)
    digests = [str(digest) for digest in entry.get("RepoDigests") or () if _NONE not in digest]
    created = entry.get("Created")
    return Resource(
        kind="image",
        id=str(entry["Id"]),
        name=tags[0] if tags else (digests[0] if digests else ""),
        tags=tags,
        size=int(entry.get("Size") or 0),
        created=float(created) if isinstance(created, (int, float)) else timestamp(created),
        used_by=_sorted(users, ("image", str(entry["Id"]))),
        labels=_labels(entry),
    )


def volume(entry: Mapping[str, Any], users: Users) -> Resource:
    """A volume of the engine's list. Pure."""
    name = str(entry["Name"])
    return Resource(
        kind="volume",
        id=name,
        name=name,
        created=timestamp(entry.get("CreatedAt")),
        used_by=_sorted(users, ("volume", name)),
        driver=str(entry.get("Driver") or ""),
        labels=_labels(entry),
        detail=str(entry.get("Mountpoint") or ""),
    )


def network(entry: Mapping[str, Any], users: Users) -> Resource:
    """A network of the engine's list. Pure."""
    name = str(entry["Name"])
    ranges = (entry.get("IPAM") or {}).get("Config") or ()
    return Resource(
        kind="network",
        id=str(entry["Id"]),
        name=name,
        created=timestamp(entry.get("Created")),
        used_by=_sorted(users, ("network", name)),
        driver=str(entry.get("Driver") or ""),
        labels=_labels(entry),
        detail=" ".join(str(part["Subnet"]) for part in ranges if part.get("Subnet")),
        fixed=name in FIXED_NETWORKS or bool(entry.get("Ingress")),
    )


def _sorted(users: Users, key: tuple[str, str]) -> tuple[str, ...]:
    return tuple(sorted(users.get(key, ())))


def _labels(entry: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in (entry.get("Labels") or {}).items()}


async def inspect(engine: Engine, kind: str, reference: str) -> ResourceDetail:
    """The engine's document of one of them.

    Raises:
        AgentError: ``not_found``, ``bad_request`` for another kind, or why the engine did not answer.
    """
    return ResourceDetail(inspect=await document(engine, kind, reference))


async def document(engine: Engine, kind: str, reference: str) -> Document:
    """The same, bare."""
    if kind == "image":
        path = f"/images/{image_path(reference)}/json"
    elif kind in ("volume", "network"):
        path = f"/{kind}s/{name_path(reference, kind)}"
    else:
        raise AgentError("bad_request", f"{kind[:40]!r} is no kind of resource")
    found: Document = await ask(engine, f"inspect {kind} {short(reference)}", "GET", path)
    return found


def short(reference: str) -> str:
    """An id as people know it: twelve digits; everything else as it is."""
    return reference.removeprefix("sha256:")[:12] if _FULL_ID.fullmatch(reference) else reference[:200]


async def disk_usage(engine: Engine) -> DiskUsage:
    """What takes how much. The engine may need minutes.

    Raises:
        AgentError: the engine did not answer.
    """
    return read_disk_usage(
        await ask(engine, "measure the disk usage", "GET", "/system/df", timeout=_DISK_USAGE_TIMEOUT)
    )


def read_disk_usage(document: Mapping[str, Any]) -> DiskUsage:
    """The engine's answer. Pure."""
    images, volumes = document.get("Images") or (), document.get("Volumes") or ()
    items = [
        UsedSpace(
            kind="image",
            id=str(entry["Id"]),
            size=int(entry.get("Size") or 0),
            freed=max(0, int(entry.get("Size") or 0) - max(0, int(entry.get("SharedSize") or 0))),
        )
        for entry in images
    ]
    for entry in volumes:
        size = max(0, int((entry.get("UsageData") or {}).get("Size") or 0))
        items.append(UsedSpace(kind="volume", id=str(entry["Name"]), size=size, freed=size))
    return DiskUsage(
        images=int(document.get("LayersSize") or 0),
        containers=_total(document.get("Containers") or (), "SizeRw"),
        volumes=sum(item.size for item in items if item.kind == "volume"),
        build_cache=_total(document.get("BuildCache") or (), "Size"),
        items=tuple(items),
    )


def _total(entries: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(int(entry.get(key) or 0) for entry in entries)
