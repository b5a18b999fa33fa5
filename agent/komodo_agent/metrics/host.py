"""How the host is: processor, memory, load, network, disks and pressure, read from kept /proc files.

Through psutil the same costs three times as much, and pressure is not among it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..wire.models import Device, HostSample, Pressure
from .descriptors import KeptFile, open_optional
from .devices import DeviceCounters
from .rings import Rings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.models import History

SERIES = ("cpu", "memory", "net_rx", "net_tx", "disk_read", "disk_write")
_FINE, _COARSE = 900, 1440
_CACHE = (b"\nBuffers", b"\nCached", b"SReclaimable")
_MEMINFO = (b"MemTotal", b"MemFree", b"MemAvailable", b"SwapTotal", b"SwapFree", *_CACHE)
_IDLE_FIELDS = (3, 4)
"""``idle`` and ``iowait`` of a line of /proc/stat."""
_CPU_FIELDS = 8
"""``user`` to ``steal``; the guest times after them are part of ``user`` and ``nice`` already."""


class HostMetrics:
    """Samples and history of this machine. Owned by the event loop; nothing here blocks.

    Args:
        proc: where /proc is.
        sys: where /sys is.
        clock: monotonic nanoseconds.
    """

    def __init__(self, *, proc: str = "/proc", sys: str = "/sys", clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Open the files and take the first counts.

        Raises:
            OSError: this is no Linux, or /proc is not mounted.
        """
        self._clock = clock
        self._stat = KeptFile(f"{proc}/stat")
        self._meminfo = KeptFile(f"{proc}/meminfo")
        self._loadavg = KeptFile(f"{proc}/loadavg")
        self._pressure = tuple(open_optional(f"{proc}/pressure/{what}") for what in ("cpu", "memory", "io"))
        self._counters = DeviceCounters(proc=proc, sys=sys)
        self._devices: tuple[Device, ...] = ()
        self._rings = Rings(SERIES, fine=_FINE, coarse=_COARSE)
        self._at = clock()
        self._ticks = cpu_ticks(self._stat.read())
        self._counters.read(0.0)

    def sample(self, now: float) -> HostSample:
        """Look at the host and remember what was seen. Rates are averages since the look before.

        Args:
            now: Unix time.
        """
        clock = self._clock()
        seconds, self._at = (clock - self._at) / 1e9, clock
        before, self._ticks = self._ticks, cpu_ticks(self._stat.read())
        cores = tuple(
            busy(before[name], ticks) for name, ticks in self._ticks.items() if name != b"cpu" and name in before
        )
        self._devices, totals = self._counters.read(seconds)
        memory = meminfo(self._meminfo.read())
        total = memory.get(b"MemTotal", 0)
        load = self._loadavg.read().split()
        sample = HostSample(
            at=now,
            cpu=busy(before[b"cpu"], self._ticks[b"cpu"]),
            cores=cores,
            load=(float(load[0]), float(load[1]), float(load[2])),
            memory_total=total,
            memory_used=total - memory.get(b"MemAvailable", memory.get(b"MemFree", 0)),
            memory_cached=sum(memory.get(key, 0) for key in _CACHE),
            swap_total=memory.get(b"SwapTotal", 0),
            swap_used=memory.get(b"SwapTotal", 0) - memory.get(b"SwapFree", 0),
            net_rx=totals.received,
            net_tx=totals.sent,
            disk_read=totals.read,
            disk_write=totals.written,
            pressure=self._read_pressure(),
        )
        values = (sample.cpu, sample.memory_used, sample.net_rx, sample.net_tx, sample.disk_read, sample.disk_write)
        self._rings.push(now, values, seconds)
        return sample

    def devices(self) -> tuple[Device, ...]:
        """Rates of each disk and network interface, as of the last sample."""
        return self._devices

    def history(self, window: float) -> History:
        """The last ``window`` seconds; in steps of 15 s where that is more than 15 minutes."""
        return self._rings.history(window)

    def close(self) -> None:
        """Give all descriptors back."""
        for file in (self._stat, self._meminfo, self._loadavg, *self._pressure):
            if file is not None:
                file.close()
        self._counters.close()

    def _read_pressure(self) -> Pressure | None:
        try:
            some, full = zip(*(averages(file.read()) for file in self._pressure if file is not None), strict=True)
        except (OSError, ValueError):  # a kernel without PSI, or booted with psi=0
            return None
        if len(some) != len(self._pressure):
            return None
        return Pressure(some[0], some[1], full[1], some[2], full[2])


def cpu_ticks(stat: bytes) -> dict[bytes, tuple[int, int]]:
    """Ticks (all, idle) by ``cpu``, ``cpu0``, … out of /proc/stat (proc(5))."""
    found = {}
    for line in stat.split(b"\n"):
        if not line.startswith(b"cpu"):
            break
        name, *rest = line.split()
        ticks = [int(field) for field in rest[:_CPU_FIELDS]]
        found[name] = (sum(ticks), sum(ticks[n] for n in _IDLE_FIELDS))
    return found


def busy(before: tuple[int, int], now: tuple[int, int]) -> float:
    """Percent of the time between two looks that was not idle: 100 x (Δ all - Δ idle) / Δ all.

    Source: psutil, ``_cpu_busy_time``. The idle counters may step back a little (``iowait``, see proc(5)).
    """
    passed = now[0] - before[0]
    if passed <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100.0 * (passed - (now[1] - before[1])) / passed)), 2)


def meminfo(data: bytes) -> dict[bytes, int]:
    """Bytes by name out of /proc/meminfo, whose unit is KiB; of the rows that are used, those that this kernel has."""
    found = {}
    for name in _MEMINFO:
        start = data.find(name + b":")
        if start >= 0:
            found[name] = int(data[start + len(name) + 1 : data.index(b"kB", start)]) * 1024
    return found


def averages(pressure: bytes) -> tuple[float, float]:
    """The 10 s averages of ``some`` and ``full`` out of a file of /proc/pressure; ``full`` is 0 where there is none."""
    found = {}
    for line in pressure.splitlines():
        kind, _, rest = line.partition(b" avg10=")
        found[kind] = float(rest.split(b" ", 1)[0])
    return found.get(b"some", 0.0), found.get(b"full", 0.0)
