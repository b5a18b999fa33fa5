"""Labelled lines in sections: what there is to know of one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.ui.look import Look

Facts = list[tuple[str, list[tuple[str, str, str]]]]
"""Sections: title, and (label, value, tone) lines."""


class FactsPane(VerticalScroll, can_focus=True):
    """Sections of labelled lines, scrolled by the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False), Binding("k", "scroll_up", show=False),
    ]  # fmt: skip
    DEFAULT_CSS = "FactsPane { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, facts: Facts, look: Look) -> None:
        """Write the sections; the same text is not written again."""
        text = facts_text(facts, look)
        static = self.query_one(Static)
        if getattr(self, "_text", None) != text:
            self._text = text
            static.update(text)


def facts_text(facts: Facts, look: Look) -> Text:
    """Sections of labelled lines."""
    style = look.palette.style
    text = Text()
    width = max((len(label) for _, lines in facts for label, _, _ in lines), default=0) + 2
    for title, lines in facts:
        text.append(f"{title}\n", style("title bold"))
        for label, value, tone in lines:
            text.append(f"  {label.ljust(width)}", style("dim"))
            text.append(f"{value}\n", style(tone))
        text.append("\n")
    text.rstrip()
    return text
