"""Points in time as people type them: how long ago, or a date."""

from __future__ import annotations

import re
import time
from datetime import datetime

from komodo_tui.domain.errors import UsageError

_AGO = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS = (86400, 3600, 60, 1)


def parse_moment(text: str, *, now: float | None = None) -> float:
    """``15m``, ``2h30m``, ``7d`` ago; Unix seconds; or a date (``2026-11-24``, ``2026-11-24T19:00:00Z``).

    A date without an offset is local time. Returns Unix time in seconds.

    Raises:
        UsageError: it is none of these.
    """
    now = time.time() if now is None else now
    ago = _AGO.fullmatch(text)
    if text and ago:
        return now - sum(int(part or 0) * unit for part, unit in zip(ago.groups(), _SECONDS, strict=True))
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{text!r} is no time", hint="like 15m, 2h30m, 7d, 2026-11-24 or 2026-11-24T19:00:00Z"
        ) from None
