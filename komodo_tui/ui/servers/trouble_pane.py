"""Stands in place of a server's graphs while there are no figures: why, and which key helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from komodo_tui.ui.servers.standing_dialog import report_text
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from komodo_tui.ui.look import Look
    from komodo_tui.ui.servers.trouble import Report


class TroublePane(VerticalScroll, can_focus=True):
    """Shows a report."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = "TroublePane { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Text()

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, report: Report, keys: tuple[tuple[str, str], ...], look: Look) -> None:
        """Write it, with the keys of this page that help; the same text is not written again."""
        style = look.palette.style
        text = Text.assemble((f"{report.title}\n\n", style("bad bold" if report.bad else "title bold")))
        text.append_text(report_text(report, look))
        text.append("\n\n")
        for key, what in keys:
            text.append(key, style("accent bold"))
            text.append(f" {what}   ", style("dim"))
        if text != self._text:
            self._text = text
            self.query_one(Static).update(text)
