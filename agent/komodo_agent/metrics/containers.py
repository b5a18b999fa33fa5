"""How the running containers are: each by its cgroup files, or by the engine where those are out of reach."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ..wire.models import ContainerSample, History
from .api_stats import ApiReader
from .cgroup_reader import CgroupReader
from .cgroups import CgroupError, parse_mounts
from .facts import memory_total
from .rings import NAN, Rings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .api_stats import ApiStats

SERIES = ("cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids")
_FINE, _COARSE = 300, 240
_RETRY = 60.0
"""Seconds until the files of a container that had none in reach are looked for again."""


class Running(msgspec.Struct, frozen=True):
    """A running (or paused) container, as the tracker knows it."""

    id: str
    """Full id."""
    pid: int
    """Of its first process, in the host's numbers; 0 when the engine does not say."""
    started: float
    """Unix time; tells one run from the next."""


class ContainerMetrics:
    """Samples and history of all running containers. Owned by the event loop; nothing here blocks or raises.

    Args:
        api_stats: asks the engine for one-shot stats of several containers; see :data:`~.api_stats.ApiStats`.
            None = containers without readable files have no samples.
        proc: where /proc is.
        clock: monotonic nanoseconds.
    """

    def __init__(
        self, api_stats: ApiStats | None = None, *, proc: str = "/proc", clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._proc = proc
        self._clock = clock
        self._host_total = memory_total(proc)
        self._api = ApiReader(api_stats, self._host_total) if api_stats else None
        self._running: dict[str, Running] = {}
        self._readers: dict[str, CgroupReader] = {}
        self._by_api: dict[str, float] = {}
        """Containers without files in reach, and when to look again (seconds of the monotonic clock)."""
        self._rings: dict[str, Rings] = {}

    def update(self, running: Iterable[Running]) -> None:
        """Tell which containers run now. Those that stopped are closed, those that started are opened."""
        now = {each.id: each for each in running}
        for container in [c for c, was in self._running.items() if now.get(c) != was]:
            self._close(container)
        started = [each for container, each in now.items() if self._running.get(container) != each]
        self._running = now
        self._open(started)

    def sample(self, now: float) -> dict[str, ContainerSample]:
        """Look at every running container and remember what was seen.

        A container that did nothing gives the very object of the look before. One that has only just started is left
        out until there is something to compare with; so is one that has stopped, until :meth:`update` says so.

        Args:
            now: Unix time.
        """
        found: dict[str, ContainerSample] = {}
        gone: list[str] = []
        for container, reader in self._readers.items():
            try:
                seen = reader.sample()
            except (OSError, ValueError):
                gone.append(container)
                continue
            if seen is not None:
                found[container] = seen[0]
                self._remember(container, now, *seen)
        for container in gone:
            self._readers.pop(container).close()
        if self._by_api:
            self._sample_by_api(now, found)
        return found

    def history(self, container: str, window: float) -> History:
        """The last ``window`` seconds of a container, running or not; without values when it was never seen."""
        rings = self._rings.get(container)
        if rings is None:
            return History(step=1.0, end=time.time(), series={name: [] for name in SERIES})
        return rings.history(window)

    def forget(self, container: str) -> None:
        """Drop a container that was removed, with its history."""
        self._close(container)
        self._running.pop(container, None)
        self._rings.pop(container, None)

    @property
    def asks_engine(self) -> bool:
        """Whether some containers are known from the engine's stats alone."""
        return bool(self._by_api)

    async def close(self) -> None:
        """Give all descriptors back and end the fetch that may be out."""
        for container in list(self._running):
            self._close(container)
        if self._api is not None:
            await self._api.close()

    def _sample_by_api(self, now: float, found: dict[str, ContainerSample]) -> None:
        monotonic = self._clock() / 1e9
        due = [self._running[container] for container, at in self._by_api.items() if monotonic >= at]
        if due:
            self._open(due)
        if self._api is None:
            return
        for container, (sample, covers) in self._api.sample(tuple(self._by_api), monotonic).items():
            found[container] = sample
            self._remember(container, now, sample, covers)

    def _remember(self, container: str, now: float, sample: ContainerSample, covers: float) -> None:
        rings = self._rings.get(container)
        if rings is None:
            rings = self._rings[container] = Rings(SERIES, fine=_FINE, coarse=_COARSE)
        read, write = sample.block_read, sample.block_write
        values = (
            sample.cpu, sample.memory, sample.net_rx, sample.net_tx,
            NAN if read is None else read, NAN if write is None else write, sample.pids,
        )  # fmt: skip
        rings.push(now, values, covers)

    def _open(self, started: Iterable[Running]) -> None:
        """Open the files of these, or note that they are to be asked of the engine."""
        hierarchies = None
        for each in started:
            try:
                if hierarchies is None:
                    with open(f"{self._proc}/self/mountinfo", "rb") as file:
                        hierarchies = parse_mounts(file.read())
                self._readers[each.id] = CgroupReader(
                    each.id, each.pid, hierarchies, proc=self._proc, host_total=self._host_total, clock=self._clock
                )
            except (CgroupError, OSError, ValueError):
                self._by_api[each.id] = self._clock() / 1e9 + _RETRY
            else:
                self._by_api.pop(each.id, None)

    def _close(self, container: str) -> None:
        reader = self._readers.pop(container, None)
        if reader is not None:
            reader.close()
        self._by_api.pop(container, None)
        if self._api is not None:
            self._api.forget(container)
