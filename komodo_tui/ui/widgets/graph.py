"""A graph with its axis: one colour a row, warm towards the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.domain.units import rate_text
from komodo_tui.ui.look import look_of
from komodo_tui.ui.render.cells import Span, fit, width_of
from komodo_tui.ui.render.graph import GraphStyle, area, nice_top

if TYPE_CHECKING:
    from rich.style import Style

    from komodo_tui.ui.look import Look

AXIS = 7
"""Columns of the labels at the left, the line included."""


@dataclass(frozen=True)
class GraphData:
    """What a graph shows. Equal data is not drawn again."""

    title: tuple[Span, ...]
    """Name and figure now: ``CPU  23%``."""
    values: tuple[float | None, ...]
    top: float
    top_label: str
    below: tuple[float | None, ...] = ()
    """A second series hanging from the base line: sent below received."""
    right: tuple[Span, ...] = ()
    """At the right of the title: peak, load."""
    window: str = ""
    """How far back the left end is, e.g. ``-15m``."""
    tones: tuple[str, str] = ("graph-low", "graph-high")
    """At the base and at the top; with ``below``, of the upper and of the lower area."""


class Graph(Widget):
    """Title line, then rows of area with labels at the left."""

    DEFAULT_CSS = "Graph { height: 1fr; min-height: 2; }"

    def __init__(self, style: GraphStyle, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.graph_style = style
        self._data: GraphData | None = None
        self._strips: list[Strip] | None = None
        self._strips_size = self.size

    def show(self, data: GraphData) -> None:
        """Draw this; nothing is written when it is what is drawn."""
        if data != self._data:
            self._data = data
            self._strips = None
            self.refresh()

    def restyle(self) -> None:
        """Draw again: the colours changed."""
        self._strips = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        if self._data is None:
            return Strip.blank(self.size.width)
        if self._strips is None or self._strips_size != self.size:  # asked to draw before it is told of its size
            self._strips_size = self.size
            self._strips = graph_strips(self._data, self.size.width, self.size.height, self.graph_style, look_of(self))
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)


def pair_graph(
    name: str, now: tuple[float, float] | None, first: tuple[float | None, ...], second: tuple[float | None, ...],
    signs: tuple[str, str], past: str,
) -> GraphData:  # fmt: skip
    """Two rates on one scale, one standing, one hanging; ``now`` are the figures of the title, ``signs`` name them."""
    top = nice_top(max((v for v in (*first, *second) if v is not None), default=0.0))
    title: list[Span] = [(f"{name} ", "bold")]
    if now is not None:
        gap = "" if len(signs[0]) == 1 else " "
        title.append((f"{signs[0]}{gap}{rate_text(now[0])}/s ", "graph-in"))
        title.append((f"{signs[1]}{gap}{rate_text(now[1])}/s", "graph-out"))
    else:
        title.append(("not known", "dim"))
    return GraphData(
        tuple(title), first, top, rate_text(top), below=second, window=past, tones=("graph-in", "graph-out")
    )


def graph_strips(data: GraphData, width: int, height: int, style: GraphStyle, look: Look) -> list[Strip]:
    """Title and rows, each exactly ``width`` columns."""
    palette = look.palette
    used = sum(width_of(text) for text, _ in data.right)
    room = width - (used + 1 if used else 0)
    title = (*fit(data.title, max(0, room), ellipsis=look.glyphs.ellipsis), (" " if used else "", ""), *data.right)
    strips = [Strip([Segment(text, palette.style(key)) for text, key in title]).adjust_cell_length(width)]
    rows = height - 1
    if rows <= 0:
        return strips
    chart = max(0, width - AXIS)
    labels = _labels(data, rows)
    for text, tone, label in zip(*_areas(data, chart, rows, style, look), labels, strict=True):
        axis = label.rjust(AXIS - 2)[: AXIS - 2] + " " + look.glyphs.vertical
        strips.append(Strip([Segment(axis, palette.style("dim")), Segment(text, tone)]).adjust_cell_length(width))
    return strips


def _labels(data: GraphData, rows: int) -> list[str]:
    labels = [""] * rows
    labels[0] = data.top_label
    if rows > 2 or not data.window:
        labels[-1] = data.top_label if data.below and rows > 1 else data.window or "0"
    return labels


def _areas(data: GraphData, width: int, rows: int, style: GraphStyle, look: Look) -> tuple[list[str], list[Style]]:
    """The rows of text and their styles."""
    blend = look.palette.blend
    low, high = data.tones
    if not data.below or rows < 2:
        text = area(data.values, width, rows, data.top, style=style)
        return text, [blend(low, high, (rows - 1 - n) / max(1, rows - 1)) for n in range(rows)]
    upper = (rows + 1) // 2
    text = area(data.values, width, upper, data.top, style=style)
    text += area(data.below, width, rows - upper, data.top, style=style, downward=True)
    return text, [look.palette.style(low)] * upper + [look.palette.style(high)] * (rows - upper)
