"""Labelled lines in sections: what there is to know of one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from komodo_tui.ui.look import Look

Facts = list[tuple[str, list[tuple[str, str, str]]]]
"""Sections: title, and (label, value, tone) lines."""
_LABEL = 32
"""Columns a label may take."""
_GAP = 2


class FactsPane(VerticalScroll, can_focus=True):
    """Sections of labelled lines, scrolled by the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = "FactsPane { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Facts, Look] | None = None

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, facts: Facts, look: Look) -> None:
        """Write the sections; the same ones are not written again."""
        if self._shown != (facts, look):
            self._shown = (facts, look)
            self.query_one(Static).update(facts_table(facts, look))

    def action_first(self) -> None:
        """To the top (gg)."""
        self.scroll_home(animate=False)


def facts_table(facts: Facts, look: Look) -> Group:
    """Sections of labelled lines; a long value goes on below itself, not below its label."""
    style = look.palette.style
    width = max((cell_len(label) for _, lines in facts for label, _, _ in lines), default=0)
    parts: list[RenderableType] = []
    for title, lines in facts:
        if parts:
            parts.append(Text())
        if title:
            parts.append(Text(title, style("title bold")))
        table = Table.grid(padding=(0, _GAP), pad_edge=True)
        label_width = min(width, _LABEL) + _GAP  # of a column at the edge, a side of its padding counts as width
        table.add_column(min_width=label_width, max_width=label_width, overflow="ellipsis", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value, tone in lines:
            table.add_row(Text(label, style("dim")), Text(value, style(tone)))
        parts.append(table)
    return Group(*parts)
