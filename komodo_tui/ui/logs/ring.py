"""The lines a log view keeps: raw wire bytes in blocks, bounded by lines and by bytes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = 50_000
BYTES = 32 << 20
_BLOCK = 64 << 10
"""Bytes from which a block is closed. A block is what is dropped, and searched, at once."""
_SHARE = 16
"""A block is at most this part of the ring, so that dropping one leaves nearly all."""
_OFFSETS = 8
"""Blocks of which the places of lines are remembered."""


class _Block:
    """Whole lines; ``first`` is the number of the first. It grows as a bytearray and is closed by becoming bytes."""

    __slots__ = ("count", "data", "first", "offsets")

    def __init__(self, first: int) -> None:
        self.first = first
        self.count = 0
        self.data: bytearray | bytes = bytearray()
        self.offsets: list[int] = []
        """Where each line begins, and where the last one ends; made when a line is asked for."""

    def line(self, number: int) -> bytes:
        """The line of this number, without its line feed."""
        at = number - self.first
        return bytes(self.data[self.offsets[at] : self.offsets[at + 1] - 1])


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines, apart from the ring: safe to read in a thread."""

    first: int
    count: int
    data: bytes


class LogRing:
    """Appends cheaply, forgets the oldest, reads anywhere.

    Lines are numbered from 0 in the order of arrival and keep their number, so a place in the log stays the same
    place while lines come and go.
    """

    def __init__(self, max_lines: int = LINES, max_bytes: int = BYTES) -> None:
        """``max_lines`` and ``max_bytes`` are never exceeded, but by a single line larger than ``max_bytes``."""
        self._max_lines = max(1, max_lines)
        self._max_bytes = max(1, max_bytes)
        self._block_lines = max(1, self._max_lines // _SHARE)
        self._block_bytes = max(1, min(_BLOCK, self._max_bytes // _SHARE))
        self._blocks: list[_Block] = [_Block(0)]
        self._placed: list[_Block] = []
        self._bytes = 0
        self._start = 0
        self.end = 0
        """Number of the next line to come."""

    @property
    def first(self) -> int:
        """Number of the oldest line kept; equals ``end`` when there is none."""
        return self._blocks[0].first

    @property
    def dropped(self) -> int:
        """Lines forgotten since the last :meth:`clear`."""
        return self.first - self._start

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._bytes

    @property
    def capacity(self) -> int:
        """Most lines kept."""
        return self._max_lines

    def __len__(self) -> int:
        return self.end - self.first

    def append(self, data: bytes) -> None:
        """Add whole wire lines."""
        count = data.count(b"\n")
        if not count:
            return
        if count > self._block_lines or len(data) > 2 * self._block_bytes:
            self._append_pieces(data)
            return
        block = self._blocks[-1]
        if 2 * len(data) > self._block_bytes:
            block = self._new_block()
            block.data = data  # as it is: copying is most of the cost of keeping a flood
        else:
            if isinstance(block.data, bytes) or block.count + count > self._block_lines:
                block = self._new_block()
            block.data += data
            if len(block.data) >= self._block_bytes:
                block.data = bytes(block.data)
        block.count += count
        self.end += count
        self._bytes += len(data)
        self._drop()

    def clear(self) -> None:
        """Forget everything; numbers go on, so that nothing old is taken for something new."""
        self._blocks = [_Block(self.end)]
        self._placed.clear()
        self._bytes = 0
        self._start = self.end

    def line(self, number: int) -> bytes:
        """The wire line of this number, without its line feed.

        :raises IndexError: it is not kept, or has not come yet.
        """
        if not self.first <= number < self.end:
            raise IndexError(number)
        block = self._blocks[bisect_right(self._blocks, number, key=_first) - 1]
        self._place(block)
        return block.line(number)

    def pieces(self, first: int, end: int) -> Iterator[Piece]:
        """The lines of these numbers that are kept, newest piece first, copied as far as they may still change.

        Taken at once: what is appended or dropped later does not matter.
        """
        taken = []
        for block in reversed(self._blocks):
            if block.first >= end or not block.count:
                continue
            if block.first + block.count <= first:
                break
            low, high = max(first, block.first), min(end, block.first + block.count)
            if (low, high) == (block.first, block.first + block.count):
                data = bytes(block.data)
            else:
                self._place(block)
                data = bytes(block.data[block.offsets[low - block.first] : block.offsets[high - block.first]])
            taken.append(Piece(low, high - low, data))
        return iter(taken)

    def _append_pieces(self, data: bytes) -> None:
        """Cut what is too large for one block at line ends."""
        start = 0
        while start < len(data):
            end, count = start, 0
            while end < len(data) and count < self._block_lines and end - start < self._block_bytes:
                end = data.index(b"\n", end) + 1
                count += 1
            block = self._new_block()
            block.data = data[start:end]
            block.count = count
            self.end += count
            self._bytes += end - start
            start = end
            self._drop()

    def _new_block(self) -> _Block:
        last = self._blocks[-1]
        if not last.count:
            return last
        if isinstance(last.data, bytearray):
            last.data = bytes(last.data)
        block = _Block(self.end)
        self._blocks.append(block)
        return block

    def _drop(self) -> None:
        blocks = self._blocks
        while len(blocks) > 1 and (self.end - blocks[0].first > self._max_lines or self._bytes > self._max_bytes):
            gone = blocks.pop(0)
            self._bytes -= len(gone.data)

    def _place(self, block: _Block) -> None:
        """Find where the lines of a block begin; a growing block is looked at from where it was left."""
        offsets = block.offsets
        if not offsets:
            offsets.append(0)
            self._placed.append(block)
            if len(self._placed) > _OFFSETS:
                self._placed.pop(0).offsets = []
        if len(offsets) <= block.count:
            rest = bytes(block.data[offsets[-1] :]).split(b"\n")
            rest.pop()
            offsets += list(accumulate(map(len, rest), lambda end, length: end + length + 1, initial=offsets[-1]))[1:]


def _first(block: _Block) -> int:
    return block.first
