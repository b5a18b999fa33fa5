"""What a terminal has put out, as much of it as is kept, with the sizes it was put out at."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .modes import Modes

KEPT = 1 << 20
"""Bytes that are kept: more than the history of a terminal has, far more than its screen."""
PIECE = 32 << 10
"""The most that is given out at once."""
_SLACK = 64 << 10
"""Bytes beyond the limit after which the oldest are dropped: not with every key."""
_SIZES = 1024


class Size(NamedTuple):
    """Rows and columns."""

    rows: int
    cols: int


class Cursor:
    """How far one reader has come."""

    def __init__(self, place: int, resizes: int) -> None:
        self.place = place
        """The next byte to read."""
        self.resizes = resizes
        """How many changes of size it knows of, those before its time included."""


class Ring:
    """Output by its place (how many bytes came before it). The oldest is dropped, and what it set is remembered."""

    def __init__(self, size: Size, limit: int = KEPT) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._modes = Modes()
        self._begin_size = size
        self._resizes: deque[tuple[int, Size]] = deque()
        """Changes of size by the place of the first byte after them."""
        self._resizes_gone = 0
        self.size = size
        """What the output that comes now is written at."""
        self.start = 0
        """The place of the oldest byte that is kept."""

    @property
    def end(self) -> int:
        """The place of the next byte."""
        return self.start + len(self._kept)

    @property
    def cut(self) -> bool:
        """Whether something has been dropped."""
        return self.start > 0

    def add(self, data: bytes) -> None:
        """Take output."""
        self._kept += data
        if len(self._kept) > self._limit + _SLACK:
            self._drop(len(self._kept) - self._limit)

    def resize(self, size: Size) -> None:
        """What is added from now on is written at this size."""
        if size == self.size:
            return
        self.size = size
        self._resizes.append((self.end, size))
        if len(self._resizes) > _SIZES:
            self._drop(self._resizes[0][0] - self.start)

    def _drop(self, count: int) -> None:
        """Forget the oldest bytes, up to the end of a line where there is one near."""
        line = self._kept.find(b"\n", count, count + PIECE)
        count = line + 1 if line >= 0 else count
        self._modes.take(bytes(self._kept[:count]))
        del self._kept[:count]
        self.start += count
        while self._resizes and self._resizes[0][0] <= self.start:
            self._begin_size = self._resizes.popleft()[1]
            self._resizes_gone += 1

    def opening(self) -> tuple[Size, bytes]:
        """How to begin with what is kept: the size, and what brings an empty terminal into the state it begins in."""
        return self._begin_size, self._modes.restore() if self.cut else b""

    def from_start(self) -> Cursor:
        """For a reader that begins with :meth:`opening`."""
        return Cursor(self.start, self._resizes_gone)

    def since(self, place: int) -> Cursor | None:
        """For a reader that has everything before a place; None when what follows is not kept (or never was)."""
        if not self.start <= place <= self.end:
            return None
        return Cursor(place, self._resizes_gone + sum(at < place for at, _ in self._resizes))

    def reaches(self, cursor: Cursor) -> bool:
        """Whether what the cursor wants next is still kept."""
        return cursor.place >= self.start

    def read(self, cursor: Cursor) -> Size | bytes | None:
        """The next thing for a reader, a new size or output; None when it has everything. Moves the cursor."""
        index = cursor.resizes - self._resizes_gone
        until = self.end
        if 0 <= index < len(self._resizes):
            until, size = self._resizes[index]
            if until <= cursor.place:
                cursor.resizes += 1
                return size
        begin = cursor.place - self.start
        data = bytes(memoryview(self._kept)[begin : min(begin + PIECE, until - self.start)])
        cursor.place += len(data)
        return data or None
