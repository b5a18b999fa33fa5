"""Pictures of the running screens, for the README and for looking at them (``make screenshots``).

Textual's SVG export loses braille and draws seams between blocks in most converters, so this draws the compositor's
strips itself: letters from a font, braille, blocks and lines by hand.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.app import App
    from textual.strip import Strip

CELL = (11, 23)
"""Width and height of a cell in pixels."""
_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_GROUND, _INK = (15, 18, 22), (214, 221, 230)
_LINES = {
    "─": "lr", "│": "tb", "╭": "rb", "╮": "lb", "╰": "rt", "╯": "lt", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt",
    "├": "tbr", "┤": "tbl", "┬": "lrb", "┴": "lrt", "┼": "lrtb",
}  # fmt: skip
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}

RGB = tuple[int, int, int]


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / ("DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf")), 18)


def picture(strips: Iterable[Strip], columns: int, ground: RGB = _GROUND, ink: RGB = _INK) -> Image.Image:
    """Draw lines of segments."""
    lines = list(strips)
    image = Image.new("RGB", (columns * CELL[0], len(lines) * CELL[1]), ground)
    draw = ImageDraw.Draw(image)
    for row, strip in enumerate(lines):
        column = 0
        for text, style, _ in strip:
            front, back, bold = _colors(style, ground, ink)
            for sign in text:
                _cell(draw, column, row, sign, front, back, bold)
                column += cell_len(sign)
            if style is not None and style.underline:
                y = (row + 1) * CELL[1] - 3
                draw.line(((column - cell_len(text)) * CELL[0], y, column * CELL[0], y), fill=front)
    return image


def _colors(style: Style | None, ground: RGB, ink: RGB) -> tuple[RGB, RGB, bool]:
    if style is None:
        return ink, ground, False
    front, back = _rgb(style.color, ink, True), _rgb(style.bgcolor, ground, False)
    if style.dim:
        front = _mix(front, back, 0.45)
    return (back, front, bool(style.bold)) if style.reverse else (front, back, bool(style.bold))


def _rgb(color: Color | None, default: RGB, foreground: bool) -> RGB:
    if color is None or color.type is ColorType.DEFAULT:
        return default
    return tuple(color.get_truecolor(DEFAULT_TERMINAL_THEME, foreground))  # type: ignore[return-value]


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def _cell(draw: ImageDraw.ImageDraw, column: int, row: int, sign: str, front: RGB, back: RGB, bold: bool) -> None:
    width, height = CELL
    x, y = column * width, row * height
    draw.rectangle((x, y, x + width * max(1, cell_len(sign)) - 1, y + height - 1), fill=back)
    code = ord(sign)
    if sign == " ":
        return
    if 0x2800 <= code <= 0x28FF:
        _braille(draw, x, y, code - 0x2800, front)
    elif 0x2580 <= code <= 0x259F:
        _block(draw, x, y, sign, front, back)
    elif sign in _LINES:
        _line(draw, x, y, _LINES[sign], front)
    else:
        draw.text((x, y + 1), sign, font=_font(bold), fill=front)


def _braille(draw: ImageDraw.ImageDraw, x: int, y: int, dots: int, front: RGB) -> None:
    width, height = CELL
    for bit, (column, row) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
        if dots >> bit & 1:
            left, top = x + 1 + column * width // 2, y + 1 + row * height // 4
            draw.rectangle((left, top, left + width // 2 - 2, top + height // 4 - 2), fill=front)


def _block(draw: ImageDraw.ImageDraw, x: int, y: int, sign: str, front: RGB, back: RGB) -> None:
    width, height = CELL
    code = ord(sign)
    if sign in _SHADES:
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=_mix(back, front, _SHADES[sign]))
    elif 0x2581 <= code <= 0x2588:
        draw.rectangle((x, y + height - height * (code - 0x2580) // 8, x + width - 1, y + height - 1), fill=front)
    elif 0x2589 <= code <= 0x258F:
        draw.rectangle((x, y, x + width * (0x2590 - code) // 8 - 1, y + height - 1), fill=front)
    elif sign == "▀":
        draw.rectangle((x, y, x + width - 1, y + height // 2 - 1), fill=front)
    elif sign == "▔":
        draw.rectangle((x, y, x + width - 1, y + height // 8 - 1), fill=front)
    elif sign in "▐▕":
        left = x + (width // 2 if sign == "▐" else width - width // 8)
        draw.rectangle((left, y, x + width - 1, y + height - 1), fill=front)
    else:
        draw.text((x, y + 1), sign, font=_font(False), fill=front)


def _line(draw: ImageDraw.ImageDraw, x: int, y: int, ways: str, front: RGB) -> None:
    width, height = CELL
    middle = (x + width // 2, y + height // 2)
    ends = {
        "l": (x, middle[1]), "r": (x + width - 1, middle[1]), "t": (middle[0], y), "b": (middle[0], y + height - 1),
    }  # fmt: skip
    for way in ways:
        draw.line((*middle, *ends[way]), fill=front)


def shoot(app: App[Any], path: Path) -> None:
    """Write what the app shows now as PNG."""
    strips = app.screen._compositor.render_strips(app.size)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(strips, app.size.width).save(path)
