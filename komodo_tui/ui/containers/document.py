"""A long plain text to scroll through: the engine's document of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class DocumentPane(VerticalScroll, can_focus=True):
    """Shows one text, never read as markup."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = "DocumentPane { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text: str | Text = ""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, text: str | Text) -> None:
        """Show this, in its own tones where it has some; the same text is not written again."""
        if text != self.text:
            self.text = text
            self.query_one(Static).update(Text(text) if isinstance(text, str) else text)

    def action_first(self) -> None:
        """To the top (gg)."""
        self.scroll_home(animate=False)
