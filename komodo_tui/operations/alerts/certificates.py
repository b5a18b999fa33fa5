"""When the certificates of published ports end. Each port is asked over the connection to its server that is there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.alerts_readings import Reading, Survey
from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.fleet.tls import NoTlsError, certificate_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.levels import Level
    from komodo_tui.domain.settings import CertificateSettings
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.manager import FleetManager

LOOK = 60.0
"""Seconds between two looks for ports whose turn it is."""
_NO_TLS = 7 * 86400.0
"""Seconds until a port that does not speak TLS is asked again; one of a container started anew is asked at once."""
_SOON = 600.0
"""…and one whose certificate is about to end: it may have been renewed."""
_FAILED = 1800.0
_AT_ONCE = 8
_PORTS = 64
"""Of one server in one look."""
_DAY = 86400.0
_OTHER_PROTOCOLS = frozenset({22, 25, 53, 80, 110, 143, 587, 1433, 1521, 3306, 5432, 6379, 9092, 11211, 27017})
"""Ports inside of containers where something else than TLS comes first: not asked, their logs would show it."""
_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
Address = tuple[str, int]


class _Known(NamedTuple):
    """What a port answered."""

    container: str
    started: float
    due: float
    """Monotonic: when it is asked again."""
    ends: float | None
    """Unix time; None = it does not speak TLS, or nobody answered yet."""


class CertificateSurvey:
    """:meth:`run` asks, :meth:`latest` tells."""

    def __init__(
        self,
        fleet: FleetManager,
        settings: Callable[[], CertificateSettings],
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fleet = fleet
        self._settings = settings
        self._now = now
        self._monotonic = monotonic
        self._known: dict[str, dict[Address, _Known]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Ask the ports whose turn it is."""
        if not self._settings().seconds:
            return
        servers: Mapping[str, ServerLive] = self._fleet.state.servers
        self._known = {name: known for name, known in self._known.items() if name in servers}
        await asyncio.gather(*(self._ask_all(name, live) for name, live in servers.items() if live.engine_live))

    def latest(self) -> Survey:
        """What is about to end, by what is published now."""
        settings = self._settings()
        if not settings.seconds:  # what was open is over: nobody looks for it any more
            return Survey([], frozenset((name, "ports") for name in self._fleet.state.servers), frozenset())
        warning, critical = parse_duration(settings.warning), parse_duration(settings.critical)
        now, readings, told = self._now(), list[Reading](), set[str]()
        for name, known in self._known.items():
            live = self._fleet.state.servers.get(name)
            if live is None or not live.engine_live:
                continue
            told.add(name)
            if not any(one.ends is not None and one.ends - now < warning for one in known.values()):
                continue
            for container, address in _published(live.containers.values()):
                found = known.get(address)
                if found is None or found.container != container.id or found.ends is None:
                    continue
                left = found.ends - now
                if left < warning:
                    level: Level = "critical" if left < critical else "warning"
                    subject = Subject(name, "certificate", f"{container.name}:{address[1]}")
                    readings.append(Reading(subject, level, level, left / _DAY, _words(found.ends, left)))
        return Survey(readings, frozenset((name, "ports") for name in told), frozenset())

    async def _ask_all(self, server: str, live: ServerLive) -> None:
        known = self._known.setdefault(server, {})
        published = {address: container for container, address in _published(live.containers.values())}
        for gone in known.keys() - published.keys():
            del known[gone]
        due = [address for address, container in published.items() if self._due(known.get(address), container)]
        await asyncio.gather(*(self._ask(server, address, published[address], known) for address in due[:_PORTS]))

    def _due(self, known: _Known | None, container: Container) -> bool:
        if known is None or (known.container, known.started) != (container.id, container.started):
            return True
        return self._monotonic() >= known.due

    async def _ask(self, server: str, address: Address, container: Container, known: dict[Address, _Known]) -> None:
        async with self._turns:
            settings, before = self._settings(), known.get(address)
            ends = before.ends if before is not None and before.container == container.id else None
            try:
                tunnel = await self._fleet.link(server).tunnel()
                ends = await certificate_end(await tunnel.dial(*address), server)
                risky = ends - self._now() < parse_duration(settings.warning)
                wait = min(_SOON, settings.seconds) if risky else settings.seconds
            except NoTlsError:
                ends, wait = None, _NO_TLS
            except KomodoError:
                wait = _FAILED  # what was known of it stays
        known[address] = _Known(container.id, container.started, self._monotonic() + wait, ends)


def _published(containers: Iterable[Container]) -> Iterator[tuple[Container, Address]]:
    for container in containers:
        if container.state != "running":
            continue
        for port in container.ports:
            if port.public and port.protocol == "tcp" and port.private not in _OTHER_PROTOCOLS:
                yield container, (_ANY.get(port.ip, port.ip), port.public)


def _words(ends: float, left: float) -> str:
    return f"ended {time_text(ends)}" if left <= 0 else f"ends in {duration_text(left)}, {time_text(ends)}"
