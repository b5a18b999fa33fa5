"""The pane of one alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from komodo_tui.ui.alerts.rows import detail_text
from komodo_tui.ui.look import look_of
from komodo_tui.ui.widgets.graph import AXIS, Graph
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from komodo_tui.domain.alerts import Alert, AlertEntry
    from komodo_tui.ui.render.graph import GraphStyle
    from komodo_tui.ui.widgets.graph import GraphData


class AlertDetail(VerticalScroll, can_focus=True):
    """Shows one alert; scrolls by the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = """
    AlertDetail { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    AlertDetail Static { height: auto; }
    AlertDetail Graph { height: 6; display: none; margin-bottom: 1; }
    AlertDetail Graph.-known { display: block; }
    """

    def __init__(self, style: GraphStyle, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._style = style

    def compose(self) -> ComposeResult:
        """The figure, the text."""
        yield Graph(self._style)
        yield Static()

    @property
    def columns(self) -> int:
        """Values the figure has room for."""
        return max(1, (self.content_size.width - AXIS) * 2)

    def figure(self, data: GraphData | None) -> None:
        """Show the figure around the time; None hides it."""
        graph = self.query_one(Graph)
        graph.set_class(data is not None, "-known")
        if data is not None:
            graph.show(data)

    def show(self, alert: Alert | None, entries: Sequence[AlertEntry], now: float) -> None:
        """Show this one; None shows nothing."""
        look = look_of(self)
        nothing = Text("No alert is selected.", look.palette.style("dim"))
        self.query_one(Static).update(detail_text(alert, entries, now, look) if alert is not None else nothing)
