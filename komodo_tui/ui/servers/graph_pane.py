"""Four graphs and the gauges of one server, for the detail and for the side of wide screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Grid, Vertical

from komodo_tui.ui.look import look_of
from komodo_tui.ui.render.graph import per_cell
from komodo_tui.ui.servers.graphs import gauges, headline, host_graphs
from komodo_tui.ui.servers.state import standing
from komodo_tui.ui.widgets.graph import AXIS, Graph
from komodo_tui.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.render.graph import GraphStyle
    from komodo_tui.ui.render.series import Series

NAMES = ("cpu", "memory", "net", "disk")


class GraphPane(Vertical):
    """Shows what it is given; asks nobody."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    GraphPane { height: 1fr; width: 1fr; padding: 0 1; }
    GraphPane Grid { grid-size: 2; grid-gutter: 0 2; height: 1fr; }
    GraphPane.-side Grid { grid-size: 1; grid-gutter: 0; }
    GraphPane .gauges { margin: 1 0 0 0; }
    .-short GraphPane .gauges { margin: 0; }
    """

    def __init__(self, style: GraphStyle, *, side: bool = False, id: str | None = None) -> None:
        """``side``: one column, with the server's name above."""
        super().__init__(id=id, classes="-side" if side else None)
        self._style = style
        self._side = side

    def compose(self) -> ComposeResult:
        """Headline at the side only; graphs; gauges."""
        if self._side:
            yield Lines(classes="headline")
        with Grid():
            for name in NAMES:
                yield Graph(self._style, id=f"graph-{name}")
        yield Lines(classes="gauges")

    def show(self, live: ServerLive, series: Series, window: float, now: float) -> None:
        """Draw a server's figures; unchanged ones are not written again."""
        glyphs = look_of(self).glyphs
        first = self.query_one("#graph-cpu", Graph)
        count = max(1, first.size.width - AXIS) * per_cell(self._style)
        end = series.newest or live.seen or now
        for name, data in host_graphs(live, series, window, count, end, glyphs).items():
            self.query_one(f"#graph-{name}", Graph).show(data)
        rows = self.size.height
        lines = gauges(live, self.size.width - 2, glyphs, filesystems=1 if rows < 22 else 4, containers=5)
        self.query_one(".gauges", Lines).show(lines if rows >= 12 else ())
        if self._side:
            state = standing(live, glyphs)
            self.query_one(".headline", Lines).show([headline(live, (state.glyph, state.word, state.tone), now)])

    def restyle(self) -> None:
        """Draw again in new colours."""
        for graph in self.query(Graph):
            graph.restyle()
        for lines in self.query(Lines):
            lines.refresh()
