"""Which lines are shown: all that are kept, or those that match."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from komodo_tui.ui.logs.ring import LogRing
    from komodo_tui.ui.logs.search import Matches


class Shown:
    """The lines of a ring in order, without those a filter hides."""

    def __init__(self, ring: LogRing, matches: Matches | None = None) -> None:
        self._ring = ring
        self._matches = matches

    @property
    def first(self) -> int | None:
        """The oldest line; None when there is none."""
        return self.at_or_after(self._ring.first)

    @property
    def last(self) -> int | None:
        """The newest line."""
        return self.at_or_before(self._ring.end - 1)

    def at_or_after(self, number: int) -> int | None:
        """The line of this number, or the next one shown."""
        number = max(number, self._ring.first)
        if self._matches is not None:
            return self._matches.after(number - 1)
        return number if number < self._ring.end else None

    def at_or_before(self, number: int) -> int | None:
        """The line of this number, or the last one shown before it."""
        number = min(number, self._ring.end - 1)
        if self._matches is not None:
            found = self._matches.before(number + 1)
            return found if found is not None and found >= self._ring.first else None
        return number if number >= self._ring.first else None

    def after(self, number: int) -> int | None:
        """The next line."""
        return self.at_or_after(number + 1)

    def before(self, number: int) -> int | None:
        """The line before."""
        return self.at_or_before(number - 1)

    def count(self, first: int, last: int) -> int:
        """How many lines from one number to another, both counted, are shown."""
        first, last = max(first, self._ring.first), min(last, self._ring.end - 1)
        if first > last:
            return 0
        if self._matches is not None:
            return self._matches.position(last) - self._matches.position(first - 1)
        return last - first + 1

    def share(self, number: int) -> float:
        """How far down a line is: 0 the oldest, 1 the newest."""
        span = self._ring.end - 1 - self._ring.first
        return min(1.0, max(0.0, (number - self._ring.first) / span)) if span > 0 else 1.0
