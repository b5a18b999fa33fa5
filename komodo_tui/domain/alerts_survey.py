"""From live state to readings: what is not well right now, before any patience. Pure but for a memory of restarts."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from komodo_tui.domain.alerts import HERE, Scope, Subject
from komodo_tui.domain.levels import Level, disk_percent, level, memory_percent
from komodo_tui.domain.servers import Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from komodo_agent.wire.models import Container, Engine, Filesystem, HostSample
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.servers import ServerDefinition

RESTARTS = Threshold(3.0, 6.0)
"""Restarts within :data:`WINDOW`; the engine waits up to a minute between two, so a loop shows about ten."""
WINDOW = 600.0
_COUNTED = 100
"""Restarts of a container that are counted at most."""
RECENT = 3600.0
"""Seconds before the very first look from which on an exit still counts as news."""
_MARGINS = {"cpu": 5.0, "memory": 3.0, "swap": 5.0, "disk": 1.0, "restarts": 0.0, "load": 30.0, "pressure": 10.0}
"""Hysteresis, in the unit of the value: a level that was reached is left this much below its limit."""
_MANY, _MOST_OF = 3, 0.8
"""Servers, and their share of all remote ones, that are away together only where our own network is down."""
_FULL_BY_NATURE = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "udf", "romfs"})
_ASKED_TO_STOP = frozenset({0, 130, 137, 143})
"""Exit codes of containers that ended their work or were told to: by SIGINT, SIGKILL, SIGTERM."""
_RESTARTED_BY_ENGINE = frozenset({"always", "unless-stopped"})
_CANNOT_START = frozenset({125, 126, 127, 128})


class Server(Protocol):
    """What is read of a server; ``fleet.live.ServerLive`` is one."""

    definition: ServerDefinition
    error: KomodoError | None
    engine: Engine | None
    sample: HostSample | None
    filesystems: tuple[Filesystem, ...]
    containers: dict[str, Container]

    @property
    def status(self) -> str:
        """One of ``fleet.live.ServerStatus``."""
        ...


class Reading(msgspec.Struct, frozen=True):
    """Something is not well."""

    subject: Subject
    level: Level
    """What it is now."""
    held: Level
    """What it still counts as, where it has been worse: limits less the margin."""
    value: float | None
    text: str
    old: bool = False
    """It happened before anybody watched: no news, but no end of an open alert either."""
    lasts: float | None = None
    """Seconds it has to last before it is an alert; None = what is usual of its kind."""


class Survey(NamedTuple):
    """All that is not well, and how far that is the whole truth."""

    readings: list[Reading]
    told: frozenset[tuple[str, Scope]]
    """(server, scope) that spoke: what is not among its readings is well."""
    servers: frozenset[str]
    """All that are managed."""


def joined(survey: Survey, more: Survey) -> Survey:
    """Both as one."""
    return Survey(survey.readings + more.readings, survey.told | more.told, survey.servers | more.servers)


class Surveyor:
    """Looks at servers. It remembers restarts, since engines tell only how many there were."""

    def __init__(self, last_look: float | None) -> None:
        """``last_look``: Unix time at which somebody evaluated alerts last; None = never."""
        self._news_from: float | None = last_look
        self._counts: dict[str, dict[str, int]] = {}
        self._restarts: dict[str, dict[str, deque[float]]] = {}
        self._old: dict[str, set[str]] = {}
        """Containers that had ended before they were first seen here. Only for these the server's clock is believed."""

    def survey(self, servers: Mapping[str, Server], at: float, now: float) -> Survey:
        """Look once. ``at``: monotonic seconds; ``now``: Unix time."""
        if self._news_from is None:
            self._news_from = now - RECENT
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
                readings += self._containers(name, server.containers, at)
            elif engine.status != "absent":
                bad: Level = "critical" if engine.status == "down" else "warning"
                readings.append(Reading(Subject(name, "engine"), bad, bad, None, engine.message or engine.status))
        for gone in self._counts.keys() - servers.keys():
            del self._counts[gone]
            self._old.pop(gone, None)
            self._restarts.pop(gone, None)
        return Survey(readings, frozenset(told), frozenset({*servers, HERE}))

    def _containers(self, server: str, containers: Mapping[str, Container], at: float) -> Iterator[Reading]:
        before = self._counts.get(server, {})
        old_before, old_now = self._old.get(server, set()), set[str]()
        self._old[server] = old_now
        self._counts[server] = {key: container.restarts for key, container in containers.items()}
        for key, container in containers.items():
            more = container.restarts - before.get(key, container.restarts)
            if more > 0:
                looped = self._restarts.setdefault(server, {})
                looped.setdefault(container.name, deque(maxlen=_COUNTED)).extend([at] * min(more, _COUNTED))
            if container.state != "running" or container.health == "unhealthy" or container.oom_killed:
                old = key in old_before or (key not in before and container.finished < (self._news_from or 0.0))
                if old and container.state != "running":
                    old_now.add(key)
                yield from _not_well(server, container, old)
        yield from self._loops(server, at)

    def _loops(self, server: str, at: float) -> Iterator[Reading]:
        looped = self._restarts.get(server, {})
        for name, times in list(looped.items()):
            while times and at - times[0] > WINDOW:
                times.popleft()
            if times:
                more = "or more " if len(times) == _COUNTED else ""
                text = f"{len(times)} {more}restarts in the last {WINDOW / 60:.0f} minutes"
                yield _figure(Subject(server, "restarts", name), float(len(times)), RESTARTS, text)
            else:
                del looped[name]


