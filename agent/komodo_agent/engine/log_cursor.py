"""How far a client is in one source."""

from __future__ import annotations

import re
import time

from .. import timestamps
from ..wire.logs import LogCaughtUp, LogGap, LogSource
from .log_lines import Window, time_of

_TAG = re.compile(r"[!-~]{2}", re.ASCII)


class Cursor:
    """What was asked of a source, and the last line that was sent.

    Args:
        source: the client's wish.

    Raises:
        ValueError: a time in it is none, or the tag is not two printable ASCII characters.
    """

    def __init__(self, source: LogSource) -> None:
        if not _TAG.fullmatch(source.tag):
            raise ValueError(f"a tag is two printable ASCII characters, not {source.tag[:10]!r}")
        if source.tail is not None and source.tail < 0:
            raise ValueError("tail cannot be negative")
        self.tag = source.tag
        self.tail = None if source.after else source.tail
        """A resume sends all that is new: ``tail`` was for the beginning."""
        self.since = _time(source.since)
        self.until = _time(source.until)
        self.last = _time(source.after)
        """TIME of the last line the client has or was sent; empty before the first."""
        self.count = source.after_count
        """Lines it has with exactly that time."""
        self.caught_up = False

    def window(self) -> Window:
        """The filter of ``since`` and ``until``."""
        return Window(self.since, self.until)

    def note(self, lines: list[bytes]) -> None:
        """These were sent."""
        if not lines:
            return
        last, count = time_of(lines[-1]), 0
        for line in reversed(lines):
            if time_of(line) != last:
                break
            count += 1
        if count == len(lines) and last == self.last:
            count += self.count
        self.last, self.count = last, count

    def gap(self, lines: int | None, size: int, reason: str) -> LogGap:
        """A hole after the last line."""
        return LogGap(tag=self.tag, after=self.last.decode(), lines=lines, size=size, reason=reason)

    def catch_up(self) -> list[LogCaughtUp]:
        """The past has been sent. Gives the event that says so, once."""
        if self.caught_up:
            return []
        self.caught_up = True
        self.tail = None
        return [LogCaughtUp(tag=self.tag)]

    def past_until(self) -> bool:
        """Whether the clock is past ``until``, so that nothing more can come."""
        return bool(self.until) and now().encode() > self.until


def now() -> str:
    """TIME of this moment."""
    return timestamps.fixed(time.time_ns())


def _time(text: str) -> bytes:
    return timestamps.fixed(timestamps.parse(text)).encode() if text else b""
