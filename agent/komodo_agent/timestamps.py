"""RFC 3339 timestamps with nanoseconds, which ``datetime`` does not keep."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import datetime
from functools import lru_cache

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2}|)", re.ASCII
)
_UNIX = re.compile(r"(\d{1,11})(?:\.(\d{1,9})\d*)?", re.ASCII)
_SECOND = 1_000_000_000


def parse(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time (no zone = UTC) or of Unix seconds with or without decimals.

    Raises:
        ValueError: it is neither.
    """
    unix = _UNIX.fullmatch(text)
    if unix:
        return int(unix[1]) * _SECOND + _fraction(unix[2])
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is neither an RFC 3339 time nor Unix seconds")
    day, clock, fraction, zone = match.groups()
    seconds = timegm(datetime.fromisoformat(f"{day}T{clock}").timetuple())
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += offset if zone[0] == "-" else -offset
    return seconds * _SECOND + _fraction(fraction)


def fixed(nanoseconds: int) -> str:
    """As RFC 3339 in UTC with exactly nine decimals: 30 characters that sort as the times do."""
    seconds, fraction = divmod(nanoseconds, _SECOND)
    return f"{_to_second(seconds)}.{fraction:09d}Z"


def unix(nanoseconds: int) -> str:
    """As Unix seconds with nine decimals, the form the engine's ``since`` and ``until`` take."""
    seconds, fraction = divmod(nanoseconds, _SECOND)
    return f"{seconds}.{fraction:09d}"


@lru_cache(maxsize=256)
def _to_second(seconds: int) -> str:
    # not fromtimestamp: that needs a time zone object, and fails before 1970 on some platforms
    days, rest = divmod(seconds, 86400)
    return f"{_day(days)}T{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"


@lru_cache(maxsize=64)
def _day(days: int) -> str:
    return datetime.fromordinal(719163 + days).strftime("%Y-%m-%d")  # 719163 is 1970-01-01


def _fraction(digits: str | None) -> int:
    return int(digits.ljust(9, "0")) if digits else 0
