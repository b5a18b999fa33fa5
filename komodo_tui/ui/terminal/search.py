"""Finding text in the rows of a terminal, across the places where lines were wrapped."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

from komodo_tui.ui.terminal.core import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable


def cell_width(text: str) -> int:
    """The cells a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def find(rows: Iterable[tuple[str, bool]], cols: int, needle: str, limit: int) -> list[Hit]:
    """The matches, top down, at most ``limit``.

    ``rows`` are the text of each row without trailing blanks and whether its line goes on in the next row. Case counts
    only when the needle has an upper-case letter.
    """
    if not needle:
        return []
    pattern = re.compile(re.escape(needle), 0 if any(map(str.isupper, needle)) else re.IGNORECASE)
    hits: list[Hit] = []
    line: list[str] = []
    for y, (text, wrapped) in enumerate(rows):
        line.append(text + " " * (cols - cell_width(text)) if wrapped else text)
        if not wrapped:
            hits.extend(_in_line(line, y - len(line) + 1, pattern))
            line = []
            if len(hits) >= limit:
                return hits[:limit]
    hits.extend(_in_line(line, y - len(line) + 1, pattern) if line else ())
    return hits[:limit]


def _in_line(rows: list[str], top: int, pattern: re.Pattern[str]) -> Iterable[Hit]:
    """The matches in one line of text that takes these rows."""
    starts = [0]
    for text in rows[:-1]:
        starts.append(starts[-1] + len(text))
    line = "".join(rows)

    def place(index: int) -> tuple[int, int]:
        row = bisect_right(starts, index) - 1
        return top + row, cell_width(line[starts[row] : index])

    for match in pattern.finditer(line):
        row, col = place(match.start())
        end_row, last = place(match.end() - 1)
        yield Hit(row, col, end_row, last + max(1, cell_width(line[match.end() - 1])))


def joined(rows: list[tuple[str, bool]], cols: int, start_col: int, end_col: int) -> str:
    """The text from a column of the first row to one of the last, inclusive; wrapped lines are joined."""
    pieces: list[str] = []
    for index, (text, wrapped) in enumerate(rows):
        first = start_col if index == 0 else 0
        last = end_col if index == len(rows) - 1 else cols - 1
        piece = _columns(text, first, last)
        if wrapped and index < len(rows) - 1:
            pieces.append(piece + " " * (last - first + 1 - cell_width(piece)))
        else:
            pieces.append(piece.rstrip(" ") + "\n")
    return "".join(pieces).removesuffix("\n")


def _columns(text: str, first: int, last: int) -> str:
    """The characters that begin in these cells."""
    if text.isascii():
        return text[first : last + 1]
    kept, x = [], 0
    for char in text:
        width = _char_width(char)
        if first <= (x if width else x - 1) <= last:
            kept.append(char)
        x += width
    return "".join(kept)
