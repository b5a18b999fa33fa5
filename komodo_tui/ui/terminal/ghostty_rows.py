"""From the native render state to the rows of a frame."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import trimmed
from komodo_tui.ui.terminal.ghostty_abi import CellLayout, check, ffi, init_sized, lib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_tui.ui.terminal.core import Row

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
"""A core may hold such code points in cells (it shows DEL as one); drawn, they would move the rest of the row."""

_FLAGS = (
    ("bold", styles.BOLD),
    ("italic", styles.ITALIC),
    ("faint", styles.FAINT),
    ("blink", styles.BLINK),
    ("inverse", styles.INVERSE),
    ("invisible", styles.INVISIBLE),
    ("strikethrough", styles.STRIKE),
    ("overline", styles.OVERLINE),
)
_FLAG_BITS = {ffi.offsetof("GhosttyStyle", name): bit for name, bit in _FLAGS}
_FLAG_BYTES = slice(min(_FLAG_BITS), max(_FLAG_BITS) + 1)
_FOREGROUND = ffi.offsetof("GhosttyStyle", "fg_color")
_BACKGROUND = ffi.offsetof("GhosttyStyle", "bg_color")
_UNDERLINE = ffi.offsetof("GhosttyStyle", "underline")
_COLOR_VALUE = ffi.offsetof("GhosttyStyleColor", "value")
_DOUBLE = 2
_CELLS_RAW = lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW
_CELLS = lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS
_STYLE = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE
_PALETTE, _RGB = lib.GHOSTTY_STYLE_COLOR_PALETTE, lib.GHOSTTY_STYLE_COLOR_RGB
_select_cell, _get_cell = lib.ghostty_render_state_row_cells_select, lib.ghostty_render_state_row_cells_get
_LOW_HALF = slice(None, None, 2) if sys.byteorder == "little" else slice(1, None, 2)
_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_WIDE, _TAIL = 1, 2
_STYLES_KEPT = 20_000
"""A stream of ever new RGB colours must not grow the table for ever."""


class RowReader:
    """Reads the dirty rows of a render state. Owns the native iterators; :meth:`free` them."""

    def __init__(self, layout: CellLayout) -> None:
        self._layout = layout
        self._iterator = ffi.new("GhosttyRenderStateRowIterator*")
        self._cells = ffi.new("GhosttyRenderStateRowCells*")
        check(lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._iterator), "row_iterator_new")
        check(lib.ghostty_render_state_row_cells_new(ffi.NULL, self._cells), "row_cells_new")
        self._view = ffi.new("GhosttyCellsView*")
        self._y = ffi.new("uint16_t*")
        self._style = init_sized("GhosttyStyle")
        self._style_bytes = ffi.buffer(self._style)
        self._text = ffi.new("GhosttyBuffer*")
        self._known: dict[bytes, int] = {}
        self._palette: dict[int, int] = {}
        self._row_masks: dict[int, tuple[int, int]] = {}

    def free(self) -> None:
        """Give the native iterators back."""
        lib.ghostty_render_state_row_cells_free(self._cells[0])
        lib.ghostty_render_state_row_iterator_free(self._iterator[0])

    def use_palette(self, changed: dict[int, int]) -> None:
        """Colours that the program gave to palette entries, by entry."""
        if changed != self._palette:
            self._palette = dict(changed)
            self._known.clear()

    def dirty_rows(self, state: Any) -> Iterator[tuple[int, Row]]:
        """The rows that changed since the state was last cleaned."""
        check(lib.ghostty_render_state_get(state, lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator), "rows")
        iterator = self._iterator[0]
        while lib.ghostty_render_state_row_iterator_next_dirty(iterator, self._y):
            y = self._y[0]
            check(lib.ghostty_render_state_row_get(iterator, _CELLS_RAW, self._view), "cells_raw")
            if not self._view.len:
                yield y, []
                continue
            raw = ffi.buffer(self._view.ptr, self._view.len * 8)[:]
            check(lib.ghostty_render_state_row_get(iterator, _CELLS, self._cells), "cells")
            yield y, self._decode(raw)

    def _decode(self, raw: bytes) -> Row:
        """The runs of a row of cells. The row is handled as one long integer: loops over cells cost far more."""
        count = len(raw) // 8
        group_row, codepoint_row = self._masks(count)
        cells = int.from_bytes(raw, sys.byteorder)
        points = (cells >> self._layout.codepoint_shift & codepoint_row).to_bytes(len(raw), sys.byteorder)
        text = memoryview(points).cast("I")[_LOW_HALF].tobytes().decode(_UTF32, "replace")
        if "\0" in text:
            text = text.replace("\0", " ")
        if not text.isprintable():
            text = text.translate(_CONTROLS)
        groups = cells & group_row
        if not groups:
            return trimmed([(text, 0, count)])
        keys = memoryview(groups.to_bytes(len(raw), sys.byteorder)).cast("Q").tolist()
        if any(self._background_only(key) for key in set(keys)):
            colored = self._layout.group_mask | self._layout.content_mask
            plain = memoryview(raw).cast("Q").tolist()
            keys = [
                cell & colored if self._background_only(key) else key for cell, key in zip(plain, keys, strict=True)
            ]
        starts = [0, *[x for x, (left, right) in enumerate(pairwise(keys), 1) if left != right], count]
        return trimmed(self._runs([(a, b, keys[a]) for a, b in pairwise(starts)], text))

    def _masks(self, count: int) -> tuple[int, int]:
        """The group and the code point mask, repeated for a row of this many cells."""
        masks = self._row_masks.get(count)
        if masks is None:
            ones = int.from_bytes((b"\x01" + bytes(7)) * count, "little")
            self._row_masks = {count: (ones * self._layout.group_mask, ones * self._layout.codepoint_mask)}
            masks = self._row_masks[count]
        return masks

    def _background_only(self, key: int) -> bool:
        return key & self._layout.tag_mask in (self._layout.tag_palette, self._layout.tag_rgb)

    def _runs(self, spans: list[tuple[int, int, int]], text: str) -> Row:
        """One run for a span of equal cells; wide characters of one style become one run again."""
        layout = self._layout
        tag_mask, wide_mask = layout.tag_mask, layout.wide_mask
        wide_cell, tail_cell = _WIDE << layout.wide_shift, _TAIL << layout.wide_shift
        row: Row = []
        style_of: dict[int, int] = {}
        last_style, last_columns = -1, 0  # of the run that may take more text; -1 when the last one may not
        for start, end, key in spans:
            width = key & wide_mask
            if width == tail_cell:
                continue
            columns = 2 if width == wide_cell else 1
            style = style_of.get(key, -1)
            if style < 0:
                style = style_of[key] = self._style_at(start, key)
            tag = key & tag_mask
            if tag == layout.tag_grapheme:
                row.extend((self._grapheme(x), style, columns) for x in range(start, end))
                last_style = -1
                continue
            piece = " " * (end - start) if tag else text[start:end]
            if style == last_style and columns == last_columns:
                before = row.pop()
                row.append((before[0] + piece, style, before[2] + columns * len(piece)))
            else:
                row.append((piece, style, columns * len(piece)))
            last_style, last_columns = style, columns
        return row

    def _grapheme(self, x: int) -> str:
        """The characters of a cell that holds more than one."""
        _select_cell(self._cells[0], x)
        space = ffi.new("uint8_t[]", 256)
        self._text.ptr, self._text.cap, self._text.len = space, len(space), 0
        what = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_UTF8
        if _get_cell(self._cells[0], what, self._text) != lib.GHOSTTY_SUCCESS:
            return "\ufffd"  # absurdly many combining characters on one base
        return bytes(ffi.buffer(space, self._text.len)).decode("utf-8", "replace").translate(_CONTROLS)

    def _style_at(self, x: int, key: int) -> int:
        layout = self._layout
        style = 0
        if key >> layout.style_shift & layout.style_mask:
            cells = self._cells[0]
            _select_cell(cells, x)
            check(_get_cell(cells, _STYLE, self._style), "cell style")
            raw = self._style_bytes[:]
            known = self._known.get(raw)
            style = self._learn(raw) if known is None else known
        if not key & layout.tag_mask:
            return style
        content = key >> layout.codepoint_shift
        if key & layout.tag_mask == layout.tag_palette:
            style |= self._entry(content & 0xFF) << styles.BACKGROUND_SHIFT
        elif key & layout.tag_mask == layout.tag_rgb:
            style |= styles.rgb(content & 0xFF, content >> 8 & 0xFF, content >> 16 & 0xFF) << styles.BACKGROUND_SHIFT
        return style

    def _learn(self, raw: bytes) -> int:
        if len(self._known) > _STYLES_KEPT:
            self._known.clear()
        attributes = 0
        if any(raw[_FLAG_BYTES]):
            attributes = sum(bit for at, bit in _FLAG_BITS.items() if raw[at])
        if raw[_UNDERLINE]:
            attributes |= styles.DOUBLE_UNDERLINE if raw[_UNDERLINE] == _DOUBLE else styles.UNDERLINE
        style = styles.pack(self._color(raw, _FOREGROUND), self._color(raw, _BACKGROUND), attributes)
        self._known[raw] = style
        return style

    def _color(self, raw: bytes, at: int) -> int:
        tag, value = raw[at], at + _COLOR_VALUE
        if tag == _PALETTE:
            return self._entry(raw[value])
        return styles.RGB | int.from_bytes(raw[value : value + 3], "big") if tag == _RGB else 0

    def _entry(self, index: int) -> int:
        return self._palette.get(index) or styles.palette(index)
