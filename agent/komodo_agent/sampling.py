"""The sources of metrics behind one face: the newest sample of each, and what their rings hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from .feed_client import SHORTEST_INTERVAL
from .metrics.containers import ContainerMetrics, Running
from .metrics.filesystems import Filesystems
from .metrics.host import HostMetrics
from .metrics.processes import TopProcesses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .wire.models import Container, ContainerSample, Device, Filesystem, History, HostSample, Process

_PROCESSES = 40
"""How many of the busiest."""
_PROCESSES_EVERY = 2.0
_FILESYSTEMS_EVERY = 5.0
_NOTICEABLE = 0.001
"""Share of a file system that has to move before it is told."""


class Sampler:
    """Takes all samples. Every call is cheap and made from the hub's one task."""

    def __init__(self, containers: ContainerMetrics) -> None:
        self._host = HostMetrics()
        self._containers = containers
        self._filesystems = Filesystems()
        self._top = TopProcesses()
        self._followed: dict[str, Running] = {}
        self._looked_at_filesystems = self._looked_at_processes = float("-inf")
        self._busiest: tuple[Process, ...] = ()
        self.taken = float("-inf")
        """Monotonic time of the newest sample…"""
        self.at = 0.0
        """…and its Unix time."""
        self.host: HostSample | None = None
        self.containers: dict[str, ContainerSample] = {}
        """By id; replaced as a whole by each sample."""
        self.filesystems: tuple[Filesystem, ...] = ()
        """Replaced only when one changed noticeably."""

    def follow(self, containers: Iterable[Container]) -> None:
        """Sample these containers from now on: those of them that have processes."""
        running = {c.id: Running(id=c.id, pid=c.pid, started=c.started) for c in containers if c.pid > 0}
        gone = self._followed.keys() - {c.id for c in containers}
        if running != self._followed:
            self._containers.update(running.values())
        for cid in gone:
            self._containers.forget(cid)
        self._followed = running

    def take(self) -> None:
        """Take a sample of the host and of every running container."""
        self.at, self.taken = time.time(), time.monotonic()
        self.host = self._host.sample(self.at)
        self.containers = self._containers.sample(self.at)
        if self.taken - self._looked_at_filesystems >= _FILESYSTEMS_EVERY:
            self._looked_at_filesystems = self.taken
            seen = tuple(map(_encodable, self._filesystems.read()))
            if _moved(self.filesystems, seen):
                self.filesystems = seen

    def refresh(self) -> None:
        """Take a sample unless the newest is fresh."""
        if time.monotonic() - self.taken >= SHORTEST_INTERVAL:
            self.take()

    def devices(self) -> tuple[Device, ...]:
        """Rates of disks and network interfaces at the newest sample."""
        return self._host.devices()

    def processes(self) -> tuple[Process, ...]:
        """The host's busiest processes, looked at again at most every two seconds."""
        if self.taken - self._looked_at_processes >= _PROCESSES_EVERY:
            self._looked_at_processes = self.taken
            self._busiest = self._top.sample(_PROCESSES)
        return self._busiest

    @property
    def asks_engine(self) -> bool:
        """Whether a sample costs the engine work: the files of some container are out of reach."""
        return self._containers.asks_engine

    async def close(self) -> None:
        """Give all descriptors back."""
        await self._containers.close()
        self._host.close()
        self._filesystems.close()
        self._top.release()

    def host_history(self, window: float) -> History:
        """The host's rings over the last ``window`` seconds."""
        return self._host.history(window)

    def container_history(self, container_id: str, window: float) -> History:
        """The rings of a container over the last ``window`` seconds."""
        return self._containers.history(container_id, window)


def _encodable(filesystem: Filesystem) -> Filesystem:
    """The same with a path that JSON can hold: any user may mount at a path that is no UTF-8."""
    if filesystem.path.isascii() and filesystem.device.isascii():
        return filesystem
    path, device = (
        text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for text in (filesystem.path, filesystem.device)
    )
    return msgspec.structs.replace(filesystem, path=path, device=device)


def _moved(before: tuple[Filesystem, ...], now: tuple[Filesystem, ...]) -> bool:
    """Whether somebody who watches file systems should hear of it."""

    def same(old: Filesystem, new: Filesystem) -> bool:
        fixed = (old.path, old.device, old.kind, old.total, old.stalled_since is None)
        if fixed != (new.path, new.device, new.kind, new.total, new.stalled_since is None):
            return False
        return max(abs(old.used - new.used), abs(old.available - new.available)) <= new.total * _NOTICEABLE

    return len(before) != len(now) or not all(map(same, before, now))
