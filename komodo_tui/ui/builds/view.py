"""A long output that grows: a few lines with colours above, plain lines below, wrapped; only what is seen is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from komodo_tui.ui.logs.wrap import wrapped
from komodo_tui.ui.private import resize_content
from komodo_tui.ui.widgets.header import strip_of
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from komodo_tui.ui.widgets.lines import Line


class OutputView(ScrollView, can_focus=True):
    """Shows what :meth:`show` was given last; stays at the end where it was there, if that is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = "OutputView { height: 1fr; scrollbar-size: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._head: tuple[Line, ...] = ()
        self._lines: tuple[str, ...] = ()
        self._rows: list[Line] = []
        self._cut: dict[str, tuple[Line, ...]] = {}
        self._width = 0

    @property
    def plain(self) -> str:
        """All of its text."""
        head = ["".join(text for text, _ in line) for line in self._head]
        return "\n".join((*head, *self._lines))

    def show(self, head: Sequence[Line], lines: Sequence[str], *, follow: bool = False) -> None:
        """Show this. ``follow``: whoever looks at the end sees what comes."""
        given = (tuple(head), tuple(lines))
        if given == (self._head, self._lines):
            return
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        self._head, self._lines = given
        self._place()
        if follow and at_end:
            self.scroll_end(animate=False)

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self._place()

    def _place(self) -> None:
        width = max(1, self.scrollable_content_region.width - 1)
        if width != self._width:
            self._width, self._cut = width, {}
        known = self._cut
        self._cut = {line: known.get(line) or _pieces(line, width) for line in dict.fromkeys(self._lines)}
        self._rows = [*self._head, *(piece for line in self._lines for piece in self._cut[line])]
        resize_content(self, Size(self.scrollable_content_region.width, len(self._rows)))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row."""
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self._rows):
            return Strip.blank(width)
        return strip_of(((" ", ""), *self._rows[at]), width, self)

    def action_first(self) -> None:
        """To the top (gg)."""
        self.scroll_home(animate=False)


def _pieces(line: str, width: int) -> tuple[Line, ...]:
    return tuple(((line[start:end], ""),) for start, end in wrapped(line, width))
