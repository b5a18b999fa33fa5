"""From bittty's cells to the rows of a frame."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.terminal.core import Row

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
_style_of = itemgetter(0)

_FLAGS = (
    ("bold", styles.BOLD),
    ("dim", styles.FAINT),
    ("italic", styles.ITALIC),
    ("blink", styles.BLINK),
    ("reverse", styles.INVERSE),
    ("conceal", styles.INVISIBLE),
    ("strike", styles.STRIKE),
    ("overline", styles.OVERLINE),
)
_STYLES_KEPT = 20_000


def row_text(cells: Sequence[Any]) -> str:
    """The text of a row of cells; the second cell of a wide character holds none."""
    return "".join([char for _, char in cells]).translate(_CONTROLS)


def _color(color: Any) -> int:
    if color is None or color.mode == "default" or color.value is None:
        return 0
    return styles.palette(color.value) if color.mode == "indexed" else styles.rgb(*color.value)


def _pack(style: Any) -> int:
    attributes = sum(bit for name, bit in _FLAGS if getattr(style, name))
    if style.underline:
        attributes |= styles.DOUBLE_UNDERLINE if style.underline_style == "double" else styles.UNDERLINE
    return styles.pack(_color(style.fg), _color(style.bg), attributes)


class RowBuilder:
    """Builds runs; remembers the styles it has seen."""

    def __init__(self) -> None:
        self._known: dict[Any, int] = {}

    def row(self, cells: Sequence[Any], reverse: bool = False) -> Row:
        """The runs of a row; ``reverse`` swaps the colours of everything (mode 5)."""
        row: Row = []
        for style, group in groupby(cells, _style_of):
            packed = self._known.get(style)
            if packed is None:
                if len(self._known) > _STYLES_KEPT:
                    self._known.clear()
                packed = self._known[style] = _pack(style)
            if reverse:
                packed ^= styles.INVERSE
            row.extend(_split([char for _, char in group], packed))
        return trimmed(row)


def _split(chars: list[str], style: int) -> Row:
    """The runs of cells of one style: single width, double width, combined."""
    text = "".join(chars)
    if text.isascii() and text.isprintable() and "" not in chars:
        return [(text, style, len(chars))]
    runs: Row = []
    open_columns = 0  # of the run that may take more text
    for char, following in zip(chars, [*chars[1:], " "], strict=True):
        if not char:
            continue  # the second cell of the wide character before
        columns = 1 if following else 2
        piece = char.translate(_CONTROLS)
        if len(piece) == 1 and columns == open_columns:
            before = runs.pop()
            runs.append((before[0] + piece, style, before[2] + columns))
        else:
            runs.append((piece, style, columns))
        open_columns = columns if len(piece) == 1 else 0
    return runs
