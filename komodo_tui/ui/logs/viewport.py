"""Which rows of which lines are on screen, and where the cursor stands.

The place is anchored on (line, row of that line): nothing has to be known of lines that are not seen, so it costs the
same with a hundred lines and with a million, wrapped or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.ui.logs.shown import Shown
    from komodo_tui.ui.logs.wrap import Part


class Row(NamedTuple):
    """One row of the screen."""

    number: int
    """The line."""
    sub: int
    """Which of the line's rows."""
    part: Part
    """The text it shows."""


class Viewport:
    """Moves over the lines a :class:`Shown` has. ``parts`` tells the rows of a line."""

    def __init__(self, shown: Shown, parts: Callable[[int], Sequence[Part]]) -> None:
        self.shown = shown
        self.height = 1
        self.follow = True
        """Whether the newest line stays at the bottom."""
        self.cursor: int | None = None
        """The line the cursor is on; while following, the newest."""
        self._parts = parts
        self._top = (0, 0)

    def rows(self) -> list[Row]:
        """What is on screen now, top down; fewer than ``height`` only when there are no more."""
        first, last = self.shown.first, self.shown.last
        if first is None or last is None:
            self.cursor = None
            return []
        if self.follow:
            self.cursor = last
            self._top = self._above((last, len(self._parts(last)) - 1), self.height - 1)
        else:
            self._settle(first)
        rows = self._from(self._top)
        if len(rows) < self.height and self._top != (first, 0):
            self._top = self._above((last, len(self._parts(last)) - 1), self.height - 1)
            rows = self._from(self._top)
        return rows

    def to_end(self) -> None:
        """Follow the newest line."""
        self.follow = True

    def to_start(self) -> None:
        """Show the oldest line."""
        self.follow = False
        self.cursor = self.shown.first
        self._top = (self.cursor or 0, 0)

    def pause(self) -> None:
        """Stop following; what is seen stays."""
        if self.follow:
            self.rows()
            self.follow = False

    def move(self, by: int) -> None:
        """Move the cursor by lines; the screen follows by half a page at its edges."""
        self.pause()
        step = self.shown.after if by > 0 else self.shown.before
        for _ in range(abs(by)):
            if self.cursor is None or (number := step(self.cursor)) is None:
                break
            self.cursor = number
        self.reveal()

    def scroll(self, by: int) -> None:
        """Move the screen by rows; the cursor stays on it."""
        self.pause()
        self.rows()
        if self.cursor is None:
            return
        self._top = self._above(self._top, -by) if by < 0 else self._below(self._top, by)
        rows = self.rows()
        numbers = [row.number for row in rows]
        if self.cursor < numbers[0]:
            self.cursor = numbers[0]
        elif self.cursor > numbers[-1]:
            self.cursor = numbers[-1]

    def page(self, rows: int) -> None:
        """Move screen and cursor together; at the ends of the log the cursor alone."""
        self.pause()
        before = self._top
        self.scroll(rows)
        if self._top == before:
            self.cursor = self.shown.last if rows > 0 else self.shown.first
        else:
            self.move(0)

    def go(self, number: int) -> None:
        """Put the cursor on a line, or on the next one shown, and show it."""
        self.pause()
        found = self.shown.at_or_after(number)
        self.cursor = found if found is not None else self.shown.at_or_before(number)
        self.reveal()

    def reveal(self) -> None:
        """Scroll so that the cursor's line is seen."""
        if self.cursor is None:
            return
        rows = self.rows()
        mine = [at for at, row in enumerate(rows) if row.number == self.cursor]
        whole = len(mine) == len(self._parts(self.cursor)) or len(mine) >= self.height
        if mine and whole:
            return
        if rows and self.cursor <= rows[0].number:
            self._top = self._above((self.cursor, 0), 0 if mine else self.height // 2)
        else:
            end = (self.cursor, len(self._parts(self.cursor)) - 1)
            taken = len(self._parts(self.cursor))
            room = min(self.height // 2, max(0, self.height - taken))
            self._top = min((self.cursor, 0), self._above(end, self.height - 1 - (0 if mine else room)))

    def _settle(self, first: int) -> None:
        """Bring top and cursor to lines that are still there."""
        number, sub = self._top
        found = self.shown.at_or_after(number)
        if found is None:
            found = self.shown.last if self.shown.last is not None else first
        self._top = (found, min(sub, len(self._parts(found)) - 1) if found == number else 0)
        if self.cursor is None:
            self.cursor = found
        elif (kept := self.shown.at_or_after(self.cursor)) is not None:
            self.cursor = kept
        else:
            self.cursor = self.shown.last

    def _from(self, top: tuple[int, int]) -> list[Row]:
        rows: list[Row] = []
        number: int | None = top[0]
        sub = top[1]
        while number is not None and len(rows) < self.height:
            parts = self._parts(number)
            rows += [Row(number, n, parts[n]) for n in range(sub, min(len(parts), sub + self.height - len(rows)))]
            number, sub = self.shown.after(number), 0
        return rows

    def _above(self, place: tuple[int, int], rows: int) -> tuple[int, int]:
        """The place so many rows above; the first there is, if there are not as many."""
        number, sub = place
        while rows > sub:
            before = self.shown.before(number)
            if before is None:
                return number, 0
            rows -= sub + 1
            number, sub = before, len(self._parts(before)) - 1
        return number, sub - rows

    def _below(self, place: tuple[int, int], rows: int) -> tuple[int, int]:
        """The place so many rows below; the last there is, if there are not as many."""
        number, sub = place
        while rows >= (left := len(self._parts(number)) - sub):
            after = self.shown.after(number)
            if after is None:
                return number, len(self._parts(number)) - 1
            rows -= left
            number, sub = after, 0
        return number, sub + rows
