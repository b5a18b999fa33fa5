"""The packed style of a run: one integer, so that frames stay small and drawing can look a style up by it.

Bits 0-24 foreground, 25-49 background, from 50 on the attributes. A colour is 0 for the default, 1 + n for palette
entry n, or ``RGB | 0xRRGGBB``.
"""

from __future__ import annotations

RGB = 1 << 24
COLOR_MASK = (1 << 25) - 1
BACKGROUND_SHIFT = 25
ATTRIBUTE_SHIFT = 50

BOLD = 1 << 50
FAINT = 1 << 51
ITALIC = 1 << 52
UNDERLINE = 1 << 53
DOUBLE_UNDERLINE = 1 << 54
BLINK = 1 << 55
INVERSE = 1 << 56
INVISIBLE = 1 << 57
STRIKE = 1 << 58
OVERLINE = 1 << 59


def palette(index: int) -> int:
    """The colour of a palette entry."""
    return 1 + index


def rgb(red: int, green: int, blue: int) -> int:
    """A colour of its own."""
    return RGB | red << 16 | green << 8 | blue


def pack(foreground: int, background: int, attributes: int) -> int:
    """The style of two colours and OR-ed attribute bits."""
    return foreground | background << BACKGROUND_SHIFT | attributes


def unpack(style: int) -> tuple[int, int, int]:
    """Foreground, background, attribute bits."""
    return style & COLOR_MASK, style >> BACKGROUND_SHIFT & COLOR_MASK, style >> ATTRIBUTE_SHIFT << ATTRIBUTE_SHIFT
