"""Cutting one line into the rows it takes on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import split_graphemes

from komodo_tui.ui.render.cells import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Part = tuple[int, int]
"""Start and end of a row's text, in characters."""
_JOINER = "\u200d"


def wrapped(text: str, width: int) -> list[Part]:
    """The rows of a line that is wrapped, each at most ``width`` columns (one wide character may stand over)."""
    width = max(1, width)
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)] or [(0, 0)]
    if fits(text, width):
        return [(0, len(text))]
    parts: list[Part] = []
    start = used = 0
    for at, _, size in _graphemes(text):
        if used + size > width and at > start:
            parts.append((start, at))
            start, used = at, 0
        used += size
    parts.append((start, len(text)))
    return parts


def clipped(text: str, offset: int, width: int) -> Part:
    """The part of a line seen through a window of ``width`` columns that begins at column ``offset``."""
    width = max(1, width)
    if text.isascii():
        start = min(offset, len(text))
        return start, min(start + width, len(text))
    start = end = len(text)
    column = 0
    found = False
    for at, behind, size in _graphemes(text):
        if not found and column >= offset:
            start, found = at, True
        if found and column + size > offset + width:
            return start, at
        column += size
        end = behind
    return min(start, end), end


def index_at(text: str, part: Part, column: int) -> int:
    """The character that stands at a column of a row; the row's end for columns behind it."""
    start, end = part
    piece = text[start:end]
    if piece.isascii():
        return min(start + max(0, column), end)
    used = 0
    for at, _, size in _graphemes(piece):
        if used + size > column:
            return start + at
        used += size
    return end


def fits(text: str, width: int) -> bool:
    """Whether a line takes one row."""
    return len(text) <= width and width_of(text) <= width


def _graphemes(text: str) -> Sequence[tuple[int, int, int]]:
    """Start, end and columns of each grapheme."""
    spans = split_graphemes(text)[0]
    if _JOINER not in text:
        return spans
    # Joiners with nothing to join: here Rich takes a letter behind them for joined, where it measures it does not.
    return [(start, end, max(size, width_of(text[start:end]))) for start, end, size in spans]
