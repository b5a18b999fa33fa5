"""One row of a log as a strip. Pure: text, spans and styles in, a strip out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from komodo_tui.ui.render.cells import width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from komodo_tui.ui.logs.styled import Styled
    from komodo_tui.ui.logs.wrap import Part
    from komodo_tui.ui.palette import Palette
    from komodo_tui.ui.render.cells import Span

Overlay = tuple[int, int, Style]
"""A style laid over some characters of a line."""


def text_segments(line: Styled, part: Part, palette: Palette, overlays: Sequence[Overlay]) -> list[Segment]:
    """The characters of ``part``, each piece in the style of its span and of all overlays on it."""
    start, end = part
    if start >= end:
        return []
    layers: list[Overlay] = [
        (low, high, style if isinstance(style, Style) else palette.style(style))
        for low, high, style in line.spans
        if low < end and high > start
    ]
    layers += [overlay for overlay in overlays if overlay[0] < end and overlay[1] > start]
    if not layers:
        return [Segment(line.text[start:end])]
    cuts = sorted({start, end, *(min(end, max(start, cut)) for low, high, _ in layers for cut in (low, high))})
    segments = []
    for low, high in pairwise(cuts):
        styles = [style for first, last, style in layers if first <= low and last >= high]
        segments.append(Segment(line.text[low:high], Style.combine(styles) if styles else None))
    return segments


def gutter_segments(spans: Iterable[Span], palette: Palette) -> list[Segment]:
    """Text with tones as segments."""
    return [Segment(text, palette.style(tone) if tone else None) for text, tone in spans]


def row_strip(segments: list[Segment], width: int, base: Style | None = None) -> Strip:
    """The row, cut or filled to ``width`` columns; ``base`` lies under all of it."""
    used = sum(width_of(segment.text) for segment in segments)
    if used < width:
        segments = [*segments, Segment(" " * (width - used))]
    if base is not None:
        segments = [Segment(text, base + style if style else base) for text, style, _ in segments]
    strip = Strip(segments, max(used, width))
    return (strip.crop(0, width) if used > width else strip).simplify()


def thumb(height: int, first: float, last: float) -> tuple[int, int]:
    """Where the thumb of a scroll bar begins and ends, for a view of this part (0 to 1) of the whole."""
    if height <= 0:
        return 0, 0
    size = max(1, min(height, round((last - first) * height)))
    start = min(height - size, round(first * height))
    if last >= 1.0:
        start = height - size
    return start, start + size
