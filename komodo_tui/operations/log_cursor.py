"""Where the reading of one container's log stands, so that it goes on without losing or doubling a line."""

from __future__ import annotations

from collections import Counter, deque
from itertools import accumulate
from typing import TYPE_CHECKING

from komodo_agent.wire.logs import TIME
from komodo_tui.operations.log_batch import TIME_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

MARGIN = 64
"""Lines asked for again on a resume. Engines stamp standard output and standard error before they take the
log's lock, so neighbours may stand in the log out of their order in time; resuming after the very last time
seen would lose such a line. What comes twice is recognised and dropped here."""
_KEEP = 256 * 1024
"""Bytes beyond which fewer than MARGIN lines will do."""

_WHOLE = b".000000000Z"


class Cursor:
    """Remembers the end of what was received of one source."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()  # the last lines received, at most a little over MARGIN
        self._counts: deque[int] = deque()
        self._forgot = False
        self._run_time = b""
        self._run = 0
        self._had: Counter[bytes] = Counter()
        self._look = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was ever received."""
        return not self._frames

    def advance(self, data: bytes) -> bytes:
        """Take whole wire lines of the source as they arrive; return those that were not there before."""
        if self._had:
            data = self._without_known(data)
            if not data:
                return data
        self._count_run(data)
        end, count = _last_lines(data, MARGIN)
        self._frames.append(end)
        self._counts.append(count)
        self._forgot |= len(end) < len(data)
        while len(self._frames) > 1 and (
            sum(self._counts) - self._counts[0] >= MARGIN or sum(map(len, self._frames)) > _KEEP
        ):
            self._frames.popleft()
            self._counts.popleft()
            self._forgot = True
        return data

    def resume(self) -> tuple[str, int] | None:
        """``(after, after_count)`` to ask for what follows; None when nothing was received yet.

        What the answer repeats is dropped by :meth:`advance`.
        """
        if not self._frames:
            return None
        lines = _split(self._frames)
        times = [line[TIME_AT : TIME_AT + TIME] for line in lines]
        after = self._clean_cut(times)
        if after is None:
            self._had, self._look = Counter(), 0
            return self._run_time.decode("ascii", "replace"), self._run
        self._had = Counter(line for line, time in zip(lines, times, strict=True) if time > after)
        self._look = 4 * MARGIN + len(lines)
        return after.decode("ascii", "replace"), times.count(after)

    def _clean_cut(self, times: list[bytes]) -> bytes | None:
        """A time, early among the last ones, that is later than all before it and not later than any behind it."""
        # How many lines of the oldest time there are is not known where some were forgotten, or were never asked for
        # (`tail`) of an engine whose times are whole seconds; so that one will not do there.
        unsure = self._forgot or times[0].endswith(_WHOLE)
        least = list(accumulate(reversed(times), min))[::-1]
        greatest = list(accumulate(times, max))
        for i in range(max(int(unsure), len(times) - MARGIN), len(times)):
            if times[i] == least[i] and (i == 0 or greatest[i - 1] < times[i]):
                return times[i]
        return None

    def _without_known(self, data: bytes) -> bytes:
        kept = []
        for line in _split((data,)):
            self._look -= 1
            if self._had[line] > 0:
                self._had[line] -= 1
            else:
                kept.append(line)
        self._had = +self._had
        if self._look <= 0:
            self._had = Counter()
        return b"\n".join([*kept, b""]) if kept else b""

    def _count_run(self, data: bytes) -> None:
        """Keep the number of lines at the end of the log that share the last time."""
        end, run = len(data) - 1, 0
        start = data.rfind(b"\n", 0, end) + 1
        last = data[start + TIME_AT : start + TIME_AT + TIME]
        while data[start + TIME_AT : start + TIME_AT + TIME] == last:
            run += 1
            if start == 0:
                break
            end = start - 1
            start = data.rfind(b"\n", 0, end) + 1
        whole = start == 0 and data[TIME_AT : TIME_AT + TIME] == last
        self._run = run + (self._run if whole and last == self._run_time else 0)
        self._run_time = last


def _split(frames: Iterable[bytes]) -> list[bytes]:
    lines = b"".join(frames).split(b"\n")
    lines.pop()
    return lines


def _last_lines(data: bytes, limit: int) -> tuple[bytes, int]:
    """The end of the data, at most ``limit`` lines, and their number."""
    count, start = 0, len(data)
    while start > 0 and count < limit:
        start = data.rfind(b"\n", 0, start - 1) + 1
        count += 1
    return data[start:], count
