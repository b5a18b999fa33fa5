"""Draws the rows of a log that are seen, and only those that changed. On Textual's Line API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.ui.logs import record
from komodo_tui.ui.logs.gutter import Gutter
from komodo_tui.ui.logs.lines import Lines
from komodo_tui.ui.logs.paint import thumb
from komodo_tui.ui.logs.rows import Drawn, RowPainter
from komodo_tui.ui.logs.shown import Shown
from komodo_tui.ui.logs.viewport import Viewport
from komodo_tui.ui.look import look_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.ui.logs.gutter import SourceMark, Sources, Times
    from komodo_tui.ui.logs.ring import LogRing
    from komodo_tui.ui.logs.search import Matches, Pattern
    from komodo_tui.ui.logs.selection import Selection
    from komodo_tui.ui.logs.viewport import Row

_WIDE = 100
"""Columns from which a source's name gets more room."""


class LogCanvas(Widget):
    """Shows a :class:`LogRing`.

    Say :meth:`grown` when it grew and call :meth:`tick` ten times a second: a flood is painted no oftener.
    """

    DEFAULT_CSS = "LogCanvas { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, ring: LogRing, now: Callable[[], float], *, id: str | None = None) -> None:
        """``now`` gives Unix time, for relative times."""
        super().__init__(id=id)
        self.ring = ring
        self.lines = Lines(ring)
        self.viewport = Viewport(Shown(ring), self.lines.parts)
        self.times: Times = "absolute"
        self.sources: Sources = "name"
        self.wrap = False
        self.fold_json = False
        self.pattern: Pattern | None = None
        self.selection: Selection | None = None
        self.marks: Mapping[bytes, SourceMark] = {}
        self._now = now
        self.one_server = False
        """Whether all sources are on one server, so that names need not tell."""
        self._offset = 0
        self._gutter = Gutter("absolute", False, "off", {}, 0)
        self._drawn: list[Drawn | None] = []
        self._thumb = (0, 0)
        self._dirty = False

    def restyle(self) -> None:
        """A setting or the theme changed: draw everything again. What is at the top stays there."""
        if self.wrap:
            self._offset = 0
        self._drawn = []
        self.sync()

    def show_matches(self, pattern: Pattern | None, only: Matches | None) -> None:
        """Highlight a pattern, and show only these lines when given."""
        self.pattern = pattern
        self.viewport.shown = Shown(self.ring, only)
        self.restyle()

    def grown(self) -> None:
        """The ring, or the set of matches, changed."""
        self._dirty = True

    def tick(self) -> None:
        """A frame: draw what came since the last one."""
        if self._dirty or (self.times == "relative" and any(d and d.second != self._second() for d in self._drawn)):
            self._dirty = False
            self.sync()

    def sync(self) -> None:
        """Compare each row of the screen with what it should be, and ask for those that differ."""
        size = self.size
        if not self.is_attached or not size:
            return
        self._shape()
        self.viewport.height = size.height
        rows = self.viewport.rows()
        before = self._drawn
        self._drawn = [self._row(row) for row in rows] + [None] * (size.height - len(rows))
        self._sync_thumb(rows)
        differing = [y for y, pair in enumerate(zip(before, self._drawn, strict=False)) if pair[0] != pair[1]]
        if len(before) != size.height or len(differing) > size.height // 2:
            self.refresh()
        elif differing:
            self.refresh(*(Region(0, y, size.width, 1) for y in differing))

    def _shape(self) -> None:
        sources: Sources = self.sources if len(self.marks) > 1 else "off"
        wide = self.size.width >= _WIDE
        self._gutter = Gutter(
            self.times,
            self._with_day(),
            sources,
            self.marks,
            24 if wide else 12,
            look_of(self).glyphs.ascii,
            brief=not wide or self.one_server,
        )
        room = max(1, self.size.width - 1 - self._gutter.width)
        self.lines.shape(width=room, wrap=self.wrap, offset=self._offset, fold_json=self.fold_json)

    def _with_day(self) -> bool:
        """Whether lines of another day than today are kept."""
        if self.times != "absolute" or not len(self.ring):
            return False
        ends = (record.parse(self.ring.line(n)).time for n in (self.ring.first, self.ring.end - 1))
        return {record.day(time) for time in ends if time} - {record.day(record.stamp(self._now()))} != set()

    def _row(self, row: Row) -> Drawn:
        selected = None
        if self.selection is not None:
            selected = self.selection.within(row.number, len(self.lines.get(row.number).styled.text))
        cursor = ""
        if row.number == self.viewport.cursor and not self.viewport.follow:
            cursor = "cursor" if self.has_focus else "cursor-blur"
        return Drawn(row, cursor, selected, self._second() if self.times == "relative" else 0)

    def _second(self) -> int:
        return int(self._now())

    def _sync_thumb(self, rows: list[Row]) -> None:
        bar = (0, 0)
        if rows and len(self.ring) > len(rows):
            share = self.viewport.shown.share
            bar = thumb(self.size.height, share(rows[0].number), share(rows[-1].number))
        if bar != self._thumb:
            self._thumb = bar
            self.refresh(Region(self.size.width - 1, 0, 1, self.size.height))

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        width = self.size.width - 1
        look = look_of(self)
        strip = Strip.blank(width)
        drawn = self._drawn[y] if y < len(self._drawn) else None
        if drawn is not None and drawn.row.number >= self.ring.first:
            painter = RowPainter(look.palette, self._gutter, self.pattern, self._now())
            strip = painter.paint(drawn, self.lines.get(drawn.row.number), width)
        bar = look.glyphs.vertical if self._thumb[0] <= y < self._thumb[1] else " "
        return Strip([*strip, Segment(bar, look.palette.style("dim"))], width + 1)

    def on_resize(self) -> None:
        """Cut the lines for the new width; the cursor stays in sight."""
        if self.size and not self.viewport.follow:
            self._shape()
            self.viewport.height = self.size.height
            self.viewport.reveal()
        self.restyle()
