"""The parts of libghostty-vt's binary interface that pyghostty leaves to its users.

Cells are packed 64-bit words whose bit positions are not promised from build to build; the library describes them in
``ghostty_type_json``. They are read from there once, and a layout that does not hold together is refused.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pyghostty import ffi, lib
from pyghostty._ffi import GhosttyError, check, union_fn
from pyghostty.core import init_sized

__all__ = [
    "CellLayout",
    "GhosttyError",
    "check",
    "ffi",
    "grid_ref",
    "init_sized",
    "lib",
    "load_layout",
    "scroll_viewport",
    "wrapped_rows",
]

_GRID_REF = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyGridRef*)"

ffi.cdef(
    "typedef struct { GhosttyTerminalScrollViewportTag tag; int64_t value; uint64_t _pad; } KomodoScrollViewportS;"
)
if ffi.sizeof("KomodoScrollViewportS") != ffi.sizeof("GhosttyTerminalScrollViewport"):
    raise GhosttyError("GhosttyTerminalScrollViewport has an unknown layout")


class CellLayout(NamedTuple):
    """Where the fields of a cell are. Shifts are from bit 0, masks are before shifting."""

    codepoint_shift: int
    codepoint_mask: int
    content_mask: int
    """The whole content field, in place."""
    tag_mask: int
    """In place, at bit 0."""
    style_shift: int
    style_mask: int
    wide_shift: int
    wide_mask: int
    group_mask: int
    """Tag, style and width in place: cells that agree in these bits and hold a plain code point are one run."""
    tag_grapheme: int
    tag_palette: int
    tag_rgb: int


def load_layout() -> CellLayout:
    """Read the cell layout from the library; raises :class:`GhosttyError` when it is not what the decoder can read."""
    types: dict[str, Any] = json.loads(ffi.string(lib.ghostty_type_json()))["types"]
    try:
        cell = types["GhosttyCell"]
        bits = cell["bits"]
        tag, content, style, wide = bits["content_tag"], bits["content"], bits["style_id"], bits["wide"]
        arms = content["arms"]
        codepoint = arms["CODEPOINT"]["bits"]["codepoint"]
        same = arms["CODEPOINT_GRAPHEME"]["bits"]["codepoint"] == codepoint
        rgb = [arms["BG_COLOR_RGB"]["bits"][name]["lsb"] for name in "rgb"]
        index = arms["BG_COLOR_PALETTE"]["bits"]["index"]
    except (KeyError, TypeError) as error:
        raise GhosttyError(f"ghostty_type_json describes no cell we can read: {error}") from error
    sound = (
        cell["kind"] == "packed" and cell["underlying"] == "u64" and tag["lsb"] == 0 and same
        and rgb == [0, 8, 16] and (index["lsb"], index["width"]) == (0, 8) and wide["width"] == 2
    )  # fmt: skip
    if not sound:
        raise GhosttyError("ghostty_type_json describes another cell layout than this decoder reads")

    def in_place(field: dict[str, int]) -> int:
        return ((1 << field["width"]) - 1) << field["lsb"]

    return CellLayout(
        codepoint_shift=content["lsb"] + codepoint["lsb"],
        codepoint_mask=(1 << codepoint["width"]) - 1,
        content_mask=in_place(content),
        tag_mask=in_place(tag),
        style_shift=style["lsb"],
        style_mask=(1 << style["width"]) - 1,
        wide_shift=wide["lsb"],
        wide_mask=in_place(wide),
        group_mask=in_place(tag) | in_place(style) | in_place(wide),
        tag_grapheme=lib.GHOSTTY_CELL_CONTENT_CODEPOINT_GRAPHEME,
        tag_palette=lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE,
        tag_rgb=lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB,
    )


def scroll_viewport(terminal: Any, tag: int, value: int = 0) -> None:
    """``ghostty_terminal_scroll_viewport`` with its tagged union passed by value."""
    call = union_fn("ghostty_terminal_scroll_viewport", "void(*)(GhosttyTerminal, KomodoScrollViewportS)")
    call(terminal, ffi.new("KomodoScrollViewportS*", {"tag": tag, "value": value})[0])


def grid_ref(terminal: Any, col: int, row: int, tag: int) -> Any:
    """A reference to a cell, valid until the terminal changes; None when there is no such cell."""
    call = union_fn("ghostty_terminal_grid_ref", _GRID_REF)
    point = ffi.new("GhosttyPointS*", {"tag": tag, "value": {"x": col, "y": row}})
    ref = init_sized("GhosttyGridRef")
    return ref if call(terminal, point[0], ref) == lib.GHOSTTY_SUCCESS else None


def wrapped_rows(terminal: Any, count: int) -> list[bool]:
    """For each row from the first of the history: does its line go on in the next one?"""
    call = union_fn("ghostty_terminal_grid_ref", _GRID_REF)
    point = ffi.new("GhosttyPointS*", {"tag": lib.GHOSTTY_POINT_TAG_SCREEN})
    ref = init_sized("GhosttyGridRef")
    row = ffi.new("GhosttyRow*")
    wrap = ffi.new("bool*")
    get_row, get, what = lib.ghostty_grid_ref_row, lib.ghostty_row_get, lib.GHOSTTY_ROW_DATA_WRAP
    flags = []
    for y in range(count):
        point.value.y = y
        found = call(terminal, point[0], ref) == get_row(ref, row) == get(row[0], what, wrap) == lib.GHOSTTY_SUCCESS
        flags.append(found and bool(wrap[0]))
    return flags
