"""Points in time as people type them: how long ago, or a date."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from komodo_tui.domain.errors import UsageError

_AGO = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SECONDS = (86400, 3600, 60, 1)


def parse_moment(text: str, *, now: float | None = None) -> float:
    """``15m``, ``2h30m``, ``7d`` ago; ``02:00`` when it was last; Unix seconds; or a date.

    Dates are like ``2026-11-24`` and ``2026-11-24T19:00:00Z``; without an offset, local time. Returns Unix seconds.

    Raises:
        UsageError: it is none of these.
    """
    now = time.time() if now is None else now
    ago = _AGO.fullmatch(text)
    if text and ago:
        return now - sum(int(part or 0) * unit for part, unit in zip(ago.groups(), _SECONDS, strict=True))
    clock = _CLOCK.fullmatch(text)
    if clock:
        return _last(text, *(int(part or 0) for part in clock.groups()), now=now)
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise _no_time(text) from None


def _last(text: str, hour: int, minute: int, second: int, *, now: float) -> float:
    """When the clock last showed this, in local time."""
    try:
        today = datetime.fromtimestamp(now).replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        raise _no_time(text) from None
    return (today if today.timestamp() <= now else today - timedelta(days=1)).timestamp()


def _no_time(text: str) -> UsageError:
    hint = "like 15m, 2h30m, 7d, 02:00, 2026-11-24 or 2026-11-24T19:00:00Z"
    return UsageError(f"{text!r} is no time", hint=hint)
