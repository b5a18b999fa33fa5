"""The fleet at a glance: one summary a server, and what is wrong with it. Pure reading of the live state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.errors import HostKeyUnknownError
from komodo_tui.domain.levels import disk_percent, fullest, host_levels, memory_percent
from komodo_tui.domain.units import count_text, duration_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import ServerLive

_NAMED = 5
"""Containers named in one problem; more are counted."""


class ContainerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Containers by what matters about them."""

    total: int = 0
    running: int = 0
    exited: int = 0
    """Stopped after an exit code of 0, or never started."""
    failed: int = 0
    """Stopped by themselves with another exit code, or dead."""
    restarting: int = 0
    unhealthy: int = 0


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The fullest file system."""

    path: str
    total: int
    used: int
    percent: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes."""

    total: int
    used: int
    percent: float


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is not as it should be."""

    message: str
    hint: str = ""


class EngineSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The engine of a server."""

    status: str
    name: str = ""
    version: str = ""
    message: str = ""


class ServerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One server. What is not known is None; ``seen`` dates what is."""

    name: str
    address: str
    tags: tuple[str, ...]
    status: str
    since: float
    """Unix time at which the status began."""
    seen: float
    """Unix time of the last live data; 0 = never."""
    error: Trouble | None
    latency: float | None
    """Seconds."""
    agent: str | None
    upgrade_available: bool
    hostname: str | None
    os: str | None
    cores: int | None
    booted: float | None
    engine: EngineSummary | None
    cpu: float | None
    """Percent of all cores."""
    load: tuple[float, float, float] | None
    memory: Memory | None
    disk: Disk | None
    containers: ContainerCounts


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should look at."""

    server: str
    level: Literal["warning", "critical"]
    message: str
    hint: str = ""


def summarize(server: ServerLive) -> ServerSummary:
    """What is known of a server now."""
    sample, host, disk = server.sample, server.host, fullest(server.filesystems)
    return ServerSummary(
        name=server.name,
        address=server.definition.address,
        tags=server.definition.tags,
        status=server.status,
        since=server.since,
        seen=server.seen,
        error=Trouble(message=server.error.message, hint=server.error.hint) if server.error else None,
        latency=server.latency,
        agent=server.hello.version if server.hello else None,
        upgrade_available=server.upgrade_available,
        hostname=host.hostname if host else None,
        os=host.os if host else None,
        cores=host.cores if host else None,
        booted=host.booted if host else None,
        engine=_engine(server),
        cpu=sample.cpu if sample else None,
        load=sample.load if sample else None,
        memory=Memory(total=sample.memory_total, used=sample.memory_used, percent=memory_percent(sample))
        if sample
        else None,
        disk=Disk(path=disk.path, total=disk.total, used=disk.used, percent=disk_percent(disk)) if disk else None,
        containers=count_containers(server.containers.values()),
    )


def count_containers(containers: Iterable[Container]) -> ContainerCounts:
    """Count them by state."""
    counts = dict.fromkeys(("total", "running", "exited", "failed", "restarting", "unhealthy"), 0)
    for container in containers:
        counts["total"] += 1
        counts["running"] += container.state == "running"
        counts["restarting"] += container.state == "restarting"
        counts["failed"] += has_failed(container)
        counts["exited"] += container.state in ("exited", "created") and not has_failed(container)
        counts["unhealthy"] += container.state == "running" and container.health == "unhealthy"
    return ContainerCounts(**counts)


def has_failed(container: Container) -> bool:
    """Whether it ended in a way nobody asked for: 137 and 143 are what a stop leaves behind."""
    if container.state == "dead":
        return True
    return container.state == "exited" and (container.oom_killed or container.exit_code not in (0, None, 137, 143))


def problems(server: ServerLive) -> list[Problem]:
    """What is wrong with a server, the worst first."""
    if not server.live:
        return [_away(server)]
    found = [*_engine_problems(server), *_figures(server), *_containers(server)]
    if server.upgrade_available and server.hello is not None:
        found.append(
            Problem(
                server=server.name,
                level="warning",
                message=f"its agent is of version {server.hello.version}",
                hint=f"komodo-tui server install-agent {server.name}",
            )
        )
    return sorted(found, key=lambda problem: problem.level != "critical")


def _away(server: ServerLive) -> Problem:
    message = server.error.message if server.error else "no answer yet"
    if server.seen:
        message += f"; last seen {duration_text(time.time() - server.seen)} ago"
    return Problem(server=server.name, level="critical", message=message, hint=next_step(server))


def next_step(server: ServerLive) -> str:
    """What helps a server that is away, as something to type where there is a command for it."""
    if isinstance(server.error, HostKeyUnknownError):
        fingerprint = server.error.fingerprint
        return f"compare it with the server's own, then: komodo-tui server accept-key {server.name} {fingerprint}"
    return server.error.hint if server.error else "wait longer with --timeout"


def _engine(server: ServerLive) -> EngineSummary | None:
    engine = server.engine
    if engine is None:
        return None
    return EngineSummary(status=engine.status, name=engine.name, version=engine.version, message=engine.message)


def _engine_problems(server: ServerLive) -> Iterable[Problem]:
    engine = server.engine
    if engine is not None and engine.status != "up":
        level: Literal["warning", "critical"] = "warning" if engine.status in ("starting", "absent") else "critical"
        yield Problem(server=server.name, level=level, message=engine.message or f"the engine is {engine.status}")


def _figures(server: ServerLive) -> Iterable[Problem]:
    disk = fullest(server.filesystems)
    levels = host_levels(server.sample, server.filesystems, server.definition.alerts)
    for what, level in levels.items():
        if level == "ok":
            continue
        if what == "disk" and disk is not None:
            text = f"{disk.path} is {percent_text(disk_percent(disk))} full"
        elif server.sample is not None:
            share = server.sample.cpu if what == "cpu" else memory_percent(server.sample)
            text = f"{what} is at {percent_text(share)}"
        else:
            continue
        yield Problem(server=server.name, level=level, message=text)


def _containers(server: ServerLive) -> Iterable[Problem]:
    containers = sorted(server.containers.values(), key=lambda container: container.name)
    groups: tuple[tuple[str, Literal["warning", "critical"], list[Container]], ...] = (
        ("unhealthy", "critical", [c for c in containers if c.state == "running" and c.health == "unhealthy"]),
        ("restarting again and again", "critical", [c for c in containers if c.state == "restarting"]),
        ("failed", "warning", [c for c in containers if has_failed(c)]),
    )
    for text, level, found in groups:
        if found:
            names = ", ".join(container.name for container in found[:_NAMED])
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            yield Problem(
                server=server.name, level=level, message=f"{count_text(len(found), 'container')} {text}: {names}{more}",
                hint=f"komodo-tui logs --tail 20 {server.name}/{found[0].name}",
            )  # fmt: skip
