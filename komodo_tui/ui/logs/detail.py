"""One line in full: its exact time, where it is from, and its text wrapped or its JSON laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from komodo_tui.ui.logs import json_lines, record
from komodo_tui.ui.logs.bar import Bar
from komodo_tui.ui.logs.paint import row_strip, text_segments
from komodo_tui.ui.logs.styled import Styled, parse_line
from komodo_tui.ui.logs.wrap import wrapped
from komodo_tui.ui.look import look_of
from komodo_tui.ui.render.cells import fit
from komodo_tui.ui.widgets.scrolling import SCROLL_KEYS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from komodo_tui.ui.logs.styled import StyledSpan
    from komodo_tui.ui.logs.wrap import Part
    from komodo_tui.ui.render.cells import Span

MOST = 256 << 10
"""Bytes of a line that are shown."""


def document(raw: bytes) -> list[Styled]:
    """A line as it is shown in full: laid out where it ends with JSON, else as it is; clean either way."""
    line = parse_line(raw[:MOST])
    rows = json_lines.pretty(line.text) if len(raw) <= MOST else None
    if rows is None:
        more = [Styled(f"… {len(raw):,} bytes in all")] if len(raw) > MOST else []
        return [line, *more]
    return [_styled(row) for row in rows]


def _styled(row: json_lines.Row) -> Styled:
    text = ""
    spans: list[StyledSpan] = []
    for piece, tone in row:
        if tone and piece:
            spans.append((len(text), len(text) + len(piece), tone))
        text += piece
    return Styled(text, spans)


class LineText(ScrollView, can_focus=True):
    """The text, scrolled."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = "LineText { height: 1fr; scrollbar-size: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._document: list[Styled] = []
        self._rows: list[tuple[Styled, Part]] = []

    def show(self, rows: list[Styled]) -> None:
        """Show another line from its top."""
        self._document = rows
        self._cut()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self._cut()

    def _cut(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._rows = [(line, part) for line in self._document for part in wrapped(line.text, width)]
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row."""
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self._rows):
            return Strip.blank(width)
        line, part = self._rows[at]
        return row_strip(text_segments(line, part, look_of(self).palette, ()), width)


class LineDetail(Vertical):
    """A headline and the text; hidden until a line is shown."""

    DEFAULT_CSS = """
    LineDetail { display: none; height: 50%; background: $surface; }
    LineDetail.-open { display: block; }
    LineDetail Bar { background: $panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._body = LineText()
        self._head = Bar(self._headline, id="log-line-head")
        self._spans: tuple[Span, ...] = ()
        self._document: list[Styled] = []
        self._line: bytes = b""

    def compose(self) -> ComposeResult:
        """Headline, text."""
        yield self._head
        yield self._body

    @property
    def open(self) -> bool:
        """Whether a line is shown."""
        return self.has_class("-open")

    def show(self, line: bytes, source: str) -> None:
        """Show this wire line; ``source`` is its container for people, empty for a line of ours."""
        self.add_class("-open")
        if line == self._line:
            return
        self._line = line
        parsed = record.parse(line)
        self._document = document(parsed.raw)
        stream = "stderr" if parsed.error else "stdout"
        self._spans = ((f" {record.full(parsed.time)}  ", "bold"), (f"{source}  ", "accent"))
        if source:
            self._spans += ((f"{stream}  {len(parsed.raw):,} bytes", "warn" if parsed.error else "dim"),)
        self._head.sync()
        self._body.show(self._document)

    def hide(self) -> None:
        """Shut it."""
        self.remove_class("-open")
        self._line = b""

    def focus_body(self) -> None:
        """Give the keys to the text."""
        self._body.focus()

    @property
    def has_keys(self) -> bool:
        """Whether the text has the keys."""
        return self._body.has_focus

    def text(self) -> str:
        """What is shown, for the clipboard."""
        return "\n".join(line.text for line in self._document)

    def _headline(self, width: int) -> tuple[Span, ...]:
        return fit(self._spans, width, ellipsis=look_of(self).glyphs.ellipsis)

    def restyle(self) -> None:
        """New colours."""
        self._head.refresh()
        self._body.refresh()
