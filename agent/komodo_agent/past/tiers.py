"""One resolution of the past: what of it is still filling, and its files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import codes
from .blocks import Block, Columns

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Mapping

    from .shelf import Shelf

    Cells = tuple[tuple[str, ...], tuple[int, ...]]
    """The names of a subject's series, and a code for each."""

MOST_SUBJECTS = 2_000
"""Subjects in one block; what comes after them is not kept."""


class Tier:
    """Slots of ``shelf.step`` seconds, ``length`` of them a block. The loop writes, a thread carries to disk.

    Slots come in order of time. A clock that is set back begins a new block, whose values hide older ones of the
    same time.
    """

    def __init__(self, shelf: Shelf, length: int) -> None:
        self.shelf = shelf
        self.length = length
        self.block = self._empty(0)
        self.newest = -1
        """The slot written last; -1 before the first."""
        self._full: list[Block] = []
        self._dirty = False

    def resume(self) -> None:
        """Go on with the block that the last process left open. Blocks on the disk."""
        left = self.shelf.left_open()
        if left is not None and left.step == self.shelf.step and left.length <= self.length:
            self.block = left
            self.newest = left.first + left.length - 1

    def put(self, slot: int, values: Mapping[str, Cells]) -> None:
        """Write a slot: codes by subject, with the names of their series."""
        first = slot // self.length * self.length
        if first != self.block.first or slot < self.newest:
            self._close()
            self.block = self._empty(first)
        for subject, (names, cells) in values.items():
            self._write(slot - first, subject, names, cells)
        self.block.length = max(self.block.length, slot - first + 1)
        self.newest = slot
        self._dirty = True

    def take(self) -> tuple[list[Block], Block | None]:
        """What is to go to disk: full blocks, and a copy of the one that is filling when it has changed."""
        full, self._full = self._full, []
        if not self._dirty or not self.block.length:
            return full, None
        self._dirty = False
        return full, self.snapshot()

    def snapshot(self) -> Block:
        """A copy of the block that is filling, all of its columns of one length."""
        block = self.block
        copies = {
            subject: Columns(columns.names, [_padded(column, block.length) for column in columns.codes])
            for subject, columns in block.subjects.items()
        }
        return Block(block.step, block.first, block.length, copies)

    def give_back(self, full: list[Block]) -> None:
        """What could not be written is kept for the next attempt, but never more than two blocks."""
        self._full = (full + self._full)[-2:]

    def unwritten(self) -> list[Block]:
        """Blocks that are full and not yet on disk, then the one that is filling."""
        return [*self._full, self.snapshot()]

    def _write(self, position: int, subject: str, names: tuple[str, ...], cells: Iterable[int]) -> None:
        columns = self.block.subjects.get(subject)
        if columns is None or columns.names != names:
            if len(self.block.subjects) >= MOST_SUBJECTS:
                return
            columns = self.block.subjects[subject] = Columns.empty(names)
        for column, cell in zip(columns.codes, cells, strict=True):
            if len(column) > position:
                column[position] = cell
                continue
            while len(column) < position:
                column.append(codes.MISSING)
            column.append(cell)

    def _close(self) -> None:
        if self.block.length:
            self._full.append(self.snapshot())
            self._full = self._full[-2:]
        self._dirty = False

    def _empty(self, first: int) -> Block:
        return Block(self.shelf.step, first, 0, {})


def _padded(column: array[int], length: int) -> array[int]:
    copy = column[:]
    copy.extend([codes.MISSING] * (length - len(copy)))
    return copy


class Means:
    """Gathers values until their slot is over: means, and the greatest of the first ``peaks`` series."""

    def __init__(self, step: int) -> None:
        self._step = step
        self.slot = -1
        self._sums: dict[str, Sums] = {}

    def add(
        self, at: float, subject: str, names: tuple[str, ...], values: Iterable[float], peaks: Iterable[float]
    ) -> None:
        """Add one look; it belongs to the slot that :meth:`due` left behind."""
        sums = self._sums.get(subject)
        if sums is None or sums.names != names:
            sums = self._sums[subject] = Sums(names)
        sums.add(values, peaks)
        self.slot = int(at // self._step)

    def due(self, at: float) -> dict[str, Sums]:
        """What was gathered for a slot that is over at this time; nothing while it is not."""
        if self.slot < 0 or int(at // self._step) == self.slot:
            return {}
        done, self._sums = self._sums, {}
        return done


class Sums:
    """Of one subject within one slot."""

    __slots__ = ("_counts", "_peaks", "_sums", "names")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._sums = [0.0] * len(names)
        self._counts = [0] * len(names)
        self._peaks: list[float] = []

    def add(self, values: Iterable[float], peaks: Iterable[float]) -> None:
        for n, value in enumerate(values):
            if value == value:
                self._sums[n] += value
                self._counts[n] += 1
        seen = list(peaks)
        self._peaks = [max(a, b) for a, b in zip(self._peaks, seen, strict=True)] if self._peaks else seen

    def means(self) -> list[float]:
        """The mean of each series, NaN where nothing was seen."""
        return [s / n if n else math.nan for s, n in zip(self._sums, self._counts, strict=True)]

    def peaks(self) -> list[float]:
        """The greatest values of the first series."""
        return self._peaks
