"""The theme's own ground under everything that is drawn.

Widgets that draw their lines themselves name colours only where they mean something. What is left would be shown in the
terminal's colours: pale text of a dark theme on a white terminal. So each line gets the colours of the theme where it
has none. Themes that leave the ground to the terminal (``ansi``) keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_KEPT = 4096
"""Styles remembered; graphs have the most."""


class Ground(LineFilter):
    """Gives segments without a colour the theme's foreground, without a ground that of their widget."""

    def __init__(self, foreground: Color) -> None:
        super().__init__()
        self._foreground = foreground
        self._made: dict[Color, dict[Style | None, Style]] = {}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line on its ground."""
        if background.ansi is not None or not background.a:
            return segments
        made = self._made.setdefault(background, {})
        found, style_on = made.get, self._style_on
        return [
            Segment(text, found(style) or style_on(made, style, background), control)
            for text, style, control in segments
        ]

    def _style_on(self, made: dict[Style | None, Style], style: Style | None, background: Color) -> Style:
        if len(made) >= _KEPT:
            made.clear()
        ground = Style(color=self._foreground.rich_color, bgcolor=background.rich_color)
        made[style] = ground if style is None else ground + style
        return made[style]
