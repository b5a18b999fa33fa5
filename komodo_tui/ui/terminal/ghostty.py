"""The emulator core on libghostty-vt.

Correct and fast, but native: input it does not survive ends its process, so it runs behind :mod:`.guard` and, in the
program, in the worker process. Everything allocated natively is freed in :meth:`GhosttyCore.close`.
"""

from __future__ import annotations

from typing import Any, Literal

from komodo_tui.ui.terminal import ghostty_input, styles
from komodo_tui.ui.terminal.core import (
    BRACKETED_PASTE,
    CLIPBOARD_LIMIT,
    FOCUS_REPORTS,
    TITLE_LIMIT,
    TRACKED_MODES,
    Cursor,
    Frame,
    Hit,
    KeyInput,
    MouseInput,
    Options,
    Scrollbar,
    clamp_size,
)
from komodo_tui.ui.terminal.ghostty_abi import (
    GhosttyError,
    check,
    ffi,
    grid_ref,
    init_sized,
    lib,
    load_layout,
    scroll_viewport,
    wrapped_rows,
)
from komodo_tui.ui.terminal.ghostty_calls import CELL_HEIGHT, CELL_WIDTH, Calls, set_option
from komodo_tui.ui.terminal.ghostty_rows import RowReader
from komodo_tui.ui.terminal.ghostty_shim import Shim, soft_reset
from komodo_tui.ui.terminal.guard import Guard
from komodo_tui.ui.terminal.search import find

_HOLD = 2026
_SHAPES: dict[int, Literal["block", "bar", "underline"]] = {
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: "bar",
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: "underline",
}
_STRING_LIMIT = 1 << 20
"""Most bytes of an APC string the core may collect."""


def history_bytes(rows: int, cols: int) -> int:
    """The byte limit that keeps about this many rows. (A limit in lines makes the core 5 to 10 times slower.)"""
    return rows * (cols * 8 + 90)


