"""Many logs into one order, without I/O and without a clock of its own.

A line is let go when no line that belongs before it can still come:

* while a source's *past* is being read, nothing is let go that is later than the last line received of it;
* *live* lines wait until every other live source has been heard of later, at most ``window`` seconds;
* a source that is *away* (ended, or its connection lost) is not waited for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from komodo_agent.wire.logs import TIME
from komodo_tui.operations.log_batch import TIME_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.operations.log_batch import LogNotice

State = Literal["past", "live", "away"]

BATCH = 256 * 1024
"""Bytes let go at once, about; so that putting lines in order never holds the event loop for long."""

_FOREVER = b"\xff"
_key = itemgetter(slice(TIME_AT, TIME_AT + TIME))


class _Chunk:
    """Whole lines of one source, or one notice among them."""

    __slots__ = ("arrived", "at", "data", "first", "keys", "last", "lines", "notice", "size")

    def __init__(self, data: bytes, first: bytes, last: bytes, arrived: float) -> None:
        self.data = data
        self.size = len(data)
        self.first = first
        self.last = last
        self.arrived = arrived
        self.notice: LogNotice | None = None
        self.lines: list[bytes] = []
        self.keys: list[bytes] = []
        self.at = 0

    def left(self) -> tuple[list[bytes], list[bytes]]:
        """Keys and lines that have not been cut off."""
        self._split()
        return self.keys[self.at :], self.lines[self.at :]

    def cut(self, bound: bytes) -> _Chunk | None:
        """Take off the lines with keys up to ``bound``."""
        self._split()
        end = bisect_right(self.keys, bound, self.at)
        if end == self.at:
            return None
        part = _Chunk(b"", self.first, self.keys[end - 1], self.arrived)
        part.keys, part.lines = self.keys[self.at : end], self.lines[self.at : end]
        part.size = sum(map(len, part.lines)) + len(part.lines)
        self.size -= part.size
        self.at, self.first = end, self.keys[end]
        return part

    def _split(self) -> None:
        if not self.lines:
            self.lines = self.data.split(b"\n")
            self.lines.pop()
            self.keys = _rising(map(_key, self.lines))
            self.last = self.keys[-1]


def _rising(keys: Iterable[bytes]) -> list[bytes]:
    """Keys as they count: a source's own order matters more than its timestamps."""
    return list(accumulate(keys, max))


class _Source:
    __slots__ = ("chunks", "group", "heard", "last", "state")

    def __init__(self, group: int) -> None:
        self.group = group
        self.state: State = "past"
        self.chunks: deque[_Chunk] = deque()
        self.last = b""
        """Key of the last line received."""
        self.heard = 0.0


