"""What one row of the screen shows, and the painter that draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style

from komodo_tui.ui.logs.paint import gutter_segments, row_strip, text_segments
from komodo_tui.ui.logs.styled import Styled

if TYPE_CHECKING:
    from textual.strip import Strip

    from komodo_tui.ui.logs.gutter import Gutter
    from komodo_tui.ui.logs.lines import Line
    from komodo_tui.ui.logs.paint import Overlay
    from komodo_tui.ui.logs.search import Pattern
    from komodo_tui.ui.logs.viewport import Row
    from komodo_tui.ui.palette import Palette


class Drawn(NamedTuple):
    """All that decides how a row looks; rows that compare equal are not drawn again."""

    row: Row
    cursor: str
    """``cursor``, ``cursor-blur``, or empty where the cursor is not."""
    selected: tuple[int, int] | None
    """Characters of the line that are selected."""
    second: int
    """The second that relative times were drawn for."""


@dataclass(frozen=True)
class RowPainter:
    """Draws rows in the colours and with the settings of now."""

    palette: Palette
    gutter: Gutter
    pattern: Pattern | None
    now: float

    def paint(self, drawn: Drawn, line: Line, width: int) -> Strip:
        """One row, ``width`` columns wide."""
        base = self.palette.style(drawn.cursor) if drawn.cursor else None
        if line.record.notice:
            text = line.styled.text[slice(*drawn.row.part)]
            return row_strip(gutter_segments(((text, "" if base else "warn"),), self.palette), width, base)
        spans = self.gutter.spans(line.record, self.now) if drawn.row.sub == 0 else ((" " * self.gutter.width, ""),)
        # Under the cursor foreign colours would be unreadable as often as not.
        if base is not None:
            spans = tuple((text, "") for text, _ in spans)
        styled = Styled(line.styled.text) if base is not None else line.styled
        segments = gutter_segments(spans, self.palette)
        segments += text_segments(styled, drawn.row.part, self.palette, self._overlays(drawn, styled.text))
        return row_strip(segments, width, base)

    def _overlays(self, drawn: Drawn, text: str) -> list[Overlay]:
        overlays: list[Overlay] = []
        # Reversed on the ground of the screen, so that it reads the same on the row of the cursor.
        ground = Style(bgcolor=self.palette.style("background").color, reverse=True)
        if self.pattern is not None:
            found = self.palette.style("warn bold") + ground
            overlays += [(low, high, found) for low, high in self.pattern.spans(text)]
        if drawn.selected is not None:
            overlays.append((*drawn.selected, self.palette.style("accent") + ground))
        return overlays
