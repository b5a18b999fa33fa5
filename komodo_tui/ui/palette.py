"""Tones to styles: the one place where the words renderers use become colours of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.color import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

TONES = (
    "foreground", "background", "surface", "panel", "border", "dim", "accent", "ok", "warn", "bad", "info", "busy",
    "selection", "selection-text", "graph-low", "graph-mid", "graph-high", "graph-in", "graph-out",
    "tag-1", "tag-2", "tag-3", "tag-4", "tag-5", "tag-6",
)  # fmt: skip
"""Every theme gives each of these a colour. ``tag-N`` tell sources in merged logs apart."""

ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")

_ALIASES = {"": "", "graph": "graph-low", "header": "dim", "title": "accent", "key": "accent"}


class Palette:
    """Styles by tone. A key is a tone, attributes, or both: ``warn``, ``bold``, ``warn bold``, ``cursor``."""

    def __init__(self, colors: Mapping[str, str], attributes: Mapping[str, str] | None = None) -> None:
        self._colors = {name: Color.parse(value) for name, value in colors.items()}
        self._attributes = dict(attributes or {})
        self._styles: dict[str, Style] = {}

    def style(self, key: str) -> Style:
        """The style of a tone; unknown words are a programming error and raise :class:`KeyError`."""
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = self._build(key)
        return found

    def color(self, tone: str) -> Color:
        """A tone's colour."""
        return self._colors[tone]

    def blend(self, low: str, high: str, share: float) -> Style:
        """A style between two tones; themes without true colours get the nearer of the two."""
        share = round(share, 2)  # as the key says, so that the colour does not depend on who asked first
        key = f"{low}>{high}@{share:.2f}"
        found = self._styles.get(key)
        if found is None:
            first, last = self._colors[low], self._colors[high]
            if first.ansi is not None or last.ansi is not None:
                found = self.style(low if share < 0.5 else high)
            else:
                found = Style(color=first.blend(last, share).rich_color)
            self._styles[key] = found
        return found

    def _build(self, key: str) -> Style:
        style = Style()
        for word in key.split():
            style += self._word(word)
        return style

    def _word(self, word: str) -> Style:
        tone = _ALIASES.get(word, word)
        if word == "tab-on":
            style = self._on("background", "accent") + Style(bold=True)
        elif word == "cursor":
            style = self._on("selection-text", "selection") + Style(bold=True)
        elif word == "cursor-blur":
            style = self._on("foreground", "panel")
        elif word.startswith("on-"):
            style = Style(bgcolor=self._colors[word[3:]].rich_color)
        elif word in ATTRIBUTES and word not in self._colors:
            return Style.parse(word)
        else:
            style = Style(color=self._colors[tone].rich_color)
        attributes = self._attributes.get(word, self._attributes.get(tone, ""))
        return style + Style.parse(attributes) if attributes else style

    def _on(self, text: str, ground: str) -> Style:
        return Style(color=self._colors[text].rich_color, bgcolor=self._colors[ground].rich_color)


DEFAULT_COLORS = {
    "background": "#0f1216", "surface": "#161a20", "panel": "#232a33", "foreground": "#d6dde6", "border": "#3a4552",
    "dim": "#7c8794", "accent": "#5cb8e6", "ok": "#57c785", "warn": "#f0a83c", "bad": "#f0635c", "info": "#7aa7f0",
    "busy": "#c58af0", "selection": "#2d5f86", "selection-text": "#ffffff", "graph-low": "#3f9bd0",
    "graph-mid": "#8fb56a", "graph-high": "#f0a83c", "graph-in": "#46b3a6", "graph-out": "#c58af0",
    "tag-1": "#5cb8e6", "tag-2": "#f0a83c", "tag-3": "#57c785", "tag-4": "#c58af0", "tag-5": "#e6d05c",
    "tag-6": "#f08fb1",
}  # fmt: skip
"""The colours of the ``komodo`` theme: what there is before and without any theme file."""
