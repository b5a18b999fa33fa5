"""How a pane looks: its two edges, and the picture of its terminal between them."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING

from rich.style import Style
from textual.geometry import Region

from komodo_tui.ui.look import look_of
from komodo_tui.ui.terminal import chrome, lines, outer, private
from komodo_tui.ui.terminal.modes import Modes
from komodo_tui.ui.terminal.mouse import MousePane
from komodo_tui.ui.terminal.picture import StyleTable, overlaid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.strip import Strip

    from komodo_tui.ui.terminal.core import Cursor
    from komodo_tui.ui.terminal.terminal import Terminal

_SOON = 1 / 120
"""Seconds from one drawing to the next that does not wait for a tick."""


class DrawnPane(MousePane):
    """Draws, and has the modes that say what is laid over the picture."""

    def __init__(
        self, terminal: Terminal | None, tabs: Callable[[], Sequence[Terminal]] | None, now: Callable[[], float],
        *, id: str | None,
    ) -> None:  # fmt: skip
        super().__init__(terminal, id=id)
        self.modes = Modes(self)
        self._tabs = tabs
        self._now = now
        self._table: StyleTable | None = None
        self._overlaid = False
        self._drawn = 0.0

    @abstractmethod
    def mode_changed(self) -> None:
        """For :class:`~komodo_tui.ui.terminal.modes.Modes`."""

    @abstractmethod
    def copy(self, text: str, what: str) -> None:
        """For :class:`~komodo_tui.ui.terminal.modes.Modes`."""

    @abstractmethod
    def closing(self) -> None:
        """For :class:`~komodo_tui.ui.terminal.modes.Modes`."""

    @abstractmethod
    def action_save(self) -> None:
        """For :class:`~komodo_tui.ui.terminal.modes.Modes`."""

    def _own_cursor_shown(self) -> bool:
        terminal = self.terminal
        if terminal is None or self.modes.mode != "TERMINAL" or not self.has_focus or terminal.state != "running":
            return False
        return terminal.picture.cursor.visible and terminal.picture.cursor.y < self.size.height - 2

    def draw_now(self) -> None:
        """An echo, and the answer to a key, need not wait for a tick; unless they come faster than can be seen."""
        now = time.monotonic()
        if now - self._drawn > _SOON and self.is_attached:
            self._drawn = now
            private.paint(self)

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        self.refresh(*(Region(0, y, self.size.width, 1) for y in rows))

    def _refresh_edges(self) -> None:
        self._refresh_rows((0, self.size.height - 1))

    def _refresh_for_mode(self) -> None:
        """The mode is another: while the history is looked through, and just after, all may look otherwise."""
        overlaid, self._overlaid = self._overlaid, self.modes.browse is not None
        if overlaid or self._overlaid or self.terminal is None:
            self.refresh()
        else:
            self._refresh_rows((0, self.terminal.picture.cursor.y + 1, self.size.height - 1))

    def notify_style_update(self) -> None:
        """The colours may be others."""
        super().notify_style_update()
        self._table = None

    def _styles(self) -> StyleTable:
        if self._table is None:
            own = not bool(getattr(self.app.current_theme, "ansi", False))
            self._table = StyleTable(self.app.ansi_theme, self.rich_style, own_palette=own)
        return self._table

    def render_line(self, y: int) -> Strip:
        """One line: an edge, or a row of the picture with what lies over it."""
        width, height = self.size
        terminal, look = self.terminal, look_of(self)
        if y == 0:
            terminals = self._tabs() if self._tabs is not None else [terminal] if terminal is not None else []
            tabs = lines.tabs(terminals, terminal, look)
            return chrome.top_line(tabs, self.modes.mode, self.has_focus and terminal is not None, width, look)
        if y == height - 1:
            return chrome.bottom_line(lines.status(terminal, self.modes, self._now()), self.has_focus, width, look)
        if terminal is None:
            return lines.nothing_open(y - 1, width, height - 2, self.rich_style, look)
        if (told := lines.failure(terminal, y - 1, width, self.rich_style, look)) is not None:
            return told
        terminal.picture.restyle(self._styles())
        strip = terminal.picture.strip(y - 1, width)
        spans = lines.overlays(terminal, self.modes.browse, self.selection, y - 1, look)
        cursor = terminal.picture.cursor
        if self.modes.browse is None and cursor.visible and cursor.y == y - 1 and terminal.state == "running":
            spans += self._software_cursor(cursor)
        return overlaid(strip, spans) if spans else strip

    def _software_cursor(self, cursor: Cursor) -> list[tuple[int, int, Style]]:
        """The cursor drawn by us: where the keys are elsewhere, and where the driver cannot show the real one."""
        if self._own_cursor_shown() and outer.can_show_cursor(self.app):
            return []
        hollow = cursor.shape == "underline" or not self.has_focus
        return [(cursor.x, cursor.x + 1, Style(underline=True) if hollow else Style(reverse=True))]
