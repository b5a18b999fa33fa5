"""From figures to a judgement: fine, worth a look, bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Filesystem, HostSample
    from komodo_tui.domain.servers import Threshold, Thresholds

Level = Literal["ok", "warning", "critical"]
_ORDER: tuple[Level, ...] = ("ok", "warning", "critical")


def level(value: float, threshold: Threshold) -> Level:
    """Where a percentage stands; a limit counts as reached."""
    if value >= threshold.critical:
        return "critical"
    return "warning" if value >= threshold.warning else "ok"


def worst(levels: Iterable[Level]) -> Level:
    """The worst of them; ok when there are none."""
    return max(levels, key=_ORDER.index, default="ok")


def memory_percent(sample: HostSample) -> float:
    """Memory used, in percent of all there is."""
    return 100.0 * sample.memory_used / sample.memory_total if sample.memory_total else 0.0


def disk_percent(filesystem: Filesystem) -> float:
    """Space used, as ``df`` counts it: of what a user could have."""
    usable = filesystem.used + filesystem.available
    return 100.0 * filesystem.used / usable if usable else 0.0


def fullest(filesystems: Iterable[Filesystem]) -> Filesystem | None:
    """The file system with the least room left."""
    return max((f for f in filesystems if f.total), key=disk_percent, default=None)


def host_levels(
    sample: HostSample | None, filesystems: Iterable[Filesystem], thresholds: Thresholds
) -> dict[str, Level]:
    """The level of each of ``cpu``, ``memory`` and ``disk`` that is known."""
    found: dict[str, Level] = {}
    if sample is not None:
        found["cpu"] = level(sample.cpu, thresholds.cpu)
        found["memory"] = level(memory_percent(sample), thresholds.memory)
    disk = fullest(filesystems)
    if disk is not None:
        found["disk"] = level(disk_percent(disk), thresholds.disk)
    return found
