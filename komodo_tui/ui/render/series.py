"""What figures were: what the agent remembers, continued by what it says live. Pure, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.models import History, HostSample

WINDOWS = (300.0, 900.0, 3600.0, 21600.0)
"""Seconds a graph may look back: 5m, 15m, 1h, 6h."""
_LIVE_KEPT = 4096
"""Samples kept since the history was last asked for; it is asked for again long before."""

Point = tuple[float, float]
"""Unix time and value."""


class Series:
    """Points by name, oldest first."""

    def __init__(self) -> None:
        self._past: dict[str, list[Point]] = {}
        self._live: dict[str, list[Point]] = {}
        self._last = 0.0

    @property
    def newest(self) -> float:
        """Time of the newest live sample taken in; 0 = none."""
        return self._last

    def take_history(self, history: History) -> None:
        """What the agent remembers; live samples it covers are dropped."""
        for name, values in history.series.items():
            start = history.end - history.step * (len(values) - 1)
            self._past[name] = [(start + n * history.step, v) for n, v in enumerate(values) if v is not None]
            live = self._live.get(name, [])
            self._live[name] = [point for point in live if point[0] > history.end]

    def take(self, at: float, figures: Mapping[str, float | None]) -> None:
        """One more look, at this Unix time; one that was taken already, or an older one, changes nothing."""
        if at <= self._last:
            return
        self._last = at
        for name, value in figures.items():
            if value is not None:
                points = self._live.setdefault(name, [])
                points.append((at, value))
                del points[:-_LIVE_KEPT]

    def values(self, name: str, window: float, count: int, end: float) -> tuple[float | None, ...]:
        """``count`` values over the ``window`` seconds before ``end``: the mean of what falls into each part.

        The parts lie on a fixed grid of time, so a graph moves by whole cells, not by a shimmer each second.
        A part without a point takes the one before it, when points are known to be sparser than parts.
        """
        size = window / count
        first = int(end // size) - count + 1
        sums: list[list[float]] = [[] for _ in range(count)]
        for points in (self._past.get(name, ()), self._live.get(name, ())):
            for at, value in points:
                part = int(at // size) - first
                if 0 <= part < count:
                    sums[part].append(value)
        return _filled([sum(part) / len(part) if part else None for part in sums], self._reach(name, size))

    def _reach(self, name: str, size: float) -> int:
        """How many parts one point stands for: more than one where the agent's own step is coarser."""
        points = self._past.get(name, ())
        if len(points) < 2:
            return 2
        step = (points[-1][0] - points[0][0]) / (len(points) - 1)
        return int(step / size) + 2


def _filled(values: list[float | None], reach: int) -> tuple[float | None, ...]:
    found: list[float | None] = []
    last, age = None, 0
    for value in values:
        if value is not None:
            last, age = value, 0
        else:
            age += 1
        found.append(value if value is not None else last if age < reach else None)
    return tuple(found)


def host_figures(sample: HostSample) -> Mapping[str, float]:
    """``cpu memory swap net_rx net_tx disk_read disk_write load``."""
    return {
        "cpu": sample.cpu, "memory": float(sample.memory_used), "swap": float(sample.swap_used),
        "net_rx": sample.net_rx, "net_tx": sample.net_tx, "disk_read": sample.disk_read,
        "disk_write": sample.disk_write, "load": sample.load[0],
    }  # fmt: skip
