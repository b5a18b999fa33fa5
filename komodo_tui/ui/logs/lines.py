"""The lines of a ring as they are drawn: parsed once, remembered while they are near the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.ui.logs import json_lines, record
from komodo_tui.ui.logs.search import LONGEST
from komodo_tui.ui.logs.styled import Styled, parse_line
from komodo_tui.ui.logs.wrap import clipped, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.logs.ring import LogRing
    from komodo_tui.ui.logs.wrap import Part

_REMEMBERED = 1000
"""Lines kept parsed: some screens full."""


class Line:
    """One line, parsed."""

    __slots__ = ("parts", "record", "styled")

    def __init__(self, parsed: record.Record, styled: Styled) -> None:
        self.record = parsed
        self.styled = styled
        self.parts: Sequence[Part] | None = None


class Lines:
    """Parses lines and cuts them into rows for a width."""

    def __init__(self, ring: LogRing) -> None:
        self._ring = ring
        self._known: dict[int, Line] = {}
        self.width = 80
        self.wrap = False
        self.offset = 0
        """First column seen, while lines are not wrapped."""
        self.fold_json = False

    def shape(self, *, width: int, wrap: bool, offset: int, fold_json: bool) -> None:
        """How lines are cut from now on."""
        if fold_json != self.fold_json:
            self._known.clear()
        elif (width, wrap, offset) != (self.width, self.wrap, self.offset):
            for line in self._known.values():
                line.parts = None
        self.width, self.wrap, self.offset, self.fold_json = width, wrap, offset, fold_json

    def get(self, number: int) -> Line:
        """The line of this number.

        :raises IndexError: it is not kept.
        """
        line = self._known.get(number)
        if line is None:
            line = self._known[number] = self._parse(number)
            if len(self._known) > _REMEMBERED:
                for old in list(self._known)[: _REMEMBERED // 2]:
                    del self._known[old]
        return line

    def parts(self, number: int) -> Sequence[Part]:
        """The rows of a line."""
        line = self.get(number)
        if line.parts is None:
            text = line.styled.text
            line.parts = wrapped(text, self.width) if self.wrap else [clipped(text, self.offset, self.width)]
        return line.parts

    def _parse(self, number: int) -> Line:
        parsed = record.parse(self._ring.line(number))
        if parsed.notice:
            return Line(parsed, Styled(parsed.raw.decode("utf-8", "replace")))
        styled = parse_line(parsed.raw[: 4 * LONGEST])
        if self.fold_json and len(parsed.raw) <= LONGEST:
            styled = json_lines.fold(styled.text) or styled
        if len(styled.text) > LONGEST or len(parsed.raw) > 4 * LONGEST:
            styled = _shortened(styled, len(parsed.raw))
        return Line(parsed, styled)


def _shortened(styled: Styled, size: int) -> Styled:
    """The beginning of a very long line, and how long it is."""
    text = styled.text[:LONGEST]
    spans = [(low, min(high, LONGEST), style) for low, high, style in styled.spans if low < LONGEST]
    mark = f" … {size:,} bytes in all, Enter opens"
    return Styled(text + mark, [*spans, (len(text), len(text) + len(mark), "dim")])
