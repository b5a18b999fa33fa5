"""Frames to Strips: the styles, the widths, and the cache of what a pane shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import Cursor, Frame, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.terminal_theme import TerminalTheme

_CUBE = (0, 95, 135, 175, 215, 255)
_STYLES_KEPT = 20_000


class StyleTable:
    """Rich styles by packed style, in the colours of a theme. Immutable once made, but for its cache."""

    def __init__(self, theme: TerminalTheme, base: Style, *, own_palette: bool = True) -> None:
        """``base``: the pane's default colours; without ``own_palette`` the 16 colours are the outer terminal's."""
        self._base = base
        self._own_palette = own_palette
        self._theme = theme
        self._known: dict[int, Style] = {0: base}

    def __getitem__(self, packed: int) -> Style:
        style = self._known.get(packed)
        if style is None:
            if len(self._known) > _STYLES_KEPT:
                self._known = {0: self._base}
            style = self._known[packed] = self._make(packed)
        return style

    def _make(self, packed: int) -> Style:
        foreground, background, attributes = styles.unpack(packed)
        front = self._color(foreground) or self._base.color
        back = self._color(background) or self._base.bgcolor
        reverse = bool(attributes & styles.INVERSE)
        if reverse and front is not None and back is not None and not (front.is_default or back.is_default):
            front, back, reverse = back, front, False  # with the pane's colours, not the outer terminal's
        if attributes & styles.INVISIBLE:
            front = back
        return Style(
            color=front,
            bgcolor=back,
            bold=bool(attributes & styles.BOLD) or None,
            dim=bool(attributes & styles.FAINT) or None,
            italic=bool(attributes & styles.ITALIC) or None,
            underline=bool(attributes & styles.UNDERLINE) or None,
            underline2=bool(attributes & styles.DOUBLE_UNDERLINE) or None,
            blink=bool(attributes & styles.BLINK) or None,
            reverse=reverse or None,
            strike=bool(attributes & styles.STRIKE) or None,
            overline=bool(attributes & styles.OVERLINE) or None,
        )

    def _color(self, color: int) -> Color | None:
        if not color:
            return None
        if color & styles.RGB:
            return Color.from_rgb(color >> 16 & 255, color >> 8 & 255, color & 255)
        index = color - 1
        if index < len(self._theme.ansi_colors._colors):
            if not self._own_palette:
                return Color.from_ansi(index)
            return Color.from_rgb(*self._theme.ansi_colors[index])
        if index >= 232:
            level = 8 + (index - 232) * 10
            return Color.from_rgb(level, level, level)
        index -= 16
        return Color.from_rgb(_CUBE[index // 36], _CUBE[index // 6 % 6], _CUBE[index % 6])


def fitted(text: str, cells: int) -> str:
    """The text as Rich will measure it to exactly this many cells: the core knows the widths, and one cell off would
    shift the rest of the row."""
    if text.isascii() or cell_len(text) == cells:
        return text
    if cells % len(text) == 0:
        columns = cells // len(text)
        return "".join(_fitted_char(char, columns) for char in text)
    plain = "".join(char for char in text if char not in "\u200d\ufe0f\ufe0e")
    return plain if cell_len(plain) == cells else _fitted_char(text[0], cells)


def _fitted_char(char: str, cells: int) -> str:
    width = cell_len(char)
    if width == cells:
        return char
    if width < cells:
        return (char if width else "") + " " * (cells - width)
    return "\ufffd" + " " * (cells - 1)


def _by_cell(text: str, cells: int) -> str:
    if len(text) == cells:
        return text
    return "".join(char + " " for char in text) if cells == 2 * len(text) else text[0] + " " * (cells - 1)


class Picture:
    """The rows a pane shows, as Strips that stay the same objects until their row changes."""

    def __init__(self) -> None:
        self._table: StyleTable | None = None
        self._rows: dict[int, Row] = {}
        self._strips: dict[int, Strip] = {}
        self.cols = 0
        self.rows = 0
        self.cursor = Cursor(visible=False)

    def restyle(self, table: StyleTable) -> None:
        """Draw everything in these colours."""
        if table is not self._table:
            self._table = table
            self._strips.clear()

    def take(self, frame: Frame) -> Iterable[int]:
        """Learn a frame; returns the rows to draw again."""
        before = self.cursor
        changed = {y for y, _ in frame.dirty}
        if frame.full or (frame.cols, frame.rows) != (self.cols, self.rows):
            self._rows.clear()
            self._strips.clear()
            changed = set(range(max(frame.rows, self.rows)))
        self.cols, self.rows, self.cursor = frame.cols, frame.rows, frame.cursor
        for y, row in frame.dirty:
            self._rows[y] = row
            self._strips.pop(y, None)
        if before != frame.cursor:
            changed |= {before.y, frame.cursor.y}
        return changed

    def text(self, y: int) -> str:
        """The text of a row, one character for each cell: a wide one is followed by a blank."""
        return "".join(_by_cell(text, cells) for text, _, cells in self._rows.get(y, []))

    def strip(self, y: int, width: int) -> Strip:
        """A row as wide as the pane."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != width:
            strip = self._strips[y] = self._draw(self._rows.get(y, []), width)
        return strip

    def _draw(self, row: Row, width: int) -> Strip:
        table = self._table
        if table is None:
            return Strip.blank(width)
        segments = [Segment(fitted(text, cells), table[style]) for text, style, cells in row]
        length = sum(cells for _, _, cells in row)
        if length < width:
            segments.append(Segment(" " * (width - length), table[0]))
        strip = Strip(segments, max(length, width))
        return strip.crop(0, width) if length > width else strip


def overlaid(strip: Strip, spans: Sequence[tuple[int, int, Style]]) -> Strip:
    """The strip with a style laid over cells ``start`` to ``end`` (exclusive), for each span in order."""
    for start, end, style in spans:
        start, end = max(0, start), min(end, strip.cell_length)
        if start >= end:
            continue
        left, middle, right = strip.crop(0, start), strip.crop(start, end), strip.crop(end)
        segments = [Segment(text, (old or Style.null()) + style, control) for text, old, control in middle]
        strip = Strip([*left, *segments, *right], strip.cell_length)
    return strip
