"""Drawing with ASCII alone, also where a widget or Textual itself draws something else.

What has a word of its own (states, keys) takes it from the glyphs. This is for the rest: graphs, frames, scroll bars,
arrows. Each sign gives way to one of the same width, so nothing moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

from komodo_tui.ui.render.glyphs import ASCII, UNICODE

if TYPE_CHECKING:
    from textual.color import Color

_BRAILLE = 0x2800
_DOTS = " ..::++##"
"""What stands for a cell of so many dots."""


def _table() -> dict[int, str]:
    found = {code: _DOTS[(code - _BRAILLE).bit_count()] for code in range(_BRAILLE, _BRAILLE + 256)}
    found |= {ord(sign): plain for sign, plain in zip(UNICODE.levels, ASCII.levels, strict=True)}
    for signs, plain in (
        ("─━═╌┄▔▁▂‾—–", "-"), ("│┃║╎┆▏▎▍▌▐▕▊▋▉┊", "|"), ("╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬", "+"), ("█▇▆▅▄▃▀▓▒░▟▙▛▜", "#"),
        ("…", "~"), ("•·∙", "."), ("→▸▶»", ">"), ("←◂◀«", "<"), ("↑▲", "^"), ("↓▼", "v"), ("↔↕", "+"), ("×✖✗", "x"),
        ("●◉", "*"), ("○◌", "o"), ("◐◑", "~"), ("✔✓", "+"), ("‖", "="), ("≠", "#"), ("⏎↵", "/"), ("⇧", "^"), ("∞", "8"),
    ):  # fmt: skip
        for sign in signs:
            found.setdefault(ord(sign), plain)
    return found


_TABLE = _table()


def plain(text: str) -> str:
    """The text with signs of ours in ASCII. Letters of any script are left as they are."""
    return text if text.isascii() else text.translate(_TABLE)


class AsciiSigns(LineFilter):
    """The same for what widgets draw."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line in ASCII, but for letters."""
        return [Segment(plain(text), style, control) for text, style, control in segments]
