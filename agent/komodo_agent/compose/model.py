"""A resolved compose configuration, as ``compose config --format json`` prints it, read for what we need. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from ..problems import AgentError
from ..wire.compose_changes import Published
from .old_config import read_old

_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
_UNSET = re.compile(r'The \\?"(?P<name>[^"\\]+)\\?" variable is not set')
_OLD_UNSET = re.compile(r"The (?P<name>\S+) variable is not set")


class Service(NamedTuple):
    """One service of a configuration."""

    name: str
    image: str
    builds: bool
    replicas: int
    container_name: str
    ports: tuple[Published, ...]
    binds: tuple[str, ...]
    volumes: tuple[str, ...]
    risks: tuple[str, ...]


class Model(NamedTuple):
    """A configuration."""

    services: dict[str, Service]
    volumes: dict[str, str]
    """Key -> name on the engine; external ones apart."""
    configs: dict[str, str]
    """By service: all of its configuration as text, to be compared; empty where it is not read whole."""
    external: tuple[tuple[str, str], ...]
    """(``volume`` or ``network``, name) that have to be there already."""


def parse_model(text: str, project: str, *, old: bool = False) -> Model:
    """Read the JSON, or (``old``) the YAML of compose 1.

    Raises:
        AgentError: it is none.
    """
    try:
        document = read_old(text) if old else json.loads(text)
        services = {str(name): _service(str(name), entry) for name, entry in (document.get("services") or {}).items()}
        volumes, external = {}, []
        for kind, plural in (("volume", "volumes"), ("network", "networks")):
            for key, entry in (document.get(plural) or {}).items():
                entry = entry or {}
                name = str(entry.get("name") or f"{project}_{key}")
                if entry.get("external"):
                    external.append((kind, name))
                elif kind == "volume":
                    volumes[str(key)] = name
    except (ValueError, AttributeError, TypeError) as error:
        raise AgentError("failed", "compose printed a configuration that cannot be read") from error
    entries = {} if old else document.get("services") or {}
    configs = {str(name): json.dumps(entry, sort_keys=True) for name, entry in entries.items()}
    return Model(services, volumes, configs, tuple(external))


def unset_variables(messages: str) -> tuple[str, ...]:
    """The variables that compose says are not set, in order."""
    names = [match["name"] for match in _UNSET.finditer(messages)]
    names += [match["name"] for match in _OLD_UNSET.finditer(messages) if '"' not in match["name"]]
    return tuple(dict.fromkeys(names))


def _service(name: str, entry: dict[str, Any]) -> Service:
    deploy = entry.get("deploy") or {}
    replicas = entry.get("scale", deploy.get("replicas", 1))
    replicas = int(replicas) if str(replicas).isdigit() else 1
    mounts = [_mount(mount) for mount in entry.get("volumes") or ()]
    binds = tuple(str(m.get("source")) for m in mounts if m.get("type") == "bind")
    return Service(
        name=name,
        image=str(entry.get("image") or ""),
        builds=bool(entry.get("build")),
        replicas=replicas,
        container_name=str(entry.get("container_name") or ""),
        ports=tuple(port for item in entry.get("ports") or () for port in _ports(name, item)),
        binds=binds,
        volumes=tuple(str(m.get("source") or "") for m in mounts if m.get("type") == "volume"),
        risks=tuple(_risks(name, entry, binds)),
    )


def _mount(mount: Any) -> dict[str, Any]:
    """A mount; of its short form, as compose 1 writes it, too."""
    if isinstance(mount, dict):
        return mount
    source, colon, _ = str(mount).partition(":")
    return {"type": "bind" if source.startswith("/") else "volume", "source": source} if colon else {}


def _ports(service: str, item: Any) -> list[Published]:
    if isinstance(item, str):
        item = _short_port(item)
    if not isinstance(item, dict) or not item.get("published"):
        return []
    first, _, last = str(item["published"]).partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return []
    protocol, ip = str(item.get("protocol") or "tcp"), str(item.get("host_ip") or "")
    if last:  # a range: the engine picks one of them
        return []
    return [Published(service=service, port=int(first), protocol=protocol, ip=ip)]


def _short_port(text: str) -> dict[str, str]:
    """``127.0.0.1:8080:80/udp``, as compose 1 writes some."""
    where, _, protocol = text.partition("/")
    outside, _, _ = where.rpartition(":")
    ip, _, port = outside.rpartition(":")
    return {"published": port, "protocol": protocol or "tcp", "host_ip": ip.strip("[]")}


def _risks(name: str, entry: dict[str, Any], binds: tuple[str, ...]) -> list[str]:
    found = []
    if entry.get("privileged"):
        found.append(f"{name} runs privileged: it is root on the server")
    for key, word in (("network_mode", "network"), ("pid", "processes"), ("ipc", "shared memory")):
        if entry.get(key) == "host":
            found.append(f"{name} shares the {word} of the host")
    if entry.get("cap_add"):
        found.append(f"{name} gets capabilities: {', '.join(map(str, entry['cap_add']))}")
    for bind in binds:
        if bind in _SOCKETS:
            found.append(f"{name} can command the engine: it mounts {bind}")
        elif bind in ("/", "/etc", "/root", "/proc", "/sys", "/dev", "/boot"):
            found.append(f"{name} mounts {bind} of the host")
    return found
