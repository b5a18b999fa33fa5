"""The two lines around a terminal: whose it is and which mode the keys are in; its size, its state, what it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.style import Style

    from komodo_tui.ui.look import Look

Mode = Literal["TERMINAL", "PANE", "SCROLLBACK", "SEARCH", "ASK"]

_BADGES: dict[Mode, tuple[str, str]] = {
    "TERMINAL": ("TERMINAL", "^] leaves  F12"),
    "PANE": ("PANE", "i back in  ^] sends it"),
    "SCROLLBACK": ("SCROLLBACK", "v select  y copy  / search"),
    "SEARCH": ("SEARCH", "Enter finds"),
    "ASK": ("ASK", ""),
}


@dataclass(frozen=True)
class Tab:
    """One of the terminals named in the top line."""

    label: str
    current: bool
    sign: str
    """A glyph: running, ended, or output that nobody has seen."""
    tone: str


@dataclass(frozen=True)
class Line:
    """What a line of the frame says."""

    left: str
    right: str = ""
    tone: str = "dim"


def top_line(tabs: list[Tab], mode: Mode, focused: bool, width: int, look: Look) -> Strip:
    """The upper edge: the terminals, the current one first to stay, and the mode."""
    style, rule = look.palette.style, look.glyphs.horizontal
    edge = style("accent" if focused else "border")
    name, hint = _BADGES[mode]
    badge_tone = "tab-on" if mode == "TERMINAL" else "warn bold reverse"
    badge: list[Segment] = []
    if focused:
        badge = [Segment(f" {name} ", style(badge_tone)), Segment(f" {hint} " if hint else "", style("dim"))]
    room = width - sum(cell_len(segment.text) for segment in badge) - 3
    left = [Segment(rule, edge)]
    used = 1
    for tab in _fitting(tabs, room):
        label = f" {tab.label} "
        left += [
            Segment(label, style("foreground bold" if tab.current else "dim")),
            Segment(f"{tab.sign} ", style(tab.tone)),
        ]
        used += cell_len(label) + 2
    fill = max(0, width - used - sum(cell_len(segment.text) for segment in badge) - 1)
    return Strip([*left, Segment(rule * fill, edge), *badge, Segment(rule, edge)]).adjust_cell_length(width, edge)


def _fitting(tabs: list[Tab], room: int) -> list[Tab]:
    """The tabs that fit, always with the current one; names are shortened before tabs are left out."""
    for limit in (40, 24, 14, 8):
        short = [Tab(_clip(tab.label, limit), tab.current, tab.sign, tab.tone) for tab in tabs]
        if sum(cell_len(tab.label) + 4 for tab in short) <= room:
            return short
    current = [Tab(_clip(tab.label, max(4, room - 4)), True, tab.sign, tab.tone) for tab in tabs if tab.current]
    return current[:1]


def _clip(text: str, limit: int) -> str:
    return text if cell_len(text) <= limit else set_cell_size(text, limit - 1) + "…"


def bottom_line(line: Line, focused: bool, width: int, look: Look) -> Strip:
    """The lower edge: a text at the left, one at the right."""
    style, rule = look.palette.style, look.glyphs.horizontal
    edge: Style = style("accent" if focused else "border")
    right = f" {line.right} " if line.right else ""
    left = f" {_clip(line.left, max(4, width - cell_len(right) - 6))} " if line.left else ""
    fill = max(0, width - 2 - cell_len(left) - cell_len(right))
    segments = [
        Segment(rule, edge),
        Segment(left, style(line.tone)),
        Segment(rule * fill, edge),
        Segment(right, style("dim")),
        Segment(rule, edge),
    ]
    return Strip(segments).adjust_cell_length(width, edge)
