"""The emulator core on bittty: pure Python, where libghostty-vt does not load or must not be used any more.

Some ten to a hundred times slower, but no input can end its process. What it does badly with is fenced off here: it
re-reads an unfinished string with each piece, can be told to print instead of to show, and now and then raises on
nonsense.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re

from bittty import BITTTY, Board, KeyEvent, KeyModifiers, TerminalCaps
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback

from komodo_tui.ui.terminal.bittty_rows import RowBuilder, row_text
from komodo_tui.ui.terminal.core import (
    CLIPBOARD_LIMIT,
    TITLE_LIMIT,
    TRACKED_MODES,
    Cursor,
    Frame,
    Hit,
    KeyInput,
    Mods,
    MouseInput,
    Options,
    Row,
    Scrollbar,
    clamp_size,
)
from komodo_tui.ui.terminal.search import find, joined

_STRING_LIMIT = 128 * 1024
"""Longer unfinished sequences are forgotten."""
_PRINTER = re.compile(rb"\x1b\[\??[45]i")
_SET = 1
_RAISED = (IndexError, KeyError, ValueError, TypeError, AttributeError, AssertionError, RecursionError, OverflowError)
"""What bittty has been seen to raise, or may, on nonsense: the terminal is then reset as a real one would be."""
_SAFE_PASTE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WHEEL = {4: 64, 5: 65, 6: 66, 7: 67}
_MODEL = dataclasses.replace(BITTTY, options=frozenset(), reflows=True)


class _Line:
    """The cable to the program: collects what the terminal sends."""

    closed = False

    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: str) -> int:
        self.sent += data.encode("utf-8", "replace")
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""

    def resize(self, rows: int, cols: int) -> None:
        """The pane tells the session itself."""

    def configure_line(self, line: object) -> None:
        """There is no modem."""

    def close(self) -> None:
        """There is nothing to close."""

    def take(self) -> bytes:
        sent = bytes(self.sent)
        self.sent.clear()
        return sent


class _Screen(Terminal):  # type: ignore[misc]  # bittty carries no types
    """What bittty presents to: notes what a frame will tell."""

    def __init__(self, board: Board, history: MemoryScrollback) -> None:
        super().__init__(board, history)
        self.bells = 0
        self.title: str | None = None
        self.clipboard: str | None = None

    def on_bell(self) -> None:
        self.bells += 1

    def on_title(self, title: str, icon_title: str) -> None:
        self.title = title[:TITLE_LIMIT]

    def on_clipboard(self, selection: str, text: str) -> None:
        self.board.console.clipboard.clear()  # or another program could ask for it
        if len(text) <= CLIPBOARD_LIMIT:
            self.clipboard = text


class BitttyCore:
    """A :class:`~komodo_tui.ui.terminal.core.Core`."""

    name = "bittty"
    feed_slice = 4 * 1024

    def __init__(self, cols: int, rows: int, options: Options) -> None:
        self._options = options
        self._build(*clamp_size(cols, rows))

    def _build(self, cols: int, rows: int) -> None:
        self._line = _Line()
        self._board = Board(width=cols, height=rows, model=_MODEL)
        self._history = MemoryScrollback(self._options.history * (cols + 1))
        self._screen = _Screen(self._board, self._history)
        self._screen.attach()
        self._board.pty = self._line
        background = self._options.background
        self._screen.set_caps(
            TerminalCaps(
                grapheme_mode="reset",
                cell_px=(8, 16),
                background=(background >> 16 & 255, background >> 8 & 255, background & 255),
            )
        )
        self._builder = RowBuilder()
        self._all_dirty = True

    def feed(self, data: bytes) -> bytes:
        if b"i" in data:
            data = _PRINTER.sub(b"", data)
        try:
            self._board.feed_host_data(data)
            if len(self._board.parser.buffer) > _STRING_LIMIT:
                self._board.parser.reset()
        except _RAISED:
            replies = self._line.take()
            self._build(self._board.width, self._board.height)
            return replies
        return self._line.take()

    def resize(self, cols: int, rows: int) -> bytes:
        size = clamp_size(cols, rows)
        if size != (self._board.width, self._board.height):
            try:
                self._board.resize_from_frontend(*size)
            except _RAISED:
                self._build(*size)
            self._history.max_cells = self._options.history * (size[0] + 1)
            self._all_dirty = True
        return self._line.take()

    def take_frame(self, force: bool = False) -> Frame:
        board = self._board
        modes = frozenset(mode for mode in TRACKED_MODES if board.modes.mode_status(True, mode) == _SET)
        alternate, keyboard = bool(board.blitter.in_alt_screen), int(board.keyboard.kitty_flags)
        cols, rows, bar = board.width, board.height, self.scrollbar()
        if board.modes.synchronized_output and not force:
            return Frame(cols, rows, [], False, Cursor(), modes, alternate, keyboard, bar, held=True)
        dirty, full = self._dirty_rows()
        frame = Frame(cols, rows, dirty, full, self._cursor(), modes, alternate, keyboard, bar)
        screen = self._screen
        frame.title, screen.title = screen.title, None
        frame.bells, screen.bells = screen.bells, 0
        frame.clipboard, screen.clipboard = screen.clipboard, None
        return frame

    def _dirty_rows(self) -> tuple[list[tuple[int, Row]], bool]:
        screen, board = self._screen, self._board
        damaged = screen.damaged_rows()
        scrolled = screen.view_offset() > 0
        full = self._all_dirty or scrolled or len(damaged) == board.height
        self._all_dirty = False
        view = screen.view_rows()
        which = range(board.height) if full else damaged
        return [(y, self._builder.row(view[y], board.modes.reverse_screen)) for y in which], full

    def _cursor(self) -> Cursor:
        place = self._screen.port.cursor
        offset = self._screen.view_offset()
        device = self._board.cursor
        blink = bool(self._board.modes.cursor_blinking)
        if place is None or place[1] + offset >= self._board.height:
            return Cursor(visible=False, shape=device.shape, blink=blink)
        return Cursor(min(place[0], self._board.width - 1), place[1] + offset, True, device.shape, blink)

    def encode_key(self, key: KeyInput) -> bytes:
        mods = KeyModifiers(key.mods)
        text = key.key if len(key.key) == 1 else None
        plain = key.key
        if text and text.lower() != text and len(text.lower()) == 1:
            plain, mods = text.lower(), mods | (KeyModifiers.SHIFT if self._board.keyboard.kitty_flags else 0)
        event = KeyEvent(plain, mods, text=text if text and not key.mods & Mods.CTRL else None)
        with contextlib.suppress(*_RAISED):
            self._board.input_key_event(event)
        return self._line.take()

    def encode_mouse(self, mouse: MouseInput) -> bytes:
        names = {Mods.SHIFT: "shift", Mods.ALT: "meta", Mods.CTRL: "ctrl"}
        held = {name for bit, name in names.items() if mouse.mods & bit}
        button = _WHEEL.get(mouse.button, mouse.button - 1)
        with contextlib.suppress(*_RAISED):
            self._board.input_mouse(mouse.x + 1, mouse.y + 1, button, mouse.action, held)
        return self._line.take()

    def encode_paste(self, text: str) -> bytes:
        bracketed = self._board.modes.bracketed_paste
        body = _SAFE_PASTE.sub(" ", text)
        if not bracketed:
            return body.replace("\r\n", "\r").replace("\n", "\r").encode("utf-8", "replace")
        return b"\x1b[200~" + body.encode("utf-8", "replace") + b"\x1b[201~"

    def encode_focus(self, focused: bool) -> bytes:
        self._board.set_focus(focused)
        return self._line.take()

    def scroll(self, delta: int) -> Scrollbar:
        if not self._board.blitter.in_alt_screen:
            self._screen.scroll_view(delta)
            self._all_dirty = True
        return self.scrollbar()

    def scroll_to(self, row: int) -> Scrollbar:
        bar = self.scrollbar()
        return self.scroll(row - bar.offset)

    def scroll_bottom(self) -> Scrollbar:
        if self._screen.view_top is not None:
            self._screen.scroll_to_bottom()
            self._all_dirty = True
        return self.scrollbar()

    def scrollbar(self) -> Scrollbar:
        height = self._board.height
        if self._board.blitter.in_alt_screen:
            return Scrollbar(height, 0, height)
        above = len(self._history.width(self._board.width))
        return Scrollbar(above + height, above - self._screen.view_offset(), height)

    def _rows_between(self, start: int, end: int) -> list[tuple[str, bool]]:
        """Text and wrap flag of rows, counted from the first of the history."""
        history = self._history.width(self._board.width)
        above = 0 if self._board.blitter.in_alt_screen else len(history)
        page = self._screen.port.page
        rows: list[tuple[str, bool]] = []
        for y in range(max(0, start), min(end + 1, above + self._board.height)):
            if y < above:
                line = history.line_at(y)[0]
                goes_on = y + 1 < above and history.line_at(y + 1)[0] == line
                rows.append((row_text(history[y]).rstrip(" "), goes_on))
            else:
                rows.append((row_text(page.line(y - above).cells).rstrip(" "), bool(page.is_line_wrapped(y - above))))
        return rows

    def search(self, text: str, limit: int = 10_000) -> list[Hit]:
        return find(self._rows_between(0, self.scrollbar().total), self._board.width, text, limit)

    def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str:
        rows = self._rows_between(start_row, end_row)
        return joined(rows, self._board.width, start_col, end_col)

    def close(self) -> None:
        self._screen.detach()
