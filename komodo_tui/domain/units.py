"""Figures as people read them: sizes, rates, shares, times. All short, none with a locale."""

from __future__ import annotations

import time

_STEPS = ("B", "K", "M", "G", "T", "P", "E")


def bytes_text(size: float) -> str:
    """A size in at most four or five characters, IEC steps: ``812B``, ``1.5K``, ``312M``, ``19.6G``."""
    value = abs(float(size))
    for step in _STEPS:
        if value < 999.5 or step == _STEPS[-1]:
            break
        value /= 1024
    sign = "-" if size < 0 else ""
    if step == "B" or value >= 99.95:
        return f"{sign}{value:.0f}{step}"
    return f"{sign}{value:.1f}{step}"


def rate_text(per_second: float) -> str:
    """A rate in bytes per second, without the ``/s``: headings say it."""
    return "0" if per_second < 0.5 else bytes_text(per_second).removesuffix("B")


def percent_text(share: float, digits: int = 0) -> str:
    """``23%``."""
    return f"{share:.{digits}f}%"


def duration_text(seconds: float) -> str:
    """The largest unit alone, as ages are read: ``12s``, ``41m``, ``7h``, ``3d``; nothing negative."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"


def long_duration_text(seconds: float) -> str:
    """The two largest units: ``1h 5m``, ``3d 4h``, ``41.2s`` below a minute."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {whole % 60}s"


def latency_text(seconds: float | None) -> str:
    """A round trip: ``0.4ms``, ``18ms``, ``1.2s``; ``-`` when there is none."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.1f}s"
    return f"{seconds * 1000:.1f}ms" if seconds < 0.00995 else f"{seconds * 1000:.0f}ms"


def time_text(at: float) -> str:
    """Local date and time to the second; empty for 0, which stands for never."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at > 0 else ""


def clock_text(at: float) -> str:
    """Local time of day; empty for 0."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if at > 0 else ""


def count_text(count: int, one: str, many: str = "") -> str:
    """``1 container``, ``3 containers``."""
    return f"{count} {one if count == 1 else many or one + 's'}"
