"""Going through the history by keyboard: a cursor, a selection, the matches of a search. No drawing, no waiting.

Rows count from the first of the history. The history may lose rows at its start while one looks at it; the caller
tells by :meth:`Browse.shift`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from komodo_tui.ui.terminal.core import Hit, Scrollbar

if TYPE_CHECKING:
    from collections.abc import Callable

Cell = tuple[int, int]
"""Row and column."""
_WORD = re.compile(r"\w+|[^\w\s]+")


@dataclass
class Browse:
    """Where one is, and what is selected."""

    cols: int
    bar: Scrollbar
    row: int
    col: int = 0
    anchor: Cell | None = None
    linewise: bool = False
    hits: list[Hit] = field(default_factory=list)
    hit: int = -1
    query: str = ""

    @property
    def top(self) -> int:
        """The first row shown."""
        return self.bar.offset

    @property
    def last(self) -> int:
        """The last row there is."""
        return max(0, self.bar.total - 1)

    def wanted_top(self) -> int:
        """The row to have on top so that the cursor is shown."""
        height = max(1, self.bar.length)
        if self.row < self.top:
            return self.row
        if self.row >= self.top + height:
            return self.row - height + 1
        return self.top

    def shift(self, rows: int) -> None:
        """The history lost this many rows at its start."""
        if not rows:
            return
        self.row = max(0, self.row - rows)
        if self.anchor is not None:
            self.anchor = (max(0, self.anchor[0] - rows), self.anchor[1])
        self.hits = [
            Hit(hit.row - rows, hit.col, hit.end_row - rows, hit.end_col) for hit in self.hits if hit.row >= rows
        ]
        self.hit = min(self.hit, len(self.hits) - 1)

    # -- moving -------------------------------------------------------------------------------------------------

    def move(self, key: str, line: Callable[[int], str]) -> bool:
        """Follow a key (Textual's name); False when it is none of these. ``line`` gives the text of a row shown."""
        height = max(1, self.bar.length)
        rows = {
            "j": 1, "down": 1, "k": -1, "up": -1, "ctrl+d": height // 2, "ctrl+u": -(height // 2),
            "pagedown": height - 1, "ctrl+f": height - 1, "pageup": 1 - height, "ctrl+b": 1 - height,
            "g": -self.row, "home": -self.row, "G": self.last - self.row, "end": self.last - self.row,
            "H": self.top - self.row, "M": self.top + height // 2 - self.row, "L": self.top + height - 1 - self.row,
        }  # fmt: skip
        if key in rows:
            self.row = min(max(0, self.row + rows[key]), self.last)
            return True
        text = line(self.row)
        columns: dict[str, Callable[[], int]] = {
            "h": lambda: self.col - 1, "left": lambda: self.col - 1,
            "l": lambda: self.col + 1, "right": lambda: self.col + 1,
            "0": lambda: 0, "circumflex_accent": lambda: len(text) - len(text.lstrip()),
            "dollar_sign": lambda: max(0, len(text.rstrip()) - 1),
            "w": lambda: self._word(text, 1), "b": lambda: self._word(text, -1), "e": lambda: self._word_end(text),
        }  # fmt: skip
        if key not in columns:
            return False
        self.col = min(max(0, columns[key]()), self.cols - 1)
        return True

    def _word(self, text: str, direction: int) -> int:
        starts = [match.start() for match in _WORD.finditer(text)]
        if direction > 0:
            return next((start for start in starts if start > self.col), max(0, len(text.rstrip()) - 1))
        return next((start for start in reversed(starts) if start < self.col), 0)

    def _word_end(self, text: str) -> int:
        ends = [match.end() - 1 for match in _WORD.finditer(text)]
        return next((end for end in ends if end > self.col), max(0, len(text.rstrip()) - 1))

    # -- selecting ----------------------------------------------------------------------------------------------

    def toggle_selection(self, *, linewise: bool) -> None:
        """Begin to select at the cursor, change the kind, or stop."""
        if self.anchor is not None and self.linewise == linewise:
            self.anchor = None
        else:
            self.anchor = self.anchor or (self.row, self.col)
            self.linewise = linewise

    def selected(self) -> tuple[Cell, Cell] | None:
        """First and last cell selected."""
        if self.anchor is None:
            return None
        first, last = sorted((self.anchor, (self.row, self.col)))
        return ((first[0], 0), (last[0], self.cols - 1)) if self.linewise else (first, last)

    # -- searching ----------------------------------------------------------------------------------------------

    def found(self, query: str, hits: list[Hit]) -> None:
        """Take the matches and go to the nearest one at or above the cursor, else to the first below."""
        self.query, self.hits = query, hits
        above = [index for index, hit in enumerate(hits) if (hit.row, hit.col) <= (self.row, self.col)]
        self._go_to(above[-1] if above else 0)

    def next_hit(self, direction: int) -> None:
        """The next match up (-1) or down (1), around the ends."""
        if self.hits:
            self._go_to((self.hit + direction) % len(self.hits))

    def _go_to(self, index: int) -> None:
        if not self.hits:
            self.hit = -1
            return
        self.hit = index
        self.row, self.col = self.hits[index].row, self.hits[index].col

    # -- drawing ------------------------------------------------------------------------------------------------

    def selection_in(self, row: int) -> tuple[int, int] | None:
        """The selected columns of a row, the end exclusive."""
        return columns_in(self.selected(), row, self.cols)

    def hits_in(self, row: int) -> list[tuple[int, int, bool]]:
        """The matches in a row: columns, the end exclusive, and whether it is the current one."""
        found = []
        for index, hit in enumerate(self.hits):
            if hit.row <= row <= hit.end_row:
                start = hit.col if hit.row == row else 0
                end = hit.end_col if hit.end_row == row else self.cols
                found.append((start, end, index == self.hit))
        return found


def columns_in(selection: tuple[Cell, Cell] | None, row: int, cols: int) -> tuple[int, int] | None:
    """The columns of a row, the end exclusive, that lie between two cells."""
    if selection is None:
        return None
    (first_row, first_col), (last_row, last_col) = selection
    if not first_row <= row <= last_row:
        return None
    return (first_col if row == first_row else 0), (last_col + 1 if row == last_row else cols)
