"""One row from near: the part of a page that ``Enter`` opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual.containers import Vertical

from komodo_tui.ui.containers.document import DocumentPane

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.widget import Widget

    from komodo_tui.ui.widgets.list_pane import ListPane
    from komodo_tui.ui.widgets.table import VirtualTable

R = TypeVar("R")


class RowDetail(Vertical, Generic[R]):
    """Shows the row named last by :meth:`open`; its page brings what is known of it by :meth:`show_row`."""

    DEFAULT_CSS = "RowDetail { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.key_shown: Hashable | None = None
        self.row: R | None = None

    def open(self, key: Hashable, row: R, view: str = "") -> None:
        """Show this one and take the focus; ``view`` is a part that the page knows by name."""
        self.key_shown = key
        self.show_row(row)
        self.focus_inside()

    def close(self) -> None:
        """Show none: ask for nothing any more."""
        self.key_shown = self.row = None

    def show_row(self, row: R) -> None:
        """This is known of it now."""
        self.row = row

    def focus_inside(self) -> None:
        """Give the focus to what takes keys."""

    def back(self) -> bool:
        """Leave a part, marks or a filter. Returns whether there was something to leave."""
        return False

    def restyle(self) -> None:
        """Draw again in new colours."""


class DefinitionDetail(RowDetail[R]):
    """A definition from near: a list of what came of it, more of the row under the cursor, and its text (``y``)."""

    DEFAULT_CSS = """
    DefinitionDetail .definition { display: none; }
    DefinitionDetail.-text > * { display: none; }
    DefinitionDetail.-text .definition { display: block; }
    """
    table: VirtualTable[Any]
    pane: ListPane[Any]
    """Of :attr:`table`."""
    more: Widget | None = None
    """What can be read of the row under the cursor, where it can have the focus."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = DocumentPane()
        self.text.add_class("definition")

    def open(self, key: Hashable, row: R, view: str = "") -> None:
        """Show this one."""
        self.remove_class("-text")
        super().open(key, row, view)

    def focus_inside(self) -> None:
        """The list takes keys."""
        self.table.focus()

    def show_text(self) -> None:
        """The definition alone, or the list again."""
        self.toggle_class("-text")
        (self.text if self.has_class("-text") else self.table).focus()

    def back(self) -> bool:
        """Leave the definition, what was read, marks or a filter."""
        if self.has_class("-text"):
            self.show_text()
            return True
        if self.more is not None and self.more.has_focus:
            self.table.focus()
            return True
        return self.pane.back()
