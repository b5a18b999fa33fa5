"""The one pattern of every list: a line that says what is shown, the table, the filter, marks, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from komodo_tui.domain.errors import UsageError
from komodo_tui.ui.look import look_of
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.render.listing import ListFacts, list_line
from komodo_tui.ui.render.reason import reason_block
from komodo_tui.ui.widgets.filter_bar import FilterBar
from komodo_tui.ui.widgets.header import strip_of
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.strip import Strip

    from komodo_tui.ui.render.reason import Reason

R = TypeVar("R")


class ListLine(Widget):
    """``Containers 317  filter: state:run  marked 3          sort CPU ▼``; left out on short screens while plain."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = "ListLine { height: 1; } .-short ListLine.-plain { display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self._facts: ListFacts | None = None

    def show(self, facts: ListFacts) -> None:
        """Say this."""
        if facts != self._facts:
            self._facts = facts
            self.set_class(facts.plain, "-plain")
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        glyphs = look_of(self).glyphs
        return strip_of(list_line(self._facts, self.size.width, glyphs) if self._facts else (), self.size.width, self)


class ListPane(Vertical, Generic[R]):
    """A table with all that lists have in common. Its page feeds :attr:`table` and calls :meth:`told` after that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/", id="list.filter"),
        Binding("o", "order", "sort", show=False, id="list.order"),
    ]
    DEFAULT_CSS = """
    ListPane { height: 1fr; width: 1fr; }
    ListPane .empty { display: none; height: 1fr; content-align: center middle; text-align: center; padding: 0 4; }
    ListPane.-empty .empty { display: block; }
    ListPane.-empty VirtualTable { height: 1; }
    """

    class Filtered(Message):
        """The filter is another one."""

        def __init__(self, pane: ListPane[Any], text: str) -> None:
            super().__init__()
            self.pane = pane
            self.text = text

        @property
        def control(self) -> ListPane[Any]:
            """The pane."""
            return self.pane

    def __init__(
        self,
        title: str,
        table: VirtualTable[R],
        *,
        parse: Callable[[str], Callable[[R], bool]],
        empty: Callable[[], Text],
        help: str = "",
        natural: str = "",
        about: Callable[[R], Reason] | None = None,
        id: str | None = None,
    ) -> None:
        """A list of rows.

        ``parse`` turns a filter's text into a test of rows and raises UsageError; ``empty`` teaches what belongs here
        and which key makes the first; ``help`` names the filter's words, shown while its line is empty; ``natural``
        names the order without a column; ``about`` says what is wrong with the row under the cursor, in full, below
        the list: a cell is too narrow for it.
        """
        super().__init__(id=id)
        self.title = title
        self.table = table
        self.filter_text = ""
        self._parse = parse
        self._empty = empty
        self._help = help
        self._natural = natural
        self._about = about

    def compose(self) -> ComposeResult:
        """Line, table, what to say when it is empty, what is wrong with the row under the cursor, filter."""
        yield ListLine()
        yield self.table
        yield Static(classes="empty")
        if self._about is not None:
            yield Lines(classes="about")
        yield FilterBar(self._help)

    def on_mount(self) -> None:
        """Say what is shown."""
        self.told()

    def told(self) -> None:
        """The rows changed: bring the line above and the empty state in line."""
        lines = self.query(ListLine)
        if not lines:  # not composed yet, or taken down already
            return
        model = self.table.model
        column = model.column
        facts = ListFacts(
            title=self.title, shown=len(model.view), total=len(model.rows), filter=self.filter_text,
            marked=len(model.marks), hidden=model.hidden_marks,
            sort=(column.title or column.id) if column else self._natural, reverse=model.reverse,
        )  # fmt: skip
        lines.first().show(facts)
        nothing = not model.view
        if nothing:
            self.query_one(".empty", Static).update(self._nothing())
        self.set_class(nothing, "-empty")
        self._explain()

    def _explain(self) -> None:
        for lines in self.query(".about").results(Lines):
            row = self.table.current
            reason = self._about(row) if row is not None and self._about is not None else ("", "")
            lines.show(reason_block(reason, self.size.width, f" {look_of(self).glyphs.ellipsis}"))

    def on_resize(self, _: Resize) -> None:
        """Wrap what is said below for the new width."""
        self._explain()

    @on(VirtualTable.Highlighted)
    def _other_row(self) -> None:
        self._explain()

    def _nothing(self) -> Text:
        if not self.table.model.rows:
            return self._empty()
        style = look_of(self).palette.style
        return Text.assemble(
            "Nothing matches  ", (self.filter_text, style("warn")), "\n\n", ("Esc shows all again", style("dim"))
        )

    # -- filter -------------------------------------------------------------------------------------------------

    def set_filter(self, text: str) -> str:
        """Filter by this text; returns what is wrong with it, in which case the filter before stays."""
        text = text.strip()
        try:
            test = self._parse(text) if text else None
        except UsageError as error:
            return error.message
        self.filter_text = text
        self.table.set_filter(test)
        self.told()
        self.post_message(self.Filtered(self, text))
        return ""

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open(self.filter_text)

    @on(FilterBar.Edited)
    def _edited(self, event: FilterBar.Edited) -> None:
        event.stop()
        self.query_one(FilterBar).tell(self.set_filter(event.text))

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        event.stop()
        if event.cancelled:
            self.set_filter("")
        self.table.focus()

    @on(FilterBar.Moved)
    def _moved(self, event: FilterBar.Moved) -> None:
        event.stop()
        self.table.action_move(event.by)

    @on(VirtualTable.Changed)
    def _changed(self) -> None:
        self.told()

    def back(self) -> bool:
        """Clear the marks, else the filter. Returns whether there was something to clear."""
        if self.table.clear_marks():
            return True
        if self.filter_text:
            self.set_filter("")
            return True
        return False

    # -- order --------------------------------------------------------------------------------------------------

    def action_order(self) -> None:
        """Pick the column to sort by."""
        columns = [column for column in self.table.columns if column.key]
        keys = "abcdefghilmnoprstuvwxyz"
        items = [MenuItem(column.id, column.title, key) for column, key in zip(columns, keys, strict=False)]
        self.app.push_screen(MenuDialog("Sort by", items), self._ordered)

    def _ordered(self, column: str | None) -> None:
        if column:
            same = self.table.model.column is not None and self.table.model.column.id == column
            self.table.sort_by(column, not self.table.model.reverse if same else None)
