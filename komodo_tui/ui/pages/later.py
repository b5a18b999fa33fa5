"""The page of a tab whose work is still to come: one line that says what will stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from komodo_tui.ui.page import Page
from komodo_tui.ui.pages import BY_ID

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LaterPage(Page):
    """Says what the tab is for."""

    DEFAULT_CSS = """
    LaterPage { align: center middle; }
    LaterPage Static { width: auto; max-width: 90%; text-align: center; }
    """

    def compose(self) -> ComposeResult:
        """One line."""
        spec = BY_ID[str(self.id).removeprefix("page-")]
        palette = self.shell.look.palette
        yield Static(
            Text.assemble(
                (spec.title, palette.style("title bold")), "\n\n", (spec.note, palette.style("dim")),
            )
        )  # fmt: skip
