"""A fleet that exists in memory alone: many servers' worth of containers, and the frames their agents would send."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

from komodo_agent.wire.feed import Samples, Snapshot, encoder, frame_decoder
from komodo_agent.wire.models import Container, ContainerSample, Engine, Host, HostSample
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.cleaning import clean_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.fleet.live import FleetState

NOW = 1_700_000_000.0
_STATES = ("running",) * 9 + ("exited",)


def containers(server: str, count: int) -> tuple[Container, ...]:
    """Containers of stacks of five; one of ten has ended."""
    found = []
    for n in range(count):
        stack = f"shop-{n // 5:03d}"
        state = _STATES[n % len(_STATES)]
        found.append(
            Container(
                id=hashlib.sha256(f"{server}/{n}".encode()).hexdigest(),
                name=f"{stack}-{('api', 'web', 'worker', 'redis', 'db')[n % 5]}-1",
                image=f"registry.example/team/app{n % 40}:{n % 7}.{n % 13}",
                state=state,  # type: ignore[arg-type]
                started=NOW - 3600 - n,
                finished=NOW - 60 if state == "exited" else 0.0,
                restarts=n % 3,
                labels={"com.docker.compose.project": stack, "com.docker.compose.service": f"svc{n % 5}"},
            )
        )
    return tuple(found)


def made(roll: Callable[[], float], running: Sequence[str], at: float, cpu: float | None = None) -> Samples:
    """Figures of one second: each another one, but for the host's ``cpu`` where it is given."""
    figures = {
        key: ContainerSample(
            cpu=roll() * 200, memory=int(roll() * 1e9), memory_limit=0, net_rx=roll() * 1e6, net_tx=roll() * 1e6,
            block_read=roll() * 1e5, block_write=roll() * 1e5, pids=int(roll() * 90) + 1,
        )
        for key in running
    }  # fmt: skip
    host = HostSample(
        at=at, cpu=roll() * 100 if cpu is None else cpu, cores=(roll() * 100,) * 8, load=(roll(), roll(), roll()),
        memory_total=1 << 34, memory_used=int(roll() * 1e10), memory_cached=0, swap_total=0, swap_used=0,
        net_rx=roll() * 1e6, net_tx=roll() * 1e6, disk_read=0.0, disk_write=0.0,
    )  # fmt: skip
    return Samples(at=at, host=host, containers=figures)


class Fleet:
    """``servers`` servers with ``each`` containers, told to a :class:`~komodo_tui.fleet.live.FleetState`."""

    def __init__(self, state: FleetState, servers: int, each: int) -> None:
        self.state = state
        self._random = random.Random(1)
        self._ids: dict[str, list[str]] = {}
        for n in range(servers):
            self._add(f"server-{n:02d}", each)

    def _add(self, name: str, each: int) -> None:
        self.state.define(ServerDefinition(name=name, address=name))
        self.state.set_status(name, "up")
        listed = containers(name, each)
        self._ids[name] = [container.id for container in listed if container.state == "running"]
        host = Host(hostname=name, os="Debian", kernel="6", arch="x86_64", cores=8, memory=1 << 34, booted=NOW - 1e6)
        snapshot = Snapshot(at=NOW, host=host, engine=Engine(status="up"), containers=listed, filesystems=())
        self.state.apply(name, [clean_message(snapshot)])

    def frames(self, at: float) -> dict[str, bytes]:
        """What every agent would send for this second: each figure another one."""
        return {name: encoder.encode([self._samples(name, at)]) for name in self._ids}

    def _samples(self, name: str, at: float) -> Samples:
        return made(self._random.random, self._ids[name], at)

    def take(self, frames: dict[str, bytes]) -> None:
        """Take frames in as the client's feed does: decoded, cleaned, into the state."""
        for name, frame in frames.items():
            self.state.apply(name, [clean_message(message) for message in frame_decoder.decode(frame)])
