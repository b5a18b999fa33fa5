"""The engine's inspect documents as :class:`~..wire.models.Container`. Pure, and lenient about what is missing."""

from __future__ import annotations

import calendar
import re
import shlex
from typing import Any, cast, get_args

from ..wire.models import Container, ContainerState, Health, Port

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:\s*(Z|[+-]\d\d:?\d\d))?")
_STATES = frozenset(get_args(ContainerState))
_PODMAN_STATES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}
_HEALTHS = frozenset(get_args(Health))


def container(inspect: dict[str, Any]) -> Container:
    """A container out of its inspect document (Docker API 1.41 and later, Podman 4 and later)."""
    state = _mapping(inspect, "State")
    config = _mapping(inspect, "Config")
    host = _mapping(inspect, "HostConfig")
    settings = _mapping(inspect, "NetworkSettings")
    status = state_of(str(state.get("Status") or ""), running=bool(state.get("Running")))
    started = timestamp(state.get("StartedAt"))
    policy = _mapping(host, "RestartPolicy")
    return Container(
        id=str(inspect["Id"]),
        name=str(inspect.get("Name") or "").lstrip("/"),
        image=str(config.get("Image") or inspect.get("ImageName") or inspect.get("Image") or ""),
        image_id=str(inspect.get("Image") or ""),
        command=_command(inspect),
        state=status,
        health=_health(state),
        exit_code=_number(state.get("ExitCode")) if status in ("exited", "dead") and started else None,
        created=timestamp(inspect.get("Created")),
        started=started,
        finished=timestamp(state.get("FinishedAt")),
        restarts=_number(inspect.get("RestartCount")),
        restart_policy=_policy(policy),
        ports=_ports(settings, config),
        networks=tuple(sorted(_mapping(settings, "Networks"))),
        labels={str(k): str(v) for k, v in _mapping(config, "Labels").items()},
        pid=_number(state.get("Pid")),
        tty=bool(config.get("Tty")),
        log_driver=str(_mapping(host, "LogConfig").get("Type") or ""),
        oom_killed=bool(state.get("OOMKilled")),
    )


def timestamp(text: object) -> float:
    """Unix time of an RFC 3339 time; 0.0 for none, the engine's zero time or nonsense."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        return 0.0
    year = int(match[1])
    if year < 1970:
        return 0.0
    seconds = calendar.timegm((year, int(match[2]), int(match[3]), int(match[4]), int(match[5]), int(match[6])))
    return seconds - _offset(match[8]) + float(match[7] or 0)


def state_of(word: str, *, running: bool) -> ContainerState:
    """A state by the engine's word for it (Podman has words of its own), else by whether it runs."""
    word = word.lower()
    word = _PODMAN_STATES.get(word, word)
    if word not in _STATES:
        word = "running" if running else "exited"
    return cast("ContainerState", word)


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _mapping(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _health(state: dict[str, Any]) -> Health:
    status = str((_mapping(state, "Health") or _mapping(state, "Healthcheck")).get("Status") or "")
    return cast("Health", status) if status in _HEALTHS else ""


def _policy(policy: dict[str, Any]) -> str:
    name = str(policy.get("Name") or "")
    limit = _number(policy.get("MaximumRetryCount"))
    return f"{name}:{limit}" if name == "on-failure" and limit else name


def _command(inspect: dict[str, Any]) -> str:
    arguments = inspect.get("Args")
    words = [inspect.get("Path"), *(arguments if isinstance(arguments, list) else [])]
    return shlex.join(str(word) for word in words if word is not None)


def _ports(settings: dict[str, Any], config: dict[str, Any]) -> tuple[Port, ...]:
    """Published ports as they are bound now, and exposed ones that are not. IPv4 and IPv6 wildcards are one."""
    found: set[tuple[int, str, int | None, str]] = set()
    published = _mapping(settings, "Ports")
    for spec in {**_mapping(config, "ExposedPorts"), **published}:
        private, _, protocol = str(spec).partition("/")
        if not private.isdigit():
            continue
        bindings = published.get(spec)
        for binding in bindings if isinstance(bindings, list) else []:
            public = str(binding.get("HostPort") or "")
            if public.isdigit():
                ip = str(binding.get("HostIp") or "")
                found.add((int(private), protocol or "tcp", int(public), "" if ip in ("0.0.0.0", "::") else ip))
        if not bindings:
            found.add((int(private), protocol or "tcp", None, ""))
    ordered = sorted(found, key=lambda port: (port[0], port[1], port[2] or 0, port[3]))
    return tuple(Port(private=a, protocol=b, public=c, ip=d) for a, b, c, d in ordered)
