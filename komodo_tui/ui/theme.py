"""Themes: ``themes/*.yaml`` checked key by key, then made into what Textual and our palette take.

Textual takes any word for a colour and dies when the theme is used, so nothing unchecked reaches it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.theme_files import read_theme, shipped_themes, theme_names
from komodo_tui.ui.palette import DEFAULT_COLORS, TONES, Palette

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

DEFAULT = "komodo"
_KEYS = ("title", "dark", "ansi", "colors", "attributes")


@dataclass(frozen=True)
class ThemeSpec:
    """A theme that has been checked."""

    name: str
    title: str
    dark: bool
    ansi: bool
    """Whether its colours are the terminal's own (``ansi_red``) instead of exact ones."""
    colors: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)
    """``bold``, ``reverse``, ``underline`` by tone; what carries meaning in themes without colours."""

    def palette(self) -> Palette:
        """The styles of our own widgets."""
        return Palette(self.colors, self.attributes)

    def textual(self) -> Theme:
        """The theme of Textual's widgets."""
        c = self.colors
        return Theme(
            name=self.name, dark=self.dark, ansi=self.ansi, primary=c["accent"], secondary=c["info"],
            warning=c["warn"], error=c["bad"], success=c["ok"], accent=c["accent"], foreground=c["foreground"],
            background=c["background"], surface=c["surface"], panel=c["panel"], boost=c["panel"],
            variables={
                "border": c["accent"], "border-blurred": c["border"],
                "block-cursor-background": c["selection"], "block-cursor-foreground": c["selection-text"],
                "block-cursor-blurred-background": c["panel"], "block-cursor-blurred-foreground": c["foreground"],
                "block-hover-background": c["panel"],
                "scrollbar": c["border"], "scrollbar-hover": c["dim"], "scrollbar-active": c["accent"],
                "scrollbar-background": c["background"], "scrollbar-background-hover": c["background"],
                "scrollbar-background-active": c["background"], "scrollbar-corner-color": c["background"],
                "input-selection-background": c["selection"], "input-selection-foreground": c["selection-text"],
                "screen-selection-background": c["selection"], "screen-selection-foreground": c["selection-text"],
                "ansi-background": c["panel"], "ansi-foreground": c["foreground"],
            },
        )  # fmt: skip


DEFAULT_THEME = ThemeSpec(DEFAULT, "Komodo", True, False, DEFAULT_COLORS)


def parse_theme(name: str, document: Mapping[str, Any]) -> ThemeSpec:
    """Check a theme's document.

    Raises:
        UsageError: a key is missing, unknown or of the wrong kind, or a colour is none; the key is named.
    """
    _only(name, "", document, _KEYS)
    colors = _mapping(name, document, "colors")
    _only(name, "colors.", colors, TONES)
    missing = [tone for tone in TONES if tone not in colors]
    if missing:
        raise UsageError(f"theme {name}: colors.{missing[0]} is missing", hint="every theme gives every colour")
    for tone, value in colors.items():
        _check_color(name, tone, value)
    attributes = _mapping(name, document, "attributes") if "attributes" in document else {}
    _only(name, "attributes.", attributes, (*TONES, "cursor", "cursor-blur", "tab-on"))
    for tone, value in attributes.items():
        _check_attributes(name, tone, value)
    return ThemeSpec(
        name, str(document.get("title", name)),
        _flag(name, document, "dark", True), _flag(name, document, "ansi", False),
        {tone: str(colors[tone]) for tone in TONES}, {tone: str(value) for tone, value in attributes.items()},
    )  # fmt: skip


def _only(name: str, prefix: str, document: Mapping[str, Any], known: Iterable[str]) -> None:
    known = list(known)
    for key in document:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            raise UsageError(
                f"theme {name}: unknown key {prefix}{key}", hint=f"did you mean {prefix}{near[0]}?" if near else ""
            )


def _mapping(name: str, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise UsageError(f"theme {name}: {key} has to be a mapping", hint="compare it with a shipped theme")
    return value


def _flag(name: str, document: Mapping[str, Any], key: str, default: bool) -> bool:
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise UsageError(f"theme {name}: {key} has to be true or false")
    return value


def _check_color(name: str, tone: str, value: object) -> None:
    try:
        if not isinstance(value, str):
            raise ColorParseError("not text")
        Color.parse(value)
    except ColorParseError as error:
        raise UsageError(
            f"theme {name}: colors.{tone} is {value!r}, which is no colour",
            hint='write "#rrggbb" in quotes, or ansi_red',
        ) from error


def _check_attributes(name: str, tone: str, value: object) -> None:
    try:
        style = Style.parse(str(value))
    except StyleSyntaxError as error:
        raise UsageError(f"theme {name}: attributes.{tone} is {value!r}", hint="bold, reverse, underline…") from error
    if style.color is not None or style.bgcolor is not None:
        raise UsageError(f"theme {name}: attributes.{tone} holds a colour", hint="colours belong under colors")


class Themes:
    """All themes there are: the user's, which win, and those that came with the program."""

    def __init__(self, user_folder: Path) -> None:
        self._user = user_folder
        self._shipped = shipped_themes()

    def names(self) -> list[str]:
        """All names, the default first."""
        found = {DEFAULT, *theme_names(self._user), *theme_names(self._shipped)}
        return sorted(found, key=lambda name: (name != DEFAULT, name))

    def load(self, name: str) -> ThemeSpec:
        """A theme by name.

        Raises:
            UsageError: there is none of that name, or its file is wrong.
        """
        if name in theme_names(self._user):
            return parse_theme(name, read_theme(self._user, name))
        if name == DEFAULT:
            return DEFAULT_THEME
        if name in theme_names(self._shipped):
            return parse_theme(name, read_theme(self._shipped, name))
        raise UsageError(f"there is no theme {name!r}", hint=f"there are {', '.join(self.names())}")


def stylesheet() -> str:
    """The layout of the screens: ``themes/komodo.tcss``."""
    return (shipped_themes() / "komodo.tcss").read_text(encoding="utf-8")
