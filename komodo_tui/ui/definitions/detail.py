"""One row from near: the part of a page that ``Enter`` opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from textual.containers import Vertical

if TYPE_CHECKING:
    from collections.abc import Hashable

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
