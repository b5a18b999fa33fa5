"""The table of every list: :class:`.table_view.TableView` with its keys and the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType

from komodo_tui.ui.widgets.table_view import TableView

if TYPE_CHECKING:
    from textual import events

R = TypeVar("R")


class VirtualTable(TableView[R]):
    """Moves, marks, sorts and opens rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", show=False, id="table.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="table.up"),
        Binding("ctrl+d", "half(1)", "half a page down", show=False, id="table.half_down"),
        Binding("ctrl+u", "half(-1)", "half a page up", show=False, id="table.half_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="table.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="table.page_up"),
        Binding("home", "first", "first row", show=False, id="table.first"),
        Binding("G,end", "last", "last row", show=False, id="table.last"),
        Binding("enter", "select", "open", key_display="⏎", id="table.open"),
        Binding("space", "mark", "mark", key_display="Space", id="table.mark"),
        Binding("V", "mark_range", "mark from the last mark to here", show=False, id="table.mark_range"),
        Binding("asterisk", "mark_all", "mark all shown", show=False, key_display="*", id="table.mark_all"),
        Binding("O", "reverse", "reverse the order", show=False, id="table.reverse"),
        Binding("less_than_sign,shift+left", "sort_next(-1)", "sort by the column at the left", show=False,
                key_display="<", id="table.sort_left"),
        Binding("greater_than_sign,shift+right", "sort_next(1)", "sort by the column at the right", show=False,
                key_display=">", id="table.sort_right"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    VirtualTable { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._move_to(self.model.index + by)

    def action_half(self, sign: int) -> None:
        """Move by half a page."""
        self._move_to(self.model.index + sign * max(1, self._height // 2))

    def action_page(self, sign: int) -> None:
        """Move by a page."""
        self._move_to(self.model.index + sign * max(1, self._height - 1))

    def action_first(self) -> None:
        """To the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self._move_to(len(self.model.view) - 1)

    def action_select(self) -> None:
        """Open the cursor's row."""
        if self.cursor is not None:
            self.post_message(self.Selected(self, self.cursor))

    def action_mark(self) -> None:
        """Mark the cursor's row, or take its mark away, and go on to the next."""
        self.model.toggle_mark()
        self._move_to(self.model.index + 1)
        self._marked()

    def action_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        self.model.mark_range()
        self._marked()

    def action_mark_all(self) -> None:
        """Mark all rows shown, or none of them."""
        self.model.mark_all()
        self._marked()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.sort_by(self.model.column.id if self.model.column else "", not self.model.reverse)

    def action_sort_next(self, by: int) -> None:
        """Sort by the next sortable column in that direction."""
        able = [column for column in self.shown if column.key]
        if not able:
            return
        at = able.index(self.model.column) if self.model.column in able else (-1 if by > 0 else len(able))
        self.sort_by(able[(at + by) % len(able)].id)

    def on_click(self, event: events.Click) -> None:
        """The header sorts; a row becomes the cursor's, and opens at the second click."""
        if event.y == 0:
            self._sort_at(event.x)
            return
        index = self._top + event.y - 1
        if index >= len(self.model.view):
            return
        again = self.model.index == index and event.chain > 1
        self._move_to(index)
        if again:
            self.action_select()

    def _sort_at(self, x: int) -> None:
        painter = self._painter
        slot = next((slot for slot in painter.slots if slot.x <= x < slot.x + slot.width), None)
        column = painter.columns[slot.index] if slot else None
        if column is not None and column.key:
            self.sort_by(column.id, not self.model.reverse if column is self.model.column else None)
