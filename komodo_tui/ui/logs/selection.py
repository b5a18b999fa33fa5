"""What is selected in a log: whole lines by keyboard, characters by mouse."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[int, int]
"""Line and character."""


@dataclass(frozen=True)
class Selection:
    """From where it was begun to where it goes now, either way round."""

    begun: Point
    to: Point
    whole_lines: bool = True

    @property
    def first(self) -> Point:
        """Its earlier end."""
        return min(self.begun, self.to)

    @property
    def last(self) -> Point:
        """Its later end; the character there belongs to it no more."""
        return max(self.begun, self.to)

    def extended(self, to: Point) -> Selection:
        """The same begin, another end."""
        return Selection(self.begun, to, self.whole_lines)

    def within(self, number: int, length: int) -> tuple[int, int] | None:
        """Which characters of a line belong to it; None when none do."""
        (first, start), (last, end) = self.first, self.last
        if not first <= number <= last:
            return None
        if self.whole_lines:
            return 0, length
        span = (start if number == first else 0), (end if number == last else length)
        return span if span[0] < span[1] or first < number < last else None
