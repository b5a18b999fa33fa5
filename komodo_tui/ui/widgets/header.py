"""The two lines at the top: tabs, and the fleet in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.ui.look import look_of
from komodo_tui.ui.pages import PAGES
from komodo_tui.ui.render.cells import Span, fit, width_of
from komodo_tui.ui.render.summary import Tab, tab_strip

if TYPE_CHECKING:
    from textual import events

NAME = "komodo"


def strip_of(spans: tuple[Span, ...], width: int, widget: Widget) -> Strip:
    """Spans as one line of a widget."""
    look = look_of(widget)
    segments = [Segment(t, look.palette.style(k)) for t, k in fit(spans, width, ellipsis=look.glyphs.ellipsis)]
    return Strip(segments).adjust_cell_length(width).simplify()


class TabLine(Widget):
    """The tabs, clickable."""

    DEFAULT_CSS = "TabLine { height: 1; background: $surface; }"

    class Picked(Message):
        """A tab was clicked; ``page`` is empty for ``0 more``."""

        def __init__(self, page: str) -> None:
            super().__init__()
            self.page = page

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._current = ""

    def show(self, page: str) -> None:
        """Mark the tab of this page."""
        if page != self._current:
            self._current = page
            self.refresh()

    def _tabs(self) -> tuple[Tab, ...]:
        return tab_strip(PAGES, self._current, self.size.width - width_of(NAME))

    def render_line(self, y: int) -> Strip:
        """Name and tabs."""
        spans: list[Span] = [(NAME, "accent bold")]
        x = 0
        for tab in self._tabs():
            spans.append((" " * (tab.x - x), ""))
            spans.extend(tab.spans)
            x = tab.x + tab.width
        return strip_of(tuple(spans), self.size.width, self)

    def on_click(self, event: events.Click) -> None:
        """Go to the tab under the pointer."""
        x = event.x - width_of(NAME)
        for tab in self._tabs():
            if tab.x <= x < tab.x + tab.width:
                self.post_message(self.Picked(tab.page))


class FleetLine(Widget):
    """Servers and containers in figures at the left, the program's own state at the right."""

    DEFAULT_CSS = "FleetLine { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: tuple[Span, ...] = ()
        self._right: tuple[Span, ...] = ()

    def show(self, left: tuple[Span, ...], right: tuple[Span, ...]) -> None:
        """Say this; what is on screen already is not written again."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Both ends."""
        width = self.size.width
        used = sum(width_of(text) for text, _ in self._right)
        room = width - 1 - (used + 2 if used else 0)
        spans = ((" ", ""), *fit(self._left, max(0, room)))
        if used:
            spans += (("  ", ""), *self._right)
        return strip_of(spans, width, self)
