"""Text with styles, and the parser that makes it of text with SGR sequences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style

from komodo_tui.domain.text import REPLACEMENT, clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

StyledSpan = tuple[int, int, Style | str]
"""Start and end in characters, and their style or tone of the palette."""

_SGR = re.compile(r"\x1b\[((?:[0-9]{0,3}[;:]){0,31}[0-9]{0,3})m")
_PLAIN = (None, None, 0)
_State = tuple[Color | None, Color | None, int]
_BOLD, _DIM, _ITALIC, _UNDERLINE, _REVERSE, _STRIKE = (1 << n for n in range(6))
_SET = {1: _BOLD, 2: _DIM, 3: _ITALIC, 4: _UNDERLINE, 7: _REVERSE, 9: _STRIKE, 21: _UNDERLINE}
_UNSET = {22: _BOLD | _DIM, 23: _ITALIC, 24: _UNDERLINE, 27: _REVERSE, 29: _STRIKE}


@dataclass(slots=True)
class Styled:
    """Clean text: nothing in it reaches the terminal but as characters."""

    text: str
    spans: Sequence[StyledSpan] = field(default_factory=tuple)


def parse_line(raw: bytes) -> Styled:
    """A line as a program wrote it: its colours kept, everything else a terminal would obey removed."""
    text = raw.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return Styled(text)
    return parse_sgr(clean(text, keep_sgr=True))


def parse_sgr(text: str) -> Styled:
    """Turn SGR sequences into spans. Blinking and concealing are left out: a log has no business hiding text."""
    if "\x1b" not in text:
        return Styled(text)
    pieces = _SGR.split(text)
    parts: list[str] = []
    spans: list[StyledSpan] = []
    state: _State = _PLAIN
    at = 0
    for index, piece in enumerate(pieces):
        if index % 2:
            state = _apply(state, piece)
        elif piece:
            # What is no SGR sequence has no business here; clean() has removed it already.
            piece = piece.replace("\x1b", REPLACEMENT)
            parts.append(piece)
            if state != _PLAIN:
                spans.append((at, at + len(piece), _style(state)))
            at += len(piece)
    return Styled("".join(parts), spans)


@lru_cache(maxsize=1024)
def _apply(state: _State, body: str) -> _State:
    """The state after one sequence; unknown parameters change nothing."""
    fg, bg, flags = state
    codes = _parameters(body)
    for code in codes:
        if code == 0:
            fg, bg, flags = _PLAIN
        elif code in _SET:
            flags |= _SET[code]
        elif code in _UNSET:
            flags &= ~_UNSET[code]
        elif code in (38, 48):
            color = _extended(codes)
            fg, bg = (color or fg, bg) if code == 38 else (fg, color or bg)
        elif code in (39, 49):
            fg, bg = (None, bg) if code == 39 else (fg, None)
        elif (number := _basic(code)) is not None:
            color = Color.from_ansi(number)
            fg, bg = (color, bg) if code % 60 < 40 else (fg, color)
    return fg, bg, flags


def _basic(code: int) -> int | None:
    """Which of the sixteen colours a code sets, in front or behind."""
    for first, color in ((30, 0), (40, 0), (90, 8), (100, 8)):
        if first <= code < first + 8:
            return code - first + color
    return None


def _parameters(body: str) -> Iterator[int]:
    """Numbers of a sequence, those of the colon form put as the semicolon form has them."""
    for parameter in body.split(";"):
        parts = parameter.split(":")
        # 38:2:<colour space>:r:g:b has one field more than 38;2;r;g;b.
        if len(parts) > 5 and parts[1] == "2":
            del parts[2]
        # 4:3 is a kind of underline, 4:0 is none.
        if len(parts) == 2 and parts[0] == "4":
            yield 24 if parts[1] == "0" else 4
            continue
        for part in parts:
            yield int(part or 0)


def _extended(codes: Iterator[int]) -> Color | None:
    """The colour that follows 38 or 48."""
    kind = next(codes, None)
    if kind == 5:
        number = next(codes, 256)
        return Color.from_ansi(number) if number < 256 else None
    if kind == 2:
        red, green, blue = (next(codes, 256) for _ in range(3))
        return Color.from_rgb(red, green, blue) if max(red, green, blue) < 256 else None
    return None


@lru_cache(maxsize=1024)
def _style(state: _State) -> Style:
    fg, bg, flags = state
    return Style(
        color=fg,
        bgcolor=bg,
        bold=bool(flags & _BOLD) or None,
        dim=bool(flags & _DIM) or None,
        italic=bool(flags & _ITALIC) or None,
        underline=bool(flags & _UNDERLINE) or None,
        reverse=bool(flags & _REVERSE) or None,
        strike=bool(flags & _STRIKE) or None,
    )
