"""When something is due: cron expressions and plain words, in a time zone. Pure: the caller brings the time.

Five fields as cron has them (``0 3 * * *``, ``*/10 * * * *``, ``0 9 * * mon-fri``), or ``every 5 minutes``, ``every
2 hours``, ``every day at 03:00``, ``monday 09:00``, ``weekdays at 18:30``. A time that daylight saving skips or
repeats is handled as Debian's cron does.
"""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SETS = {"day": "*", "weekday": "1-5", "weekdays": "1-5", "weekend": "6,0", "weekends": "6,0"}
_EVERY = re.compile(r"every (?:(\d+) )?(minute|hour)s?")
_AT = re.compile(r"(?:every )?([a-z]+?)(s?)(?: at)? (\d{1,2}):(\d{2})")


_DAY = 86400.0
_SPANS = (3600.0, _DAY, 32 * _DAY, 400 * _DAY, 200 * 365 * _DAY)
"""Seconds before now that are looked through for due times: the next one where the one before has too few."""


class Schedule:
    """One expression, understood."""

    def __init__(self, text: str, zone: str = "", *, later: float = 0.0) -> None:
        """``zone`` is an IANA name; empty = this machine's own. ``later``: seconds by which each time is put off.

        Raises:
            UsageError: the expression or the zone cannot be read.
        """
        self.text = text.strip()
        self.cron = to_cron(self.text)
        self._zone = _zone(zone)
        self._later = later
        try:
            CronSim(self.cron, datetime(2026, 1, 1))
        except CronSimError as error:
            raise _unreadable(text, str(error)) from error

    def after(self, moment: float) -> float:
        """The first time it is due after this Unix time; Unix time.

        Raises:
            UsageError: it never is (30 February).
        """
        start = datetime.fromtimestamp(moment - self._later, UTC).astimezone(self._zone)
        try:
            return next(CronSim(self.cron, start)).timestamp() + self._later
        except StopIteration:
            raise UsageError(f"the schedule {self.text!r} is never due") from None

    def due(self, since: float, until: float, most: int = 100) -> list[float]:
        """When it was due after ``since`` and up to ``until``, oldest first, the newest ``most`` of them."""
        found: list[float] = []
        for span in _SPANS:  # a clock that was years behind must not cost a step for each minute of them
            moment, found = max(since, until - span), []
            while (moment := self.after(moment)) <= until:
                found.append(moment)
                del found[:-most]
            if len(found) == most or until - span <= since:
                break
        return found


def share_of(name: str) -> float:
    """0 to 1, always the same for a name, and spread evenly over many names."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def to_cron(text: str) -> str:
    """The expression as cron's five fields. Raises UsageError."""
    plain = " ".join(text.lower().split())
    if len(plain.split()) == 5 and re.fullmatch(r"[\d*/,\-a-z#? ]+", plain) and not plain.startswith("every"):
        return plain
    every = _EVERY.fullmatch(plain)
    if every is not None:
        return _interval(int(every[1] or 1), every[2], text)
    at = _AT.fullmatch(plain)
    if at is None:
        raise _unreadable(text)
    name, hour, minute = at[1] + (at[2] if at[1] + at[2] in _SETS else ""), int(at[3]), int(at[4])
    days = _SETS.get(name) or next((str(n) for n, day in enumerate(_DAYS) if name in (day, day[:3])), "")
    if not days or hour > 23 or minute > 59:
        raise _unreadable(text)
    return f"{minute} {hour} * * {days}"


def _interval(count: int, unit: str, text: str) -> str:
    """Only what divides its hour or day: others would be uneven at its end, and nobody would see why."""
    whole = 60 if unit == "minute" else 24
    if count < 1 or whole % count:
        raise _unreadable(text, f"{count} does not divide {whole}")
    return f"*/{count} * * * *" if unit == "minute" else f"0 */{count} * * *"


def _zone(name: str) -> tzinfo:
    if not name:
        local = datetime.now().astimezone().tzinfo
        assert local is not None
        return _local_zone() or local
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"{name!r} is no time zone", hint="like Europe/Berlin or UTC") from error


def _local_zone() -> tzinfo | None:
    """This machine's zone with its rules; None where only its present offset can be known."""
    for name in (os.environ.get("TZ", "").lstrip(":"), os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]):
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return None


def _unreadable(text: str, why: str = "") -> UsageError:
    return UsageError(
        f"the schedule {text!r} cannot be read" + (f": {why}" if why else ""),
        hint='cron fields ("0 3 * * *"), "every 10 minutes", "every day at 03:00", "monday 09:00"',
    )
