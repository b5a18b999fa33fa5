"""Four graphs of one container, for its detail and for the side of wider screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Grid

from komodo_tui.ui.containers.graphs import NAMES, container_graphs
from komodo_tui.ui.look import look_of
from komodo_tui.ui.render.graph import per_cell
from komodo_tui.ui.widgets.graph import AXIS, Graph

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.ui.containers.columns import Row
    from komodo_tui.ui.render.graph import GraphStyle
    from komodo_tui.ui.render.series import Series


class ContainerGraphs(Grid, can_focus=True):
    """Shows what it is given; asks nobody."""

    DEFAULT_CSS = """
    ContainerGraphs { height: 1fr; width: 1fr; padding: 0 1; grid-size: 2; grid-gutter: 0 2; }
    ContainerGraphs.-side { grid-size: 1; grid-gutter: 0; }
    """

    def __init__(self, style: GraphStyle, *, side: bool = False, id: str | None = None) -> None:
        """``side``: one column."""
        super().__init__(id=id, classes="-side" if side else None)
        self.can_focus = not side
        self._style = style

    def compose(self) -> ComposeResult:
        """The graphs."""
        for name in NAMES:
            yield Graph(self._style, id=f"graph-{name}")

    def show(self, row: Row, series: Series, window: float, now: float) -> None:
        """Draw a container's figures; unchanged ones are not written again."""
        first = self.query_one("#graph-cpu", Graph)
        count = max(1, first.size.width - AXIS) * per_cell(self._style)
        end = series.newest or row.live.seen or now
        for name, data in container_graphs(row.sample, series, window, count, end, look_of(self).glyphs).items():
            self.query_one(f"#graph-{name}", Graph).show(data)

    def restyle(self) -> None:
        """Draw again in new colours."""
        for graph in self.query(Graph):
            graph.restyle()
