"""Signs that the engine lost lines on the way: it says nothing when a log rotates faster than it reads.

Seen on 20.10 to 28.5, with every API client: the stream jumps ahead by whole files, or falls silent for ever.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .. import timestamps
from .log_lines import time_of

if TYPE_CHECKING:
    from collections.abc import Callable

_JUMP = 0.2
"""Seconds without a line that may be a hole, when the reading was that far behind."""
_MUCH = 256 << 10
"""Bytes after which a silence may be the engine's: no log rotates on less."""
_FIRST, _LAST = 2.0, 60.0
"""Seconds of silence before the log is looked at, doubled each time nothing was missed."""


class Pace:
    """Watches the lines of one live stream.

    Args:
        clock: Unix time, on the clock that the engine stamps with.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._size = 0
        self._span = 0.0
        self._last = 0.0
        self._behind = 0.0
        self._since_look = 0
        self._patience = _FIRST

    def jump(self, lines: list[bytes]) -> int | None:
        """Index of the line before which there may be a hole; None for none. Call it with every batch, once.

        A pause in the log is suspicious only if the line before it came late: else the engine was not behind.
        """
        if not lines:
            return None
        before, behind = self._last, self._behind
        newest = _seconds(lines[-1])
        self._since_look += sum(map(len, lines))
        self._size += sum(map(len, lines))
        self._last, self._behind = newest, self._clock() - newest
        self._patience = _FIRST
        if not before:
            return None
        self._span += max(0.0, newest - before)
        if newest - before < _JUMP or behind < _JUMP:
            return None
        times = [before, *map(_seconds, lines)]
        widest = max(range(len(lines)), key=lambda n: times[n + 1] - times[n])
        hole = times[widest + 1] - times[widest]
        if hole < _JUMP:
            return None
        self._span -= hole
        return widest

    def estimate(self, after: bytes, line: bytes) -> int:
        """About how many bytes were written between a time and a line, at the pace of what was read; 0 = unknown."""
        if self._span <= 0:
            return 0
        hole = _seconds(line) - timestamps.parse(after.decode()) / 1e9
        return int(max(0.0, hole) * self._size / self._span)

    def patience(self) -> float | None:
        """Seconds of silence after which to look whether the engine still reads; None while there is no reason to."""
        return self._patience if self._since_look > _MUCH else None

    def looked(self, *, missed: bool) -> None:
        """It was looked."""
        if missed:
            self._since_look = 0
        self._patience = min(self._patience * 2, _LAST)


def _seconds(line: bytes) -> float:
    return timestamps.parse(time_of(line).decode()) / 1e9
