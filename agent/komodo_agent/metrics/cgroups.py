"""Where a container's cgroup files are: cgroup v1, v2 and hybrid, whatever the driver and the parent.

Paths are never built from templates. ``/proc/<pid>/cgroup`` says in which cgroup of each hierarchy a process is, and
``/proc/self/mountinfo`` where the hierarchies are mounted (cgroups(7)).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_OCTAL = re.compile(rb"\\([0-7]{3})")


class CgroupError(Exception):
    """The container's cgroup cannot be found from here; the message says why."""


class Mount(msgspec.Struct, frozen=True):
    """A mounted hierarchy, and which of its directories is at the mount point."""

    point: str
    root: str


class Hierarchies(msgspec.Struct, frozen=True):
    """The cgroup mounts of this machine: v1 by controller, and the v2 one."""

    controllers: dict[str, Mount]
    unified: Mount | None


class CgroupPaths(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one container. An empty string where its hierarchy is not mounted."""

    version: Literal[1, 2]
    """Of the CPU counter; in a hybrid set-up the others may differ."""
    cpu: str
    memory: str
    memory_stat: str
    memory_limit: str
    io: str
    pids: str


_V1_FILES = {
    "cpu": ("cpuacct", "cpuacct.usage"),
    "memory": ("memory", "memory.usage_in_bytes"),
    "memory_stat": ("memory", "memory.stat"),
    "memory_limit": ("memory", "memory.limit_in_bytes"),
    "io": ("blkio", "blkio.throttle.io_service_bytes"),
    "pids": ("pids", "pids.current"),
}
_V2_FILES = {
    "cpu": "cpu.stat",
    "memory": "memory.current",
    "memory_stat": "memory.stat",
    "memory_limit": "memory.max",
    "io": "io.stat",
    "pids": "pids.current",
}


def parse_mounts(mountinfo: bytes) -> Hierarchies:
    """The cgroup mounts in ``/proc/self/mountinfo`` (proc(5)): of several mounts of one, the first."""
    controllers: dict[str, Mount] = {}
    unified: Mount | None = None
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(b" - ")
        fields, details = before.split(b" "), after.split(b" ")
        if not separator or len(fields) < 6 or len(details) < 3 or not details[0].startswith(b"cgroup"):
            continue
        mount = Mount(point=unescape(fields[4]), root=unescape(fields[3]))
        if details[0] == b"cgroup2":
            unified = unified or mount
            continue
        for option in details[2].split(b","):
            controllers.setdefault(option.decode("utf-8", "surrogateescape"), mount)
    return Hierarchies(controllers=controllers, unified=unified)


def find_paths(membership: bytes, hierarchies: Hierarchies, container: str) -> CgroupPaths:
    """The files of a container, from its process's ``/proc/<pid>/cgroup``.

    Args:
        membership: contents of that file: ``4:memory:/docker/<id>`` a line for v1, ``0::/…`` for v2.
        container: its full id. A cgroup that does not name it is not its own: the pid was reused meanwhile, or
            belongs to another machine (an engine in a VM).

    Raises:
        CgroupError: the CPU counter is not to be found.
    """
    v1, v2 = _parse_membership(membership)
    found: dict[str, str] = {}
    for what, (controller, name) in _V1_FILES.items():
        directory = _directory(v1.get(controller), hierarchies.controllers.get(controller), container)
        if directory:
            found[what] = f"{directory}/{name}"
    version: Literal[1, 2] = 1 if "cpu" in found else 2
    directory = _directory(v2, hierarchies.unified, container)
    if directory:
        for what, name in _V2_FILES.items():
            found.setdefault(what, f"{directory}/{name}")
    if "cpu" not in found:
        raise CgroupError(f"no cgroup of container {container[:12]} is visible from here")
    return CgroupPaths(version=version, **{what: found.get(what, "") for what in _V2_FILES})


def _parse_membership(membership: bytes) -> tuple[dict[str, str], str | None]:
    v1: dict[str, str] = {}
    v2 = None
    for line in membership.decode("utf-8", "surrogateescape").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            v2 = path
            continue
        for controller in controllers.split(","):
            v1[controller] = path
    return v1, v2


def _directory(path: str | None, mount: Mount | None, container: str) -> str:
    """The directory of the container's cgroup below the mount point, or an empty string."""
    if not path or mount is None:
        return ""
    own = _container_part(path, container)
    if not own or "/.." in own:  # a path out of this cgroup namespace
        return ""
    if mount.root != "/":
        if not (own + "/").startswith(mount.root + "/"):
            return ""
        own = own[len(mount.root) :]
    return mount.point + own


def _container_part(path: str, container: str) -> str:
    """The path up to the container's own cgroup: an init system inside moves its processes further down.

    crun (Podman) makes a cgroup ``container`` below the one that bears the id and sets the limits there.
    """
    parts = path.split("/")
    for n, part in enumerate(parts):
        if container in part:
            end = n + 2 if parts[n + 1 : n + 2] == ["container"] else n + 1
            return "/".join(parts[:end])
    return ""


def unescape(field: bytes) -> str:
    r"""mountinfo writes space, tab, newline and backslash as ``\040`` and so on."""
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field).decode("utf-8", "surrogateescape")
