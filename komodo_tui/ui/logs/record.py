"""A wire line taken apart, and its time as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from komodo_agent.wire.logs import PREFIX, TAG, TIME
from komodo_tui.operations.log_batch import STREAM_AT, TIME_AT

NOTICE_TAG = b"--"
"""Tag of lines that are ours: gaps, ends, lost connections. No container has it."""


class Record(NamedTuple):
    """One line of the log."""

    tag: bytes
    error: bool
    """Standard error."""
    time: str
    """RFC 3339 with nine decimals in UTC; empty where the line has none that can be read."""
    raw: bytes
    """What the program wrote."""

    @property
    def notice(self) -> bool:
        """Whether the line is ours."""
        return self.tag == NOTICE_TAG


def parse(line: bytes) -> Record:
    """Take a wire line apart; a line that is none is all text."""
    time = line[TIME_AT : TIME_AT + TIME]
    if len(line) < PREFIX or time[-1:] != b"Z" or not time.isascii():
        return Record(line[:TAG], False, "", line[PREFIX:])
    text = time.decode("ascii")
    return Record(line[:TAG], line[STREAM_AT : STREAM_AT + 1] == b"e", text, line[PREFIX:])


def notice(time: str, text: str) -> bytes:
    """A wire line of ours; ``text`` is clean."""
    return NOTICE_TAG + b"o" + time.encode("ascii").ljust(TIME)[:TIME] + b" " + text.encode() + b"\n"


def stamp(seconds: float) -> str:
    """Unix time as the wire writes it."""
    whole = datetime.fromtimestamp(int(seconds), UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{int(seconds % 1 * 1e9):09}Z"


def unix(time: str) -> float | None:
    """Seconds since 1970 of a wire time; None when it cannot be read."""
    try:
        return datetime.fromisoformat(time[:19] + "+00:00").timestamp() + float("0" + time[19:29])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _local(second: str) -> tuple[str, str]:
    try:
        moment = datetime.fromisoformat(second + "+00:00").astimezone()
    except ValueError:
        return "?", "?"
    return f"{moment:%m-%d}", f"{moment:%H:%M:%S}"


def day(time: str) -> str:
    """``11-24``: the day of a wire time here."""
    return _local(time[:19])[0]


def absolute(time: str, *, with_day: bool = False) -> str:
    """``09:12:03.114`` here, with the day before it where lines of several days are seen."""
    date, clock = _local(time[:19])
    return f"{date} {clock}.{time[20:23]}" if with_day else f"{clock}.{time[20:23]}"


def full(time: str) -> str:
    """``2026-11-24 09:12:03.114215478 +0100``: all there is to know."""
    try:
        moment = datetime.fromisoformat(time[:19] + "+00:00").astimezone()
    except ValueError:
        return "unknown"
    return f"{moment:%Y-%m-%d %H:%M:%S}{time[19:29]} {moment:%z}"


def relative(time: str, now: float) -> str:
    """How long ago, in at most five columns: ``0.2s``, ``12s``, ``3m04``, ``2h11``, ``5d``."""
    at = unix(time)
    if at is None:
        return "?"
    age = max(0.0, now - at)
    if age < 10:
        return f"{age:.1f}s"
    if age < 60:
        return f"{int(age)}s"
    minutes, seconds = divmod(int(age), 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}" if hours < 48 else f"{hours // 24}d"
