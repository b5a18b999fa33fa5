"""From live state to readings: what is not well right now, before any patience.

Pure but for what is remembered of containers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from komodo_tui.domain.alerts import HERE, Scope, Subject
from komodo_tui.domain.alerts_containers import ContainerSurvey
from komodo_tui.domain.alerts_readings import Reading, Survey, figure
from komodo_tui.domain.levels import Level, disk_percent, memory_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from komodo_agent.wire.models import Container, Engine, Filesystem, HostSample, Oom
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.servers import ServerDefinition, Threshold

RECENT = 3600.0
"""Seconds before the very first look, and before the last one of a process that is gone, from which on what still is so
counts as news: that process may have ended before it had lasted long enough, or before it had found out."""
_MANY, _MOST_OF = 3, 0.8
"""Servers, and their share of all remote ones, that are away together only where our own network is down."""
_FULL_BY_NATURE = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "udf", "romfs"})


class Server(Protocol):
    """What is read of a server; ``fleet.live.ServerLive`` is one."""

    definition: ServerDefinition
    error: KomodoError | None
    engine: Engine | None
    sample: HostSample | None
    filesystems: tuple[Filesystem, ...]
    containers: dict[str, Container]

    @property
    def ooms(self) -> Iterable[Oom]:
        """The latest kills for want of memory."""
        ...

    @property
    def status(self) -> str:
        """One of ``fleet.live.ServerStatus``."""
        ...


class Surveyor:
    """Looks at servers."""

    def __init__(self, last_look: float | None) -> None:
        """``last_look``: Unix time at which somebody evaluated alerts last; None = never."""
        self._last_look = last_look
        self._news_from = last_look - RECENT if last_look is not None else 0.0
        self._containers: dict[str, ContainerSurvey] = {}

    def survey(self, servers: Mapping[str, Server], at: float, now: float) -> Survey:
        """Look once. ``at``: monotonic seconds; ``now``: Unix time."""
        if self._last_look is None:
            self._last_look = now - RECENT
            self._news_from = self._last_look
        readings: list[Reading] = []
        told: set[tuple[str, Scope]] = {(HERE, "server")}
        network = _network(servers)
        readings += network
        for name, server in servers.items():
            if server.status not in ("connecting", "unreachable") or (server.status == "unreachable" and not network):
                told.add((name, "server"))
            if server.status != "up":
                readings += _unreachable(name, server) if (name, "server") in told else ()
                continue
            if server.sample is not None:
                told.add((name, "host"))
                readings += _host(name, server, server.sample)
            engine = server.engine
            if engine is None or engine.status == "starting":
                continue
            told.add((name, "agent"))
            if engine.status == "up":
                told.add((name, "engine"))
                known = self._containers.get(name)
                if known is None:
                    known = self._containers[name] = ContainerSurvey(self._news_from, self._last_look)
                there = server.sample.at if server.sample is not None else now
                readings += known.survey(name, server.containers, server.ooms, at, there)
            elif engine.status != "absent":
                bad: Level = "critical" if engine.status == "down" else "warning"
                readings.append(Reading(Subject(name, "engine"), bad, bad, None, engine.message or engine.status))
        for gone in self._containers.keys() - servers.keys():
            del self._containers[gone]
        return Survey(readings, frozenset(told), frozenset({*servers, HERE}))


def _network(servers: Mapping[str, Server]) -> list[Reading]:
    """One reading instead of many where all or most servers went at once: then it is our own network."""
    remote = [server for server in servers.values() if not server.definition.is_local]
    away = sum(server.status == "unreachable" for server in remote)
    if away < _MANY or away < _MOST_OF * len(remote):
        return []
    text = f"{away} of {len(remote)} servers cannot be reached: most likely it is the network here"
    return [Reading(Subject(HERE, "network", "this machine"), "critical", "critical", float(away), text)]


def _unreachable(name: str, server: Server) -> Iterable[Reading]:
    if server.status == "connecting":
        return ()
    why = server.error.message if server.error is not None else server.status.replace("_", " ")
    # a server whose agent was never put there, or is of another version, answers: that is no outage
    bad: Level = "warning" if server.status in ("agent_missing", "agent_mismatch", "host_key_unknown") else "critical"
    return (Reading(Subject(name, "unreachable"), bad, bad, None, why),)


def _host(name: str, server: Server, sample: HostSample) -> Iterator[Reading]:
    limits = server.definition.alerts
    found = [
        figure(Subject(name, "cpu"), sample.cpu, limits.cpu, f"CPU {sample.cpu:.0f}%"),
        _percent(Subject(name, "memory"), memory_percent(sample), limits.memory, "memory"),
    ]
    if sample.swap_total:
        found.append(_percent(Subject(name, "swap"), 100 * sample.swap_used / sample.swap_total, limits.swap, "swap"))
    if sample.cores:
        load = 100 * sample.load[0] / len(sample.cores)
        words = f"load {sample.load[0]:.1f} on {len(sample.cores)} cores"
        found.append(figure(Subject(name, "load"), load, limits.load, words))
    if sample.pressure is not None:
        for what, share in (("memory", sample.pressure.memory_some), ("disk", sample.pressure.io_some)):
            words = f"processes wait for {what} {share:.0f}% of the time"
            found.append(figure(Subject(name, "pressure", what), share, limits.pressure, words))
    for one in server.filesystems:
        if one.total and one.stalled_since is None and one.kind not in _FULL_BY_NATURE:
            found.append(_percent(Subject(name, "disk", one.path), disk_percent(one), limits.disk, one.path))
    return (reading for reading in found if reading.held != "ok")


def _percent(subject: Subject, value: float, threshold: Threshold, what: str) -> Reading:
    return figure(subject, value, threshold, f"{what} {value:.0f}% used")
