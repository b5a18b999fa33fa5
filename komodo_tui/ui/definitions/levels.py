"""A page in two levels: the list, and one row from near."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from textual import on

from komodo_tui.ui.page import Page
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable, Mapping
    from typing import Any

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.definitions.detail import RowDetail
    from komodo_tui.ui.widgets.list_pane import ListPane


class Book(Protocol):
    """What such a page knows. It reads and asks behind; ``changed``, given to it, is called when there is news."""

    def look(self) -> None:
        """Read everything anew."""
        ...

    def tick(self, changes: Changes) -> None:
        """Take in what changed, and ask for what is old."""
        ...


R = TypeVar("R")


class ListAndDetail(Page, Generic[R]):
    """Either the list or one row has the page; ``Enter`` and ``Esc`` go between them."""

    DEFAULT_CSS = """
    ListAndDetail RowDetail { display: none; }
    ListAndDetail.-detail RowDetail { display: block; }
    ListAndDetail.-detail .level-list { display: none; }
    """
    book: Book
    table: VirtualTable[R]
    list: ListPane[R]
    """Of :attr:`table`. It, or what it stands in, has the class ``level-list``."""
    detail: RowDetail[R]
    _wanted: Hashable | None = None
    """The row to go to, once it is there."""

    @abstractmethod
    def rows(self) -> Mapping[Any, R]:
        """All rows as they are known now."""

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        self.list.add_class("level-list")
        yield self.list
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.book.look()
        self.told()
        if self.in_detail:
            self.detail.focus_inside()
        else:
            self.table.focus()

    def tick(self, changes: Changes) -> None:
        """Take in what changed."""
        self.book.tick(changes)
        self.told()

    def told(self) -> None:
        """Show what is known now. For the book: call this when there is news."""
        if not self.list.is_mounted or not self.detail.is_mounted:
            return  # the next tick shows it
        rows = self.rows()
        before = self.table.current is None
        self.table.set_rows(rows)
        self.table.recheck()
        self.list.told()
        if self._wanted is not None and self.reach(self._wanted):
            self._wanted = None
        if self.in_detail:
            row = rows.get(self.detail.key_shown)
            if row is None:
                self.close_detail()
            else:
                self.detail.show_row(row)
        if before is not (self.table.current is None):
            self.refresh_bindings()
        self.shown()

    def shown(self) -> None:
        """What is known is in the list and the detail now: the place for a side pane to follow."""

    def reach(self, key: Hashable) -> bool:
        """Go to this row. Returns whether it is there."""
        return self.table.choose(key)

    @property
    def in_detail(self) -> bool:
        """Whether one row has the page."""
        return self.has_class("-detail")

    @on(VirtualTable.Selected)
    def _opened(self, event: VirtualTable.Selected) -> None:
        if event.table is self.table:
            event.stop()
            self.action_open_detail()

    def action_open_detail(self, view: str = "") -> None:
        """Show the row under the cursor from near; ``view`` names a part of the detail."""
        key, row = self.table.cursor, self.table.current
        if key is not None and row is not None:
            self.add_class("-detail")
            self.detail.open(key, row, view)
            self.refresh_bindings()

    def close_detail(self) -> None:
        """Give the page back to the list."""
        self.detail.close()
        self.remove_class("-detail")
        self.table.focus()
        self.refresh_bindings()

    def back(self) -> bool:
        """Marks and filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.list.back()
        if not self.detail.back():
            self.close_detail()
        return True

    def reveal(self, target: Target) -> None:
        """Go to the row of this name."""
        self._wanted = target.name
        self.told()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.detail.restyle()

    # -- acts ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> R | None:
        """The row a key is meant for."""
        return self.detail.row if self.in_detail else self.table.current

    def then(self, act: Coroutine[Any, Any, object]) -> None:
        """Run it, and look again whatever comes of it."""
        self.shell.work(self._looked_after(act))

    async def _looked_after(self, act: Coroutine[Any, Any, object]) -> None:
        try:
            self.acted(await act)
        finally:
            self.book.look()

    def acted(self, outcome: object) -> None:
        """An act came to this end; None: the person did not want it, or there is nothing to say."""
