"""Lines of a table to strips: cut to the columns, coloured, cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from komodo_tui.ui.render.cells import Cell, fit
from komodo_tui.ui.render.columns import Column, Slot, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.look import Look

R = TypeVar("R")
GUTTER = 2
"""Columns at the left for the cursor's sign and the marks."""


class Line(NamedTuple):
    """What a line shows: equal lines are drawn alike."""

    cursor: str
    """``cursor``, ``cursor-blur`` (its table has no focus), or empty."""
    marked: bool
    tone: str
    """Of plain cells."""
    cells: tuple[Cell, ...]


class TablePainter(Generic[R]):
    """Draws lines of one table."""

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        self.columns = tuple(columns)
        self.slots: tuple[Slot, ...] = ()
        self.width = 0
        self._strips: dict[Line, Strip] = {}

    def place(self, width: int) -> None:
        """Choose the columns for a width."""
        self.width = width
        self.slots = place(self.columns, width, left=GUTTER)
        self._strips.clear()

    def clear(self) -> None:
        """Forget what was drawn: colours changed."""
        self._strips.clear()

    def cells(self, row: R) -> tuple[Cell, ...]:
        """The cells of the columns that are shown."""
        return tuple(self.columns[slot.index].cell(row) for slot in self.slots)

    def difference(self, y: int, old: Line | None, new: Line | None) -> Region:
        """The part of screen line ``y`` from the first to the last cell that differs."""
        if old is None or new is None or old[:3] != new[:3] or len(old.cells) != len(new.cells):
            return Region(0, y, self.width, 1)
        changed = [slot for slot, a, b in zip(self.slots, old.cells, new.cells, strict=True) if a != b]
        left, right = changed[0].x, changed[-1].x + changed[-1].width
        return Region(left, y, right - left, 1)

    def line(self, line: Line, look: Look, keep: int) -> Strip:
        """The strip of a line, from a cache of about ``keep`` strips."""
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) >= keep:
                self._strips.clear()
            strip = self._strips[line] = self._build(line, look)
        return strip

    def _build(self, line: Line, look: Look) -> Strip:
        palette, glyphs = look.palette, look.glyphs
        base = palette.style(line.cursor or line.tone)
        sign = glyphs.mark if line.marked else glyphs.cursor if line.cursor else " "
        segments = [Segment(sign.ljust(GUTTER), base if line.cursor else palette.style("accent"))]
        x = GUTTER
        for slot, cell in zip(self.slots, line.cells, strict=True):
            if slot.x > x:
                segments.append(Segment(" " * (slot.x - x), base))
            for text, key in fit(cell, slot.width, right=self.columns[slot.index].right, ellipsis=glyphs.ellipsis):
                # Under the cursor a tone would be unreadable on its ground: the glyph and the word still tell.
                toned = key and line.cursor != "cursor"
                segments.append(Segment(text, base + palette.style(key) if toned else base))
            x = slot.x + slot.width
        if x < self.width:
            segments.append(Segment(" " * (self.width - x), base))
        return Strip(segments).crop(0, self.width).simplify()

    def header(self, look: Look, sorted_by: Column[R] | None, reverse: bool) -> Strip:
        """The titles, the one sorted by with its direction."""
        base, chosen = look.palette.style("dim bold"), look.palette.style("accent bold")
        segments, x = [], 0
        for slot in self.slots:
            column = self.columns[slot.index]
            here = column is sorted_by
            sign = (look.glyphs.down if reverse else look.glyphs.up) if here else ""
            segments.append(Segment(" " * (slot.x - x), base))
            for text, _ in fit(column.title + sign, slot.width, right=column.right, ellipsis=""):
                segments.append(Segment(text, chosen if here else base))
            x = slot.x + slot.width
        return Strip(segments).adjust_cell_length(self.width, base).simplify()
