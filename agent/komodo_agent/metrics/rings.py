"""Series of the recent past in fixed memory: a fine ring, and a coarse one of the fine one's means."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from ..wire.models import History

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = math.nan
_LONGEST_COVER = 60
"""Seconds that one sample may speak for; a longer silence is a hole in the series."""
_CLOCK_SET_BACK = 2


class _Ring:
    """``length`` slots of ``step`` seconds; slot n holds one value of each series for [n*step, (n+1)*step).

    Values are 32-bit floats, slot by slot, so that a push is one slice assignment. NaN = nothing seen.
    """

    __slots__ = ("_cells", "_empty", "_width", "first", "length", "newest", "step")

    def __init__(self, width: int, step: int, length: int) -> None:
        self.step = step
        self.length = length
        self._width = width
        self._empty = array("f", [NAN]) * width
        self._cells = self._empty * length
        self.newest = -1
        self.first = -1
        """The first slot ever written, so that a young series is not padded with holes."""

    def put(self, slot: int, cells: array[float]) -> None:
        """Write a slot, the newest or a later one; slots skipped become holes."""
        if self.newest < 0 or slot - self.newest >= self.length:
            self._cells = self._empty * self.length
            self.first = slot if self.newest < 0 else max(self.first, slot - self.length + 1)
        else:
            for skipped in range(self.newest + 1, slot):
                self._write(skipped, self._empty)
        self._write(slot, cells)
        self.newest = slot

    def _write(self, slot: int, cells: array[float]) -> None:
        start = slot % self.length * self._width
        self._cells[start : start + self._width] = cells

    def column(self, series: int, first: int, last: int) -> list[float]:
        """The values of one series in the slots ``first`` to ``last``, both included; the caller stays in range."""
        width = self._width
        begin, end = first % self.length, last % self.length + 1
        if begin < end:
            return self._cells[begin * width + series : end * width : width].tolist()
        return (
            self._cells[begin * width + series :: width].tolist() + self._cells[series : end * width : width].tolist()
        )

    def oldest(self) -> int:
        """The first slot that can be asked for."""
        return max(self.first, self.newest - self.length + 1)


class Rings:
    """Named series in two resolutions: ``fine`` slots of 1 s and ``coarse`` slots of 15 s.

    7 series of a container (300 + 240 slots) take 15 KB, 6 of a host (900 + 1440) 56 KB.
    """

    __slots__ = ("_at", "_coarse", "_fine", "_names", "_ratio")

    def __init__(self, names: Sequence[str], *, fine: int, coarse: int) -> None:
        self._names = tuple(names)
        self._fine = _Ring(len(self._names), 1, fine)
        self._coarse = _Ring(len(self._names), 15, coarse)
        self._ratio = self._coarse.step // self._fine.step
        self._at = 0.0

    def push(self, at: float, values: Sequence[float], covers: float = 0.0) -> None:
        """Add a sample.

        Args:
            at: Unix time.
            values: one a series, in the order of the names; NaN for what was not seen.
            covers: seconds the values are the average of; slots in between get them too.
        """
        slot = int(at)
        newest = self._fine.newest
        if newest - slot > _CLOCK_SET_BACK:
            self._fine.newest = self._coarse.newest = newest = -1
        slot = max(slot, newest)
        cells = array("f", values)
        unseen = slot if newest < 0 else newest + 1
        for each in range(min(slot, max(unseen, slot - min(math.ceil(covers), _LONGEST_COVER) + 1)), slot + 1):
            filling = self._fine.newest // self._ratio
            if self._fine.newest >= 0 and each // self._ratio > filling:
                self._close_coarse(filling)
            self._fine.put(each, cells)
        self._at = at

    def history(self, window: float) -> History:
        """The last ``window`` seconds: fine as far as the fine ring reaches, else coarse. Short while young."""
        if self._fine.newest < 0:
            return History(step=float(self._fine.step), end=self._at, series={name: [] for name in self._names})
        ring = self._fine if window <= self._fine.length * self._fine.step else self._coarse
        wanted = max(1, math.ceil(window / ring.step))
        if ring is self._fine:
            first = max(ring.oldest(), ring.newest - wanted + 1)
            columns = [ring.column(n, first, ring.newest) for n in range(len(self._names))]
        else:
            columns = self._coarse_columns(wanted)
        series = {name: [_plain(v) for v in column] for name, column in zip(self._names, columns, strict=True)}
        return History(step=float(ring.step), end=self._at, series=series)

    def _coarse_columns(self, wanted: int) -> list[list[float]]:
        """The closed coarse slots with the one that is still filling at the end."""
        ring, filling = self._coarse, self._fine.newest // self._ratio
        now = self._means(filling)
        columns: list[list[float]] = []
        for n in range(len(self._names)):
            past: list[float] = []
            if ring.newest >= 0 and wanted > 1:
                holes = max(0, filling - ring.newest - 1)
                first = max(ring.oldest(), filling - wanted + 1)
                past = ring.column(n, first, ring.newest) if first <= ring.newest else []
                past += [NAN] * min(holes, wanted - 1 - len(past))
            columns.append([*past, now[n]])
        return columns

    def _close_coarse(self, slot: int) -> None:
        if slot > self._coarse.newest:
            self._coarse.put(slot, array("f", self._means(slot)))

    def _means(self, slot: int) -> list[float]:
        """The mean of what the fine ring has of one coarse slot."""
        first = max(slot * self._ratio, self._fine.oldest())
        last = min(slot * self._ratio + self._ratio - 1, self._fine.newest)
        return [_mean(self._fine.column(n, first, last)) for n in range(len(self._names))]


def _mean(values: list[float]) -> float:
    seen = [v for v in values if v == v]  # NaN is the one value that differs from itself
    return sum(seen) / len(seen) if seen else NAN


def _plain(value: float) -> float | None:
    return round(value, 2) if value == value else None
