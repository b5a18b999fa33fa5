"""A menu: pick one of a few by its key, or by cursor and Enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from komodo_tui.ui.modals.base import Dialog
from komodo_tui.ui.render.cells import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult


NARROW = 64
"""Columns of a menu with short texts; longer ones make it wider."""
_AROUND = 11
"""Columns of frame, key and gaps."""


@dataclass(frozen=True)
class MenuItem:
    """One choice."""

    id: str
    label: str
    key: str = ""
    """One character, or a key by its name (``ctrl+r``), that picks it at once."""
    help: str = ""
    disabled: str = ""
    """Why it cannot be picked now; it is shown, dimmed, with this reason."""
    shown: str = ""
    """The key in at most two characters, where it has a name."""


class MenuDialog(Dialog[str]):
    """Its result is the id of the item picked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "down", show=False, id="menu.down"),
        Binding("k", "cursor_up", "up", show=False, id="menu.up"),
    ]
    DEFAULT_CSS = """
    MenuDialog OptionList { height: auto; max-height: 80vh; padding: 0; background: $surface; text-wrap: nowrap;
        text-overflow: ellipsis; }
    """

    def __init__(self, title: str, items: Sequence[MenuItem]) -> None:
        super().__init__(title)
        self.items = tuple(items)
        self._by_key = {item.key: item for item in self.items if item.key}

    def body(self) -> ComposeResult:
        """The items, one a line."""
        style = self.look_now.palette.style
        width = max((len(item.label) for item in self.items), default=0)
        options = []
        for item in self.items:
            tone = "dim" if item.disabled else ""
            line = Text.assemble(
                (f" {item.shown or item.key:2} ", style(tone or "accent bold")),
                (item.label.ljust(width + 2), style(tone)),
                (item.disabled or item.help, style("dim")),
                no_wrap=True, overflow="ellipsis",
            )  # fmt: skip
            options.append(Option(line, id=item.id, disabled=bool(item.disabled)))
        yield OptionList(*options, compact=True)

    def on_mount(self) -> None:
        """As wide as the reasons need, where the screen has the room."""
        said = max((width_of(item.disabled or item.help) for item in self.items), default=0)
        label = max((width_of(item.label) for item in self.items), default=0)
        self.query_one(".dialog").styles.width = max(NARROW, label + said + _AROUND)

    def on_key(self, event: events.Key) -> None:
        """A character picks its item; j and k move where no item wants them."""
        item = self._by_key.get(event.character or "") or self._by_key.get(event.key)
        if item is not None:
            event.stop()
            if not item.disabled:
                self.dismiss(item.id)

    def action_cursor_down(self) -> None:
        """The next item."""
        self.query_one(OptionList).action_cursor_down()

    def action_cursor_up(self) -> None:
        """The item before."""
        self.query_one(OptionList).action_cursor_up()

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
