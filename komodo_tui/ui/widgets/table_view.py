"""Rows under a header: draws only what is seen and repaints only what changed. Built on Textual's Line API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from komodo_tui.ui.look import look_of
from komodo_tui.ui.private import resize_content
from komodo_tui.ui.widgets.table_model import TableModel
from komodo_tui.ui.widgets.table_painter import Line, TablePainter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from komodo_tui.ui.render.columns import Column

R = TypeVar("R")


class TableView(ScrollView, Generic[R], can_focus=True):
    """Rows of type ``R`` under a header.

    Feed it with :meth:`set_rows` or :meth:`update_rows`, and call :meth:`recheck` at each frame tick: cells that
    depend on the clock are compared with what is drawn, and unchanged cells are never written again.
    """

    class Highlighted(Message):
        """The cursor is on another row; ``key`` is None when there is none."""

        def __init__(self, table: TableView[Any], key: Hashable | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> TableView[Any]:
            """The table."""
            return self.table

    class Selected(Highlighted):
        """Enter, or a second click on the cursor's row."""

    class Changed(Message):
        """Marks, order or the number of rows changed: for the line above the table."""

        def __init__(self, table: TableView[Any]) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> TableView[Any]:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        order: Callable[[R], Any],
        row_tone: Callable[[R], str] | None = None,
        sort: str = "",
        reverse: bool | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """``order`` is the natural order, ``sort`` the id of the column to begin with; ``row_tone`` gives plain
        cells of a row their tone (``dim`` for what is stale)."""
        super().__init__(id=id, classes=classes)
        self._painter: TablePainter[R] = TablePainter(columns)
        self.model: TableModel[R] = TableModel(order)
        self._row_tone = row_tone
        self._drawn: list[Line | None] = []
        self._header: Strip | None = None
        self._announced: Hashable | None = None
        if sort:
            column = self.column(sort)
            self.model.sort(column, column.descending if reverse is None else reverse)

    # -- data ---------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Mapping[Any, R]) -> None:
        """Make these all the rows."""
        self._after(self.model.replace(rows))

    def update_rows(self, changed: Mapping[Any, R], removed: Iterable[Hashable] = ()) -> None:
        """Add or change some rows and remove others."""
        self._after(self.model.update(changed, removed))

    def refigure(self) -> None:
        """Figures that rows look up have changed: their order may be another."""
        self._after(self.model.refigure())

    def set_filter(self, predicate: Callable[[R], bool] | None) -> None:
        """Show only rows it says yes to; None shows all."""
        self._after(self.model.filter(predicate), follow=True)

    def sort_by(self, column_id: str, reverse: bool | None = None) -> None:
        """Order by a column (empty: natural order); figures begin with the largest unless told otherwise."""
        column = self.column(column_id) if column_id else None
        backwards = (column.descending if column else False) if reverse is None else reverse
        self._header = None
        self._after(self.model.sort(column, backwards), follow=True)
        self.refresh(Region(0, 0, self._width, 1))
        self.post_message(self.Changed(self))

    def recheck(self) -> None:
        """Compare what is drawn with what the rows say now, and repaint what differs."""
        self._sync()

    def restyle(self) -> None:
        """Draw everything again: the theme changed."""
        self._painter.clear()
        self._header = None
        self._drawn = []
        self.refresh()

    def column(self, column_id: str) -> Column[R]:
        """The column of this id."""
        return next(column for column in self._painter.columns if column.id == column_id)

    @property
    def columns(self) -> tuple[Column[R], ...]:
        """All columns, shown or not."""
        return self._painter.columns

    @property
    def shown(self) -> list[Column[R]]:
        """The columns that fit the width."""
        return [self._painter.columns[slot.index] for slot in self._painter.slots]

    @property
    def cursor(self) -> Hashable | None:
        """Id of the row under the cursor."""
        return self.model.cursor if self.model.view else None

    @property
    def current(self) -> R | None:
        """The row under the cursor."""
        return self.model.current

    def selection(self) -> list[R]:
        """The rows an act is meant for: the marked ones, or the cursor's."""
        return self.model.selection()

    def choose(self, key: Hashable) -> bool:
        """Put the cursor on this row. Returns whether it is shown."""
        if not self.model.choose(key):
            return False
        self._after(False, follow=True)
        return True

    def clear_marks(self) -> bool:
        """Take all marks away. Returns whether there were any."""
        had = self.model.clear_marks()
        if had:
            self._marked()
        return had

    # -- drawing ------------------------------------------------------------------------------------------------

    def _after(self, view_changed: bool, follow: bool = False) -> None:
        """Bring scroll, messages and screen in line with the model."""
        if not self.is_attached:
            return
        visible = self._is_cursor_visible()
        size = Size(self._width, len(self.model.view) + 1)
        if size != self.virtual_size:
            resize_content(self, size)
        if view_changed and (follow or visible):
            self._show_cursor(margin=False)
        self._sync()
        if view_changed:
            self.post_message(self.Changed(self))
        self._announce()

    def _announce(self) -> None:
        if self.cursor != self._announced:
            self._announced = self.cursor
            self.post_message(self.Highlighted(self, self.cursor))

    def _marked(self) -> None:
        self._sync()
        self.post_message(self.Changed(self))

    @property
    def _height(self) -> int:
        return max(0, self.outer_size.height - 1)

    @property
    def _width(self) -> int:
        """Without the scrollbar. From ``outer_size``: it is there before Textual has laid out the widget."""
        return max(0, self.outer_size.width - self.scrollbar_size_vertical)

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def _line(self, index: int) -> Line | None:
        """What the view's row ``index`` shows now."""
        view = self.model.view
        if not 0 <= index < len(view):
            return None
        key = view[index]
        row = self.model.rows[key]
        cursor = "" if key != self.model.cursor else ("cursor" if self.has_focus else "cursor-blur")
        tone = self._row_tone(row) if self._row_tone else ""
        return Line(cursor, key in self.model.marks, tone, self._painter.cells(row))

    def _sync(self) -> None:
        """Compare each visible line with the one drawn, and ask for the parts that differ."""
        top = self._top
        now = [self._line(top + n) for n in range(self._height)]
        before, self._drawn = self._drawn, now
        if len(before) != len(now):
            self.refresh()
            return
        differ = self._painter.difference
        regions = [differ(n + 1, old, new) for n, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the viewport."""
        if self._painter.width != self._width:
            # Whoever asks for the region of a widget before its first layout (``focus`` does) makes Textual 8.2 take
            # it for one that is laid out already, and it never hears of its size.
            self._painter.place(self._width)
            self._header, self._drawn = None, []
        if y == 0:
            if self._header is None:
                self._header = self._painter.header(look_of(self), self.model.column, self.model.reverse)
            return self._header
        line = self._drawn[y - 1] if y <= len(self._drawn) else self._line(self._top + y - 1)
        if line is None:
            return Strip.blank(self._width)
        return self._painter.line(line, look_of(self), 4 * max(self._height, 25))

    def on_resize(self) -> None:
        """Place the columns for the new width."""
        self._painter.place(self._width)
        self.virtual_size = Size(self._width, len(self.model.view) + 1)
        self._show_cursor(margin=False)
        self.restyle()

    def watch_show_vertical_scrollbar(self) -> None:
        """It came or went and took a column with it, which is no resize."""
        if self._painter.width:
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The viewport moved: all its lines are others now."""
        super().watch_scroll_y(old_value, new_value)
        self._drawn = [self._line(self._top + n) for n in range(self._height)]

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor is drawn brighter with focus. At the events themselves ``has_focus`` is still the old one."""
        super().watch_has_focus(_has_focus)
        self._sync()

    # -- moving -------------------------------------------------------------------------------------------------

    def _is_cursor_visible(self) -> bool:
        return self._top <= self.model.index < self._top + self._height

    def _show_cursor(self, margin: bool = True) -> None:
        """Scroll so that the cursor is seen; by half a page at an edge, for a screen repaints whole when it scrolls."""
        height, index = self._height, self.model.index
        if self._is_cursor_visible() or height <= 0:
            return
        room = height // 2 if margin else 0
        top = index - height + 1 + room if index >= self._top + height else index - room
        self.scroll_to(y=max(0, top), animate=False, force=True)

    def _move_to(self, index: int) -> None:
        self.model.move_to(index)
        self._show_cursor()
        self._sync()
        self._announce()
