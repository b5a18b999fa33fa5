"""The definition of a deployment that is what a container is now, read from the engine's documents. Pure.

What the container has of its image is left out: a newer image may say it otherwise. A value of the environment that
looks like a secret becomes ``[[NAME]]``: it is to be kept as one, and not to stand in a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.masking import mask_env
from komodo_tui.domain.single import DeploymentDefinition, HealthCheck, Limits, check_deployment
from komodo_tui.domain.text import clean_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_COMPOSE = "com.docker.compose."
_MORE = {
    "CapAdd": "cap_add", "CapDrop": "cap_drop", "ExtraHosts": "extra_hosts", "SecurityOpt": "security_opt",
    "Privileged": "privileged", "Init": "init", "ReadonlyRootfs": "read_only", "GroupAdd": "group_add",
}  # fmt: skip
_SECOND = 1_000_000_000
_SECRET_NAME = re.compile(r"[^A-Za-z0-9_]")


def from_container(
    inspect: Mapping[str, Any], image: Mapping[str, Any], server: str, name: str = ""
) -> DeploymentDefinition:
    """The definition of this container on this server.

    Args:
        inspect: the engine's document of the container.
        image: that of its image; empty where it cannot be had.
        name: instead of the container's own.

    Raises:
        UsageError: it is one that no deployment can be.
    """
    document: dict[str, Any] = clean_tree(dict(inspect), keep_newlines=True)
    config, host = document.get("Config") or {}, document.get("HostConfig") or {}
    usual: dict[str, Any] = dict(image.get("Config") or {})

    def own(key: str) -> Any:
        value = config.get(key)
        return value if value != usual.get(key) else None

    labels = {
        key: value for key, value in (config.get("Labels") or {}).items()
        if (usual.get("Labels") or {}).get(key) != value and not key.startswith(_COMPOSE)
    }  # fmt: skip
    policy = host.get("RestartPolicy") or {}
    times = int(policy.get("MaximumRetryCount") or 0)
    return check_deployment(
        DeploymentDefinition(
            name=name or str(document.get("Name") or "").lstrip("/"),
            image=str(config.get("Image") or ""),
            servers=(server,),
            ports=tuple(_ports(host.get("PortBindings") or {})),
            volumes=tuple(_volumes(document.get("Mounts") or ())),
            environment=_environment(config.get("Env") or (), usual.get("Env") or ()),
            labels=labels,
            network=_network(str(host.get("NetworkMode") or ""), document.get("NetworkSettings") or {}),
            restart=(str(policy.get("Name") or "no")) + (f":{times}" if times else ""),
            command=tuple(own("Cmd") or ()),
            entrypoint=tuple(own("Entrypoint") or ()),
            user=str(own("User") or ""),
            workdir=str(own("WorkingDir") or ""),
            limits=Limits(
                cpus=int(host.get("NanoCpus") or 0) / _SECOND,
                memory=_memory(int(host.get("Memory") or 0)),
                pids=max(0, int(host.get("PidsLimit") or 0)),
            ),
            health_check=_health(own("Healthcheck") or {}),
            more=_more(config, host),
        )
    )


def _environment(given: Iterable[str], usual: Iterable[str]) -> dict[str, str]:
    inherited = set(usual)
    pairs = (entry.partition("=") for entry in given if entry not in inherited)
    return {
        key: value if mask_env(key, value) == value else f"[[{_SECRET_NAME.sub('_', key)[:64]}]]"
        for key, _, value in pairs
    }


def _ports(bindings: Mapping[str, Any]) -> Iterable[str]:
    for private, places in bindings.items():
        port, _, protocol = private.partition("/")
        behind = f"/{protocol}" if protocol not in ("", "tcp") else ""
        for place in places or ():
            ip, public = str(place.get("HostIp") or ""), str(place.get("HostPort") or "")
            address = f"[{ip}]:" if ":" in ip else f"{ip}:" if ip else ""
            fixed = public not in ("", "0")
            yield f"{address}{public if fixed else ''}{':' if fixed or address else ''}{port}{behind}"


def _volumes(mounts: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Named volumes and folders; what the engine made without a name belongs to the container alone."""
    for mount in mounts:
        source = mount.get("Name") if mount.get("Type") == "volume" else mount.get("Source")
        if mount.get("Type") in ("volume", "bind") and source and not _ANONYMOUS.fullmatch(str(source)):
            yield f"{source}:{mount.get('Destination')}{'' if mount.get('RW', True) else ':ro'}"


def _memory(size: int) -> str:
    for unit, letter in ((1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")):
        if size and size % unit == 0:
            return f"{size // unit}{letter}"
    return f"{size}b" if size else ""


def _network(mode: str, settings: Mapping[str, Any]) -> str:
    """By name: what compose makes has the id of its network."""
    for name, attached in (settings.get("Networks") or {}).items():
        if mode and (attached or {}).get("NetworkID") == mode:
            return str(name)
    return "" if mode in ("default", "bridge") else mode


def _health(check: Mapping[str, Any]) -> HealthCheck:
    test = [str(word) for word in check.get("Test") or ()]
    if test[:1] == ["NONE"]:
        return HealthCheck(disabled=True)
    if not test:
        return HealthCheck()
    usual = HealthCheck()
    return HealthCheck(
        command=" ".join(test[1:]) if test[0] == "CMD-SHELL" else tuple(test[1:]),
        interval=int(check.get("Interval") or 0) / _SECOND or usual.interval,
        timeout=int(check.get("Timeout") or 0) / _SECOND or usual.timeout,
        retries=int(check.get("Retries") or 0) or usual.retries,
        start_period=int(check.get("StartPeriod") or 0) / _SECOND,
    )


def _more(config: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    found = {word: host[key] for key, word in _MORE.items() if host.get(key)}
    devices = [
        f"{device['PathOnHost']}:{device['PathInContainer']}:{device.get('CgroupPermissions') or 'rwm'}"
        for device in host.get("Devices") or ()
    ]
    return {**found, **({"devices": devices} if devices else {}), **({"tty": True} if config.get("Tty") else {})}
