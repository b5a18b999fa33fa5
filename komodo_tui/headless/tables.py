"""Laying out text in columns by the width it takes on a terminal. Pure."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from komodo_tui.headless.output import Tone

GAP = "  "
_NARROWEST = 8
"""Cells below which no column is cut."""


class Column(NamedTuple):
    """A column."""

    heading: str
    right: bool = False
    """Aligned to the right, as figures are."""
    flexible: bool = False
    """Gives way when the terminal is too narrow."""


class Cell(NamedTuple):
    """A text and how it is coloured."""

    text: str
    tone: Tone = ""


Piece = tuple[str, "Tone"]


def layout(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, width: int = 0, ellipsis: str = "…"
) -> Iterator[list[Piece]]:
    """Lines of coloured pieces, the headings first. ``width`` 0: as wide as it has to be."""
    cleaned = [[Cell(clean(cell.text), cell.tone) for cell in row] for row in rows]
    widths = [
        max(cells(column.heading), *(cells(row[index].text) for row in cleaned), 0)
        for index, column in enumerate(columns)
    ]
    if width:
        _narrow(columns, widths, width)
    if any(column.heading for column in columns):
        yield _line(columns, [Cell(column.heading, "bold") for column in columns], widths, ellipsis)
    for row in cleaned:
        yield _line(columns, row, widths, ellipsis)


def cells(text: str) -> int:
    """How many cells a terminal gives the text."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """The text in at most ``width`` cells, its end replaced by an ellipsis where it is longer."""
    if cells(text) <= width:
        return text
    room = width - len(ellipsis)
    if room <= 0:
        return ellipsis[:width]
    taken = 0
    for index, character in enumerate(text):
        taken += _cells(character)
        if taken > room:
            return text[:index] + ellipsis
    return text


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Me", "Mn", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _line(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int], ellipsis: str) -> list[Piece]:
    pieces: list[Piece] = []
    for index, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True)):
        text = cut(cell.text, width, ellipsis)
        space = " " * (width - cells(text))
        gap = GAP if index else ""
        if column.right:
            pieces += [(gap + space, ""), (text, cell.tone)]
        else:
            pieces += [(gap, ""), (text, cell.tone), (space, "")]
    return pieces


def _narrow(columns: Sequence[Column], widths: list[int], width: int) -> None:
    """Take cells from the widest flexible column until the line fits, or none can give."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while excess > 0:
        flexible = [index for index, column in enumerate(columns) if column.flexible and widths[index] > _NARROWEST]
        if not flexible:
            return
        widest = max(flexible, key=widths.__getitem__)
        widths[widest] -= 1
        excess -= 1
