"""The line above a list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.ui.render.cells import Span, clip, fit, width_of

if TYPE_CHECKING:
    from komodo_tui.ui.render.glyphs import Glyphs


@dataclass(frozen=True)
class ListFacts:
    """What a list shows."""

    title: str
    shown: int
    total: int
    filter: str = ""
    marked: int = 0
    hidden: int = 0
    """How many of the marked ones the filter hides."""
    sort: str = ""
    reverse: bool = False

    @property
    def plain(self) -> bool:
        """Whether it says nothing the screen does not say anyway."""
        return not self.filter and not self.marked


def list_line(facts: ListFacts, width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """``Containers 12/317  filter: state:run  marked 3 (1 hidden)          sort CPU ▼``, in exactly ``width``."""
    number = f"{facts.shown}" if facts.shown == facts.total else f"{facts.shown}/{facts.total}"
    left: list[Span] = [(f" {facts.title} ", "title bold"), (f"{number}  ", "dim")]
    if facts.filter:
        left += [("filter: ", "dim"), (f"{clip(facts.filter, max(8, width // 3), glyphs.ellipsis)}  ", "warn")]
    if facts.marked:
        hidden = f" ({facts.hidden} hidden)" if facts.hidden else ""
        left.append((f"marked {facts.marked}{hidden}  ", "accent bold"))
    right = f"sort {facts.sort} {glyphs.down if facts.reverse else glyphs.up} " if facts.sort else ""
    room = width - width_of(right)
    return (*fit(tuple(left), max(0, room), ellipsis=glyphs.ellipsis), (right, "dim"))