class Merger:
    """Buffers lines of many sources and lets them go in order of time.

    Sources belong to a *group*: what arrives over one connection, so that one of them cannot be read further
    without the others. ``limit`` bounds the bytes of a group that wait; beyond it order gives way.
    Times are seconds of any one steady clock.
    """

    def __init__(self, *, window: float = 0.3, patience: float | None = 2.0, limit: int = 16 << 20) -> None:
        self._window = window
        self._patience = patience
        self._limit = limit
        self._sources: dict[bytes, _Source] = {}
        self._held: dict[int, int] = {}
        self.disordered: set[int] = set()
        """Groups whose limit was reached: some of their lines are not in order."""

    def add(self, tag: bytes, group: int, now: float) -> None:
        """A source whose past is about to be read, for the first time or again."""
        source = self._sources.setdefault(tag, _Source(group))
        size = sum(chunk.size for chunk in source.chunks)
        self._held[source.group] = self.held(source.group) - size
        self._held[group] = self.held(group) + size
        source.state, source.heard, source.group = "past", now, group

    def set_state(self, tag: bytes, state: State, now: float) -> None:
        """The source caught up, ended, or went away."""
        source = self._sources[tag]
        source.state, source.heard = state, now

    def release(self) -> None:
        """Wait for no source any more."""
        for source in self._sources.values():
            source.state = "away"

    def push(self, tag: bytes, data: bytes, now: float) -> None:
        """Whole lines of one source, in its order."""
        source = self._sources[tag]
        start = data.rfind(b"\n", 0, len(data) - 1) + 1
        first = data[TIME_AT : TIME_AT + TIME]
        last = max(first, data[start + TIME_AT : start + TIME_AT + TIME])
        source.last = max(source.last, last)
        source.heard = now
        source.chunks.append(_Chunk(data, first, last, now))
        self._held[source.group] += len(data)

    def push_notice(self, tag: bytes, notice: LogNotice, now: float) -> None:
        """Something that happened to a source after the lines pushed so far."""
        source = self._sources[tag]
        chunk = _Chunk(b"", source.last, source.last, now)
        chunk.notice = notice
        source.chunks.append(chunk)

    def held(self, group: int) -> int:
        """Bytes of a group that wait here."""
        return self._held.get(group, 0)

    def waited_for(self, now: float) -> set[int]:
        """Groups that must be read on before anything can go."""
        past = [s for s in self._sources.values() if s.state == "past" and not self._given_up(s, now)]
        least = min((source.last for source in past), default=b"")
        return {source.group for source in past if source.last == least}

    @property
    def limit(self) -> int:
        """Bytes a group may have waiting."""
        return self._limit

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not any(source.chunks for source in self._sources.values())

    def take(self, now: float) -> tuple[bytes, list[LogNotice]]:
        """What may go now: whole lines in order, about :data:`BATCH` bytes at most, and the notices reached."""
        waiting = [source for source in self._sources.values() if source.chunks]
        notices: list[LogNotice] = []
        runs: list[list[_Chunk]] = []
        bound = self._capped(waiting, self._bound(waiting, now))
        for source in waiting:
            chunks = self._reached(source, bound, notices)
            if chunks:
                runs.append(chunks)
        return _joined(runs), notices

    def next_time(self, now: float) -> float | None:
        """When more may go though nothing arrives; None when only something arriving can help."""
        times = []
        for source in self._sources.values():
            if source.chunks:
                times.append(source.chunks[0].arrived + self._window)
            elif source.state == "past" and self._patience is not None:
                times.append(source.heard + self._patience)
        return min((time for time in times if time > now), default=None)

    def _bound(self, waiting: list[_Source], now: float) -> bytes:
        """The key up to which lines may go."""
        past = live = _FOREVER
        for source in self._sources.values():
            if source.state == "past" and not self._given_up(source, now):
                past = min(past, source.last)
            elif source.state == "live":
                live = min(live, source.last)
        heads = [source.chunks[0].first for source in waiting if source.chunks[0].notice is None]
        if heads and past >= min(heads):
            return min(past, max(live, self._aged(waiting, now)))
        return max(
            (self._forced(waiting, group) for group, held in self._held.items() if held > self._limit), default=b""
        )

    def _given_up(self, source: _Source, now: float) -> bool:
        return self._patience is not None and not source.chunks and source.heard + self._patience <= now

    def _aged(self, waiting: list[_Source], now: float) -> bytes:
        """The greatest key among lines that have waited long enough."""
        aged = b""
        for source in waiting:
            for chunk in source.chunks:
                if chunk.arrived + self._window > now:
                    break
                aged = max(aged, chunk.last)
        return aged

    def _forced(self, waiting: list[_Source], group: int) -> bytes:
        """A key that lets some lines of the group go although order does not allow it."""
        self.disordered.add(group)
        heads = (_first_lines(source) for source in waiting if source.group == group)
        return min((chunk.last for chunk in heads if chunk is not None), default=b"")

    def _capped(self, waiting: list[_Source], bound: bytes) -> bytes:
        """A lower bound where the one given would let go more than about BATCH bytes."""
        if sum(self._held.values()) <= BATCH:
            return bound
        share = BATCH // len(waiting)
        for source in waiting:
            size = 0
            for chunk in source.chunks:
                size += chunk.size
                if size >= share:
                    bound = min(bound, chunk.last)
                    break
        return bound

    def _reached(self, source: _Source, bound: bytes, notices: list[LogNotice]) -> list[_Chunk]:
        """Take from a source what lies within the bound."""
        reached = []
        chunks = source.chunks
        while chunks:
            chunk = chunks[0]
            if chunk.notice is not None:
                notices.append(chunk.notice)
            elif chunk.last <= bound:
                reached.append(chunk)
            else:
                part = chunk.cut(bound) if chunk.first <= bound else None
                source.last = max(source.last, chunk.last)
                if part is not None:
                    reached.append(part)
                break
            chunks.popleft()
        self._held[source.group] -= sum(chunk.size for chunk in reached)
        return reached


def _first_lines(source: _Source) -> _Chunk | None:
    return next((chunk for chunk in source.chunks if chunk.notice is None), None)


def _joined(runs: list[list[_Chunk]]) -> bytes:
    """The lines of all runs in order; those of one run alone are not looked at."""
    if len(runs) == 1 and not any(chunk.lines for chunk in runs[0]):
        return b"".join([chunk.data for chunk in runs[0]])
    keys: list[bytes] = []
    lines: list[bytes] = []
    for run in runs:
        parts = [chunk.left() for chunk in run]
        keys += _rising(key for part, _ in parts for key in part)
        lines += [line for _, part in parts for line in part]
    ordered = [line for _, line in sorted(zip(keys, lines, strict=True), key=itemgetter(0))]
    return b"\n".join([*ordered, b""]) if ordered else b""
