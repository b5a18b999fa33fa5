"""One running container, read through descriptors that stay open while it runs.

How long such descriptors live (tried on kernels 5.10 to 6.18): once the container has stopped, its cgroup files answer
``ENODEV`` for ever, also when it has started again in a cgroup of the same path. ``/proc/<pid>/net/dev`` never fails:
the descriptor keeps the dead network namespace, which then shows ``lo`` alone. So all of them are closed on the first
error and opened anew for the next run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..wire.models import ContainerSample
from . import counters
from .cgroups import find_paths
from .descriptors import KeptFile, open_optional

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cgroups import Hierarchies

_FULL_LOOK = 10.0
"""Seconds after which a container that burns no CPU is read in full again."""
_LIMIT_LOOK = 30.0
"""Seconds between looks at the memory limit, which only ``docker update`` changes."""
_SHORTEST = 0.2
"""Seconds below which a rate says more about the clock than about the container."""


class CgroupReader:
    """Reads one run of one container. Not thread-safe."""

    __slots__ = (
        "_block", "_clock", "_cpu", "_cpu_file", "_files", "_full_at", "_host_total", "_inactive", "_io_file", "_last",
        "_limit", "_limit_at", "_limit_path", "_looked_at", "_memory_file", "_net", "_net_file", "_pids_file",
        "_stat_file", "_usage", "_v1_block", "_version",
    )  # fmt: skip

    def __init__(
        self, container: str, pid: int, hierarchies: Hierarchies, *, proc: str, host_total: int,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        """Open its files and take the first counts.

        Raises:
            CgroupError: its cgroup is not visible from here.
            OSError: the process is gone, or its files may not be read.
        """
        with open(f"{proc}/{pid}/cgroup", "rb") as file:
            paths = find_paths(file.read(), hierarchies, container)
        self._version = paths.version
        self._clock = clock
        self._host_total = host_total
        self._limit_path = paths.memory_limit
        self._v1_block = paths.io.endswith("io_service_bytes")
        self._files: list[KeptFile] = []
        self._cpu_file = KeptFile(paths.cpu)
        self._files.append(self._cpu_file)
        self._memory_file = self._keep(paths.memory)
        self._stat_file = self._keep(paths.memory_stat)
        self._io_file = self._keep(paths.io)
        self._pids_file = self._keep(paths.pids)
        self._net_file = None if uses_host_network(proc, pid) else self._keep(f"{proc}/{pid}/net/dev")
        self._last: ContainerSample | None = None
        self._usage = -1
        self._inactive = 0
        self._limit_at = 0.0
        self._limit = 0
        try:
            self._looked_at = self._full_at = clock() / 1e9
            self._cpu = self._read_cpu()
            self._net = self._read_network()
            self._block = self._read_block()
        except (OSError, ValueError):
            self.close()
            raise

    def _keep(self, path: str) -> KeptFile | None:
        file = open_optional(path) if path else None
        if file is not None:
            self._files.append(file)
        return file

    def sample(self) -> tuple[ContainerSample, float] | None:
        """The container now and the seconds since the look before; None when that look was only just.

        CPU % = Δ CPU time / Δ monotonic time x 100, so 100 is one core. Docker divides by the host's ticks instead;
        the two differ by less than 0.5 % of the figure.
        A container whose CPU counter stands still has done nothing: it gives the same object as before, with no
        rates, and is read in full every 10 s only.

        Raises:
            OSError: it has stopped.
            ValueError: a file that reads as no kernel writes it.
        """
        now = self._clock() / 1e9
        elapsed = now - self._looked_at
        if elapsed < _SHORTEST:
            return None
        cpu = self._read_cpu()
        idle = cpu == self._cpu
        if idle and self._last is not None and now - self._full_at < _FULL_LOOK:
            self._looked_at = now
            if self._last.cpu or self._last.net_rx or self._last.net_tx or self._last.block_read:
                self._last = self._without_rates(self._last)
            return self._last, elapsed
        percent = (cpu - self._cpu) / (elapsed * 1e7)
        # What moved while the container was idle moved at any time since the last full look, else since the last one.
        self._last = self._full(percent, now, now - self._full_at if idle else elapsed)
        self._cpu, self._looked_at, self._full_at = cpu, now, now
        return self._last, elapsed

    def close(self) -> None:
        """Give all descriptors back."""
        for file in self._files:
            file.close()

    def _full(self, percent: float, now: float, seconds: float) -> ContainerSample:
        net, block = self._read_network(), self._read_block()
        before_net, before_block = self._net, self._block
        self._net, self._block = net, block
        read = written = None
        if block is not None:
            since = before_block or (0, 0)
            read, written = counters.rate(since[0], block[0], seconds), counters.rate(since[1], block[1], seconds)
        return ContainerSample(
            cpu=round(max(percent, 0.0), 2),
            memory=self._read_memory(),
            memory_limit=self._read_limit(now),
            net_rx=counters.rate(before_net[0], net[0], seconds),
            net_tx=counters.rate(before_net[1], net[1], seconds),
            block_read=read,
            block_write=written,
            pids=int(self._pids_file.read()) if self._pids_file else 0,
        )

    def _without_rates(self, last: ContainerSample) -> ContainerSample:
        none = None if last.block_read is None else 0.0
        return ContainerSample(
            cpu=0.0, memory=last.memory, memory_limit=last.memory_limit, net_rx=0.0, net_tx=0.0,
            block_read=none, block_write=none, pids=last.pids,
        )  # fmt: skip

    def _read_cpu(self) -> int:
        data = self._cpu_file.read()
        return counters.cpu_v1(data) if self._version == 1 else counters.cpu_v2(data)

    def _read_memory(self) -> int:
        """Usage less inactive page cache. ``memory.stat`` is the dearest file (7 µs): read when usage has moved."""
        if self._memory_file is None:
            return 0
        usage = int(self._memory_file.read())
        if usage != self._usage and self._stat_file is not None:
            self._inactive = counters.inactive_file(self._stat_file.read(), self._version)
        self._usage = usage
        return counters.memory_used(usage, self._inactive)

    def _read_limit(self, now: float) -> int:
        if self._limit_path and now - self._limit_at >= _LIMIT_LOOK:
            self._limit_at = now
            file = open_optional(self._limit_path)
            if file is not None:
                try:
                    self._limit = counters.memory_limit(file.read(), self._host_total)
                finally:
                    file.close()
        return self._limit

    def _read_network(self) -> tuple[int, int]:
        return counters.network(self._net_file.read_table()) if self._net_file else (0, 0)

    def _read_block(self) -> tuple[int, int] | None:
        if self._io_file is None:
            return None
        data = self._io_file.read()
        return counters.block_v1(data) if self._v1_block else counters.block_v2(data)


def uses_host_network(proc: str, pid: int) -> bool:
    """Whether a process is in our own network namespace: then its traffic is the host's, and Docker shows none.

    Only root may read another's namespace; for others the interfaces and their counts tell.
    """
    try:
        return os.stat(f"{proc}/{pid}/ns/net").st_ino == os.stat(f"{proc}/self/ns/net").st_ino
    except OSError:
        pass
    try:
        before, its, after = (_interfaces(f"{proc}/{who}/net/dev") for who in ("self", str(pid), "self"))
    except OSError:
        return False
    return its.keys() == before.keys() == after.keys() and all(
        before[name][way] <= its[name][way] <= after[name][way] for name in its for way in (0, 1)
    )


def _interfaces(path: str) -> dict[bytes, tuple[int, int]]:
    file = KeptFile(path)
    try:
        return counters.interfaces(file.read_table())
    finally:
        file.close()