def _not_well(server: str, container: Container, old: bool) -> Iterator[Reading]:
    name = container.name
    if container.oom_killed:
        bad: Level = "warning" if container.state == "running" else "critical"
        text = "the kernel ended a process of it: no memory left"
        yield Reading(Subject(server, "oom", name), bad, bad, None, text, old and container.state != "running")
    elif container.state in ("exited", "dead") and (down := _down(container)) != "ok":
        text = f"{container.state} with code {container.exit_code}"
        yield Reading(Subject(server, "down", name), down, down, None, text, old)
    if container.health == "unhealthy" and container.state == "running":
        text = "its health check fails"
        yield Reading(Subject(server, "unhealthy", name), "critical", "critical", None, text)


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
        _figure(Subject(name, "cpu"), sample.cpu, limits.cpu, f"CPU {sample.cpu:.0f}%"),
        _percent(Subject(name, "memory"), memory_percent(sample), limits.memory, "memory"),
    ]
    if sample.swap_total:
        found.append(_percent(Subject(name, "swap"), 100 * sample.swap_used / sample.swap_total, limits.swap, "swap"))
    if sample.cores:
        load = 100 * sample.load[0] / len(sample.cores)
        words = f"load {sample.load[0]:.1f} on {len(sample.cores)} cores"
        found.append(_figure(Subject(name, "load"), load, limits.load, words))
    if sample.pressure is not None:
        for what, share in (("memory", sample.pressure.memory_some), ("disk", sample.pressure.io_some)):
            words = f"processes wait for {what} {share:.0f}% of the time"
            found.append(_figure(Subject(name, "pressure", what), share, limits.pressure, words))
    for one in server.filesystems:
        if one.total and one.stalled_since is None and one.kind not in _FULL_BY_NATURE:
            found.append(_percent(Subject(name, "disk", one.path), disk_percent(one), limits.disk, one.path))
    return (reading for reading in found if reading.held != "ok")


def _percent(subject: Subject, value: float, threshold: Threshold, what: str) -> Reading:
    return _figure(subject, value, threshold, f"{what} {value:.0f}% used")


def _figure(subject: Subject, value: float, threshold: Threshold, text: str) -> Reading:
    held = level(value + _MARGINS[subject.kind], threshold)
    return Reading(subject, level(value, threshold), held, value, text, lasts=threshold.seconds)


def _down(container: Container) -> Level:
    """How bad it is that a container does not run; fine where it had done its work, or somebody stopped it."""
    code = container.exit_code
    if container.state == "dead":
        return "critical"
    if code is None or code in _ASKED_TO_STOP:
        return "ok"
    if container.restart_policy in _RESTARTED_BY_ENGINE:
        # the engine starts it again, so it stays down only where somebody stopped it or it cannot be started
        return "critical" if code in _CANNOT_START else "ok"
    return "critical" if container.restart_policy.startswith("on-failure") else "warning"
