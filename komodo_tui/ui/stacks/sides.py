"""The four sides of a stack on one server as a small table. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.stack_drift import FourWay
    from komodo_tui.ui.look import Look

_HEADS = ("service", "running", "deployed", "definition", "git")
_MOST = 24


def sides_text(rows: Sequence[FourWay], look: Look) -> Text:
    """A line a service; what is not as the side before it bears the mark of drift."""
    style, mark = look.palette.style, look.glyphs.drift
    lines = [tuple((_value(row, head), head in row.differs) for head in _HEADS) for row in rows]
    widths = [
        min(max([cell_len(head), *(cell_len(line[n][0]) + 2 * line[n][1] for line in lines)]), _MOST)
        for n, head in enumerate(_HEADS)
    ]
    text = Text("  ")
    for head, width in zip(_HEADS, widths, strict=True):
        text.append(_fit(head, width) + "  ", style("dim"))
    for line in lines:
        text.append("\n  ")
        for (value, differs), width in zip(line, widths, strict=True):
            text.append(_fit(f"{mark} {value}" if differs else value, width) + "  ", style("warn" if differs else ""))
    text.append("\n")
    for row in rows:
        if row.drift:
            text.append(f"  {mark} {row.service} does not run as deployed: {row.drift}\n", style("warn"))
    return text


def _value(row: FourWay, head: str) -> str:
    return str(getattr(row, head))


def _fit(value: str, width: int) -> str:
    short = Text(value)
    short.truncate(width, overflow="ellipsis", pad=True)
    return short.plain