class GhosttyCore:
    """A :class:`~komodo_tui.ui.terminal.core.Core`."""

    name = "ghostty"
    feed_slice = 32 * 1024

    def __init__(self, cols: int, rows: int, options: Options, *, guarded: bool = True) -> None:
        self._size = clamp_size(cols, rows)
        self._history = options.history
        self._guard = Guard() if guarded else None
        self._shim = Shim()
        self._closed = False
        terminal = ffi.new("GhosttyTerminal*")
        check(lib.ghostty_terminal_new(ffi.NULL, terminal, *self._size), "terminal_new")
        self._terminal = terminal[0]
        self._calls = Calls(self._terminal, lambda: self._size)
        state = ffi.new("GhosttyRenderState*")
        check(lib.ghostty_render_state_new(ffi.NULL, state), "render_state_new")
        self._state = state[0]
        self._rows = RowReader(load_layout())
        self._input = ghostty_input.InputEncoder(self._terminal)
        self._mode = ffi.new("GhosttyTerminalModeConfig*")
        self._cursor = init_sized("GhosttyRenderStateCursor")
        self._dirty = ffi.new("GhosttyRenderStateDirty*")
        self._scrollbar = ffi.new("GhosttyTerminalScrollbar*")
        self._colors = ffi.new("GhosttyColorRgb[256]")
        self._default_palette = self._palette_bytes()
        self._configure(options)

    def _configure(self, options: Options) -> None:
        set_option(self._terminal, "SCROLLBACK_MAX_LINES", ffi.new("size_t*", 1 << 40))
        self._limit_history()
        set_option(
            self._terminal, "KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t*", 0)
        )  # no images, so no files read for them
        set_option(self._terminal, "APC_MAX_BYTES", ffi.new("size_t*", _STRING_LIMIT))
        set_option(self._terminal, "CLIPBOARD_WRITE_MAX_BYTES", ffi.new("size_t*", CLIPBOARD_LIMIT))
        for name, color in (("FOREGROUND", options.foreground), ("BACKGROUND", options.background)):
            parts = {"r": color >> 16 & 255, "g": color >> 8 & 255, "b": color & 255}
            set_option(self._terminal, f"COLOR_{name}", ffi.new("GhosttyColorRgb*", parts))

    def _limit_history(self) -> None:
        set_option(
            self._terminal, "SCROLLBACK_MAX_BYTES", ffi.new("size_t*", history_bytes(self._history, self._size[0]))
        )

    def feed(self, data: bytes) -> bytes:
        if self._guard is not None:
            data = self._guard.clean(data)
        for piece in self._shim.pieces(data, self._size[0] * self._size[1]):
            if piece is None:
                piece = soft_reset(self._get("CURSOR_X", "uint16_t"), self._get("CURSOR_Y", "uint16_t"))
            lib.ghostty_terminal_vt_write(self._terminal, piece, len(piece))
        return self._calls.replies()

    def resize(self, cols: int, rows: int) -> bytes:
        size = clamp_size(cols, rows)
        if size != self._size:
            self._size = size
            check(lib.ghostty_terminal_resize(self._terminal, *size, CELL_WIDTH, CELL_HEIGHT), "resize")
            self._limit_history()
        return self._calls.replies()

    def take_frame(self, force: bool = False) -> Frame:
        modes = frozenset(mode for mode in TRACKED_MODES if self._mode_set(mode))
        bar = self.scrollbar()
        alternate = self._get("ACTIVE_SCREEN", "GhosttyTerminalScreen") == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE
        keyboard = self._get("KITTY_KEYBOARD_FLAGS", "GhosttyKittyKeyFlags")
        cols, rows = self._size
        if _HOLD in modes and not force:
            return Frame(cols, rows, [], False, Cursor(), modes, alternate, keyboard, bar, held=True)
        check(lib.ghostty_render_state_update(self._state, self._terminal), "render_state_update")
        self._state_get("DIRTY", self._dirty)
        full = self._dirty[0] == lib.GHOSTTY_RENDER_STATE_DIRTY_FULL
        dirty: list[tuple[int, list[tuple[str, int, int]]]] = []
        if self._dirty[0] != lib.GHOSTTY_RENDER_STATE_DIRTY_FALSE:
            self._rows.use_palette(self._changed_palette())
            dirty = list(self._rows.dirty_rows(self._state))
        check(lib.ghostty_render_state_clean(self._state), "render_state_clean")
        frame = Frame(cols, rows, dirty, full, self._read_cursor(), modes, alternate, keyboard, bar)
        if self._calls.title_changed():
            frame.title = self._read_title()
        frame.bells, frame.clipboard = self._calls.bells(), self._calls.clipboard()
        return frame

    def _get(self, what: str, ctype: str) -> Any:
        out = ffi.new(f"{ctype}*")
        check(lib.ghostty_terminal_get(self._terminal, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{what}"), out), what)
        return out[0]

    def _state_get(self, what: str, out: Any) -> None:
        check(lib.ghostty_render_state_get(self._state, getattr(lib, f"GHOSTTY_RENDER_STATE_DATA_{what}"), out), what)

    def _mode_set(self, mode: int) -> bool:
        self._mode.mode = mode
        got = lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_MODE, self._mode)
        return got == lib.GHOSTTY_SUCCESS and bool(self._mode.value)

    def _read_title(self) -> str:
        title = self._get("TITLE", "GhosttyString")
        return bytes(ffi.buffer(title.ptr, title.len)).decode("utf-8", "replace")[:TITLE_LIMIT] if title.len else ""

    def _read_cursor(self) -> Cursor:
        cursor = self._cursor
        self._state_get("CURSOR", cursor)
        shown = bool(cursor.visible and cursor.viewport_has_value)
        x = cursor.viewport_x - (1 if cursor.wide_tail and cursor.viewport_x else 0)
        return Cursor(x, cursor.viewport_y, shown, _SHAPES.get(cursor.visual_style, "block"), bool(cursor.blinking))

    def _palette_bytes(self) -> bytes:
        code = lib.GHOSTTY_TERMINAL_DATA_COLOR_PALETTE
        check(lib.ghostty_terminal_get(self._terminal, code, self._colors), "palette")
        return bytes(ffi.buffer(self._colors))

    def _changed_palette(self) -> dict[int, int]:
        now = self._palette_bytes()
        if now == self._default_palette:
            return {}
        entries = range(0, len(now), 3)
        return {
            at // 3: styles.rgb(*now[at : at + 3])
            for at in entries
            if now[at : at + 3] != self._default_palette[at : at + 3]
        }

    def encode_key(self, key: KeyInput) -> bytes:
        return self._input.key(key)

    def encode_mouse(self, mouse: MouseInput) -> bytes:
        return self._input.mouse(mouse, *self._size)

    def encode_paste(self, text: str) -> bytes:
        return ghostty_input.encode_paste(text, self._mode_set(BRACKETED_PASTE))

    def encode_focus(self, focused: bool) -> bytes:
        return ghostty_input.encode_focus(focused) if self._mode_set(FOCUS_REPORTS) else b""

    def scroll(self, delta: int) -> Scrollbar:
        scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_DELTA, delta)
        return self.scrollbar()

    def scroll_to(self, row: int) -> Scrollbar:
        scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_ROW, max(0, row))
        return self.scrollbar()

    def scroll_bottom(self) -> Scrollbar:
        scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM)
        return self.scrollbar()

    def scrollbar(self) -> Scrollbar:
        code = lib.GHOSTTY_TERMINAL_DATA_SCROLLBAR
        check(lib.ghostty_terminal_get(self._terminal, code, self._scrollbar), "scrollbar")
        bar = self._scrollbar[0]
        return Scrollbar(bar.total, bar.offset, bar.len)

    def search(self, text: str, limit: int = 10_000) -> list[Hit]:
        # The native search misses what was pruned or added since; formatting everything is as fast.
        cols = self._size[0]
        total = self.scrollbar().total
        rows = self._format(0, 0, total - 1, cols - 1, unwrap=False).split("\n")
        return find(zip(rows, wrapped_rows(self._terminal, len(rows)), strict=True), cols, text, limit)

    def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str:
        return self._format(start_row, start_col, end_row, end_col, unwrap=True)

    def _format(self, start_row: int, start_col: int, end_row: int, end_col: int, *, unwrap: bool) -> str:
        tag = lib.GHOSTTY_POINT_TAG_SCREEN
        last = self._size[0] - 1
        start = grid_ref(self._terminal, min(start_col, last), start_row, tag)
        end = grid_ref(self._terminal, min(end_col, last), end_row, tag)
        if start is None or end is None:
            return ""
        selection = init_sized("GhosttySelection")
        selection.start, selection.end = start[0], end[0]
        options = init_sized("GhosttyTerminalSelectionFormatOptions")
        options.emit, options.unwrap, options.trim = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN, unwrap, True
        options.selection = selection
        size = ffi.new("size_t*")
        form = lib.ghostty_terminal_selection_format_buf
        form(self._terminal, options[0], ffi.NULL, 0, size)
        room = ffi.new("uint8_t[]", max(1, size[0]))
        check(form(self._terminal, options[0], room, len(room), size), "selection_format")
        return bytes(ffi.buffer(room, size[0])).decode("utf-8", "replace")

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._input.free()
        self._rows.free()
        lib.ghostty_render_state_free(self._state)
        lib.ghostty_terminal_free(self._terminal)
        self._calls.free()


def usable() -> bool:
    """Whether this build of the library is one the adapter can read."""
    try:
        load_layout()
    except GhosttyError:
        return False
    return True
