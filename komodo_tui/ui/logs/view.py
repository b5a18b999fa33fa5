"""The log view: a canvas with keys and mouse, to move in and to select from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from komodo_tui.ui.logs.canvas import LogCanvas
from komodo_tui.ui.logs.selection import Selection
from komodo_tui.ui.logs.wrap import index_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

    from komodo_tui.ui.logs.ring import LogRing
    from komodo_tui.ui.logs.selection import Point

_WHEEL = 3
_SIDE = 16
"""Columns a step to the side moves."""


class LogView(LogCanvas, can_focus=True):
    """A log to move in and to select from. Keys are answered at once, in a frame of their own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="logs.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="logs.up"),
        Binding("ctrl+d", "half(1)", "half a page down", show=False, id="logs.half_down"),
        Binding("ctrl+u", "half(-1)", "half a page up", show=False, id="logs.half_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="logs.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="logs.page_up"),
        Binding("home", "first", "oldest line", show=False, id="logs.first"),
        Binding("G,end", "last", "newest line, follow", show=False, id="logs.last"),
        Binding("right", "side(1)", "to the right", show=False, id="logs.right"),
        Binding("left", "side(-1)", "to the left", show=False, id="logs.left"),
        Binding("enter", "open", "open", show=False, key_display="⏎", id="logs.open"),
        Binding("v", "select", "select", show=False, id="logs.select"),
    ]

    class Moved(Message):
        """Cursor, place, selection or following changed, by a key or the mouse."""

    class Opened(Message):
        """Enter, or a double click, on a line."""

    def __init__(self, ring: LogRing, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(ring, now, id=id)
        self._drag: Point | None = None

    @property
    def cursor(self) -> int | None:
        """Number of the line under the cursor."""
        return self.viewport.cursor

    def show_line(self, number: int) -> None:
        """Put the cursor on a line."""
        self.viewport.go(number)
        self._moved()

    def on_focus(self) -> None:
        """The cursor is brighter with focus."""
        self.sync()

    def on_blur(self) -> None:
        """…and quieter without."""
        self.sync()

    # -- moving -------------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        cursor = self.viewport.cursor
        if self.selection is not None and self.selection.whole_lines and cursor is not None:
            self.selection = self.selection.extended((cursor, 0))
        self.sync()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.viewport.move(by)
        self._moved()

    def action_half(self, sign: int) -> None:
        """Move by half a page."""
        self.viewport.page(sign * max(1, self.size.height // 2))
        self._moved()

    def action_page(self, sign: int) -> None:
        """Move by a page."""
        self.viewport.page(sign * max(1, self.size.height - 1))
        self._moved()

    def action_first(self) -> None:
        """To the oldest line."""
        self.viewport.to_start()
        self._moved()

    def action_last(self) -> None:
        """To the newest line, and follow."""
        self.viewport.to_end()
        self._moved()

    def action_follow(self) -> None:
        """Follow, or stop following."""
        if self.viewport.follow:
            self.viewport.pause()
        else:
            self.viewport.to_end()
        self._moved()

    def action_side(self, sign: int) -> None:
        """See more of lines that are not wrapped."""
        if not self.wrap:
            self._offset = max(0, self._offset + sign * _SIDE)
            self.restyle()

    def action_open(self) -> None:
        """Open the cursor's line."""
        if self.viewport.cursor is not None:
            self.viewport.pause()
            self._moved()
            self.post_message(self.Opened())

    # -- selecting ----------------------------------------------------------------------------------------------

    def action_select(self) -> None:
        """Begin to select whole lines at the cursor, or give up what is selected."""
        if not self.clear_selection():
            self.viewport.pause()
            if self.viewport.cursor is not None:
                self.selection = Selection((self.viewport.cursor, 0), (self.viewport.cursor, 0))
            self._moved()

    def clear_selection(self) -> bool:
        """Select nothing. Returns whether something was selected."""
        had = self.selection is not None
        self.selection = None
        if had:
            self._moved()
        return had

    def selected_count(self) -> int:
        """How many lines are selected, those a filter hides left out."""
        selection = self.selection
        return 0 if selection is None else self.viewport.shown.count(selection.first[0], selection.last[0])

    def selected_text(self) -> list[str]:
        """What is selected, else the cursor's line: one string a line, without its time and source."""
        selection = self.selection
        if selection is None:
            cursor = self.viewport.cursor
            return [] if cursor is None else [self.lines.get(cursor).styled.text]
        found: list[str] = []
        number = self.viewport.shown.at_or_after(selection.first[0])
        while number is not None and number <= selection.last[0]:
            text = self.lines.get(number).styled.text
            span = selection.within(number, len(text))
            if span is not None:
                found.append(text[slice(*span)])
            number = self.viewport.shown.after(number)
        return found

    # -- mouse --------------------------------------------------------------------------------------------------

    def _point(self, at: Offset) -> Point | None:
        """Line and character under the pointer."""
        drawn = self._drawn[at.y] if 0 <= at.y < len(self._drawn) else None
        if drawn is None or drawn.row.number < self.ring.first:
            return None
        text = self.lines.get(drawn.row.number).styled.text
        return drawn.row.number, index_at(text, drawn.row.part, at.x - self._gutter.width)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The scroll bar jumps; a line becomes the cursor's, and dragging selects from there."""
        point = self._point(event.offset)
        if event.button != 1 or point is None:
            return
        self.viewport.pause()
        self.selection = None
        if event.x == self.size.width - 1 and self._thumb != (0, 0):
            span = self.ring.end - 1 - self.ring.first
            self.viewport.go(self.ring.first + round(span * event.y / max(1, self.size.height - 1)))
        else:
            self.viewport.cursor = point[0]
            self._drag = point
            self.capture_mouse()
        self._moved()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend what is selected."""
        if self._drag is None:
            return
        if not 0 <= event.y < self.size.height:
            self.viewport.scroll(1 if event.y > 0 else -1)
            self.sync()
        point = self._point(Offset(event.x, min(max(event.y, 0), self.size.height - 1)))
        if point is not None and point != self._drag:
            self.selection = Selection(self._drag, point, whole_lines=False)
            self.viewport.cursor = point[0]
            self._moved()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """What is selected stays."""
        if self._drag is not None:
            self._drag = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """A double click opens."""
        if event.chain == 2 and event.x < self.size.width - 1:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Down by some rows."""
        event.stop()
        self.viewport.scroll(_WHEEL)
        self._moved()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Up by some rows."""
        event.stop()
        self.viewport.scroll(-_WHEEL)
        self._moved()
