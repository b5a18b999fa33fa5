"""What a cell of a table or a line of text is, before it has colours: text with tones.

A tone is a word of the palette (``ok warn bad dim accent …``, optionally with ``bold``, ``reverse``, ``underline``);
:class:`~komodo_tui.ui.palette.Palette` turns it into a style. So rendering is pure and does not know the theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[str, str]
"""Text and its tone; an empty tone is plain text."""
Cell = str | tuple[Span, ...]
"""Plain text, or spans one after another. Text in it is never read as markup."""


def width_of(text: str) -> int:
    """Columns the text takes on a terminal."""
    return len(text) if text.isascii() else cell_len(text)


def spans_of(cell: Cell, tone: str = "") -> tuple[Span, ...]:
    """The cell as spans; plain text gets ``tone``."""
    return ((cell, tone),) if isinstance(cell, str) else cell


def text_of(cell: Cell) -> str:
    """The cell's text alone."""
    return cell if isinstance(cell, str) else "".join(text for text, _ in cell)


def clip(text: str, width: int, ellipsis: str = "…") -> str:
    """At most ``width`` columns of the text, its cut marked by ``ellipsis``."""
    if width_of(text) <= width:
        return text
    mark = width_of(ellipsis)
    return set_cell_size(text, width - mark) + ellipsis if width > mark else set_cell_size(text, max(0, width))


def fit(cell: Cell, width: int, *, right: bool = False, ellipsis: str = "…") -> tuple[Span, ...]:
    """The cell cut or padded to exactly ``width`` columns."""
    spans = list(_cut(spans_of(cell), width, ellipsis))
    room = width - sum(width_of(text) for text, _ in spans)
    if room > 0:
        padding: Span = (" " * room, spans[-1][1] if len(spans) == 1 and not right else "")
        spans = [padding, *spans] if right else [*spans, padding]
    return tuple(spans)


def _cut(spans: Iterable[Span], width: int, ellipsis: str) -> Iterable[Span]:
    parts = [(text, tone) for text, tone in spans if text]
    total = sum(width_of(text) for text, _ in parts)
    if total <= width:
        return parts
    kept: list[Span] = []
    left = width
    for text, tone in parts:
        size = width_of(text)
        # The cut falls into this span when what follows no longer fits beside an ellipsis.
        if size >= left:
            kept.append((clip(text + ellipsis, left, ellipsis), tone))
            break
        kept.append((text, tone))
        left -= size
    return kept


def join(cells: Iterable[Cell], separator: str = " ", tone: str = "") -> tuple[Span, ...]:
    """Cells in a row, parted by ``separator``; empty ones leave no gap."""
    spans: list[Span] = []
    for cell in cells:
        if not text_of(cell):
            continue
        if spans:
            spans.append((separator, tone))
        spans.extend(spans_of(cell))
    return tuple(spans)
