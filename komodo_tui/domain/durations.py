"""Spans of time as people type them."""

from __future__ import annotations

import re

from komodo_tui.domain.errors import UsageError

_PARTS = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_SECONDS = (86400.0, 3600.0, 60.0, 1.0)
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """``90s``, ``5m``, ``1h30m``, ``2d``, or plain seconds; empty is 0. Returns seconds.

    Raises:
        UsageError: it is none of these.
    """
    text = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise UsageError(f"{text!r} is no span of time", hint="like 30s, 5m, 1h30m or 2d")
    return sum(float(part or 0) * unit for part, unit in zip(parts.groups(), _SECONDS, strict=True))


def span_text(seconds: float) -> str:
    """``1h30m``: a span as :func:`parse_duration` reads it, to the second."""
    rest, parts = round(seconds), []
    for unit, letter in zip(_SECONDS, "dhms", strict=True):
        count, rest = divmod(rest, int(unit))
        parts.append(f"{count}{letter}" if count else "")
    return "".join(parts) or "0s"


def parse_size(text: str) -> int:
    """``512``, ``10M``, ``1.5GiB``: bytes, in steps of 1024; empty is 0.

    Raises:
        UsageError: it is none of these.
    """
    if not text.strip():
        return 0
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no size", hint="like 500K, 10M or 1.5G")
    return int(float(match[1]) * _SIZES[match[2].lower()])
