"""One line whose text is made for its width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from komodo_tui.ui.widgets.header import strip_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip

    from komodo_tui.ui.render.cells import Span


class Bar(Widget):
    """Shows what a function makes of its width; takes no room while that is nothing."""

    DEFAULT_CSS = "Bar { height: 1; } Bar.-none { display: none; }"

    def __init__(self, spans: Callable[[int], tuple[Span, ...]], *, id: str) -> None:
        super().__init__(id=id)
        self._spans = spans
        self._shown: tuple[Span, ...] = ()

    def sync(self) -> None:
        """Ask again, and draw what is different."""
        spans = self._spans(self.size.width or self.app.size.width)
        self.set_class(not spans, "-none")
        if spans != self._shown:
            self._shown = spans
            self.refresh()

    def on_resize(self) -> None:
        """Fit it anew."""
        self.sync()

    def render_line(self, y: int) -> Strip:
        """The line."""
        return strip_of(self._shown, self.size.width, self)
