"""What the native core calls back for: answers to the program, bells, titles, the clipboard, its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal.core import CLIPBOARD_LIMIT
from komodo_tui.ui.terminal.ghostty_abi import check, ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable

CELL_WIDTH, CELL_HEIGHT = 8, 16
"""Pixels of a cell, for programs that ask."""


def set_option(terminal: Any, option: str, value: Any) -> None:
    """Set one of ``GHOSTTY_TERMINAL_OPT_*``."""
    check(lib.ghostty_terminal_set(terminal, getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}"), value), f"set {option}")


class Calls:
    """Runs inside of feed and resize, and only takes notes there: the terminal must not be entered again."""

    def __init__(self, terminal: Any, size: Callable[[], tuple[int, int]]) -> None:
        self._size = size
        self._replies: list[bytes] = []
        self._held: list[Any] = []
        self._bells = 0
        self._title_changed = False
        self._clipboard: str | None = None
        for option, signature, call in (
            ("WRITE_PTY", "GhosttyTerminalWritePtyFn", self._on_reply),
            ("BELL", "GhosttyTerminalBellFn", self._on_bell),
            ("TITLE_CHANGED", "GhosttyTerminalTitleChangedFn", self._on_title),
            ("CLIPBOARD_WRITE", "GhosttyTerminalClipboardWriteFn", self._on_clipboard),
            ("SIZE", "GhosttyTerminalSizeFn", self._on_size),
        ):
            callback = ffi.callback(signature, call)
            self._held.append(callback)  # native code holds only the address
            set_option(terminal, option, callback)

    def replies(self) -> bytes:
        """What to answer the program, once."""
        if not self._replies:
            return b""
        replies, self._replies = b"".join(self._replies), []
        return replies

    def bells(self) -> int:
        """How often the bell rang, once."""
        bells, self._bells = self._bells, 0
        return bells

    def title_changed(self) -> bool:
        """Whether there is another title, once."""
        changed, self._title_changed = self._title_changed, False
        return changed

    def clipboard(self) -> str | None:
        """What the program wants in the clipboard, once."""
        text, self._clipboard = self._clipboard, None
        return text

    def free(self) -> None:
        """Let go of the callbacks, once the terminal is freed."""
        self._held.clear()

    def _on_reply(self, _terminal: Any, _data: Any, text: Any, length: int) -> None:
        self._replies.append(ffi.buffer(text, length)[:])

    def _on_bell(self, _terminal: Any, _data: Any) -> None:
        self._bells += 1

    def _on_title(self, _terminal: Any, _data: Any) -> None:
        self._title_changed = True

    def _on_size(self, _terminal: Any, _data: Any, out: Any) -> bool:
        out.columns, out.rows = self._size()
        out.cell_width, out.cell_height = CELL_WIDTH, CELL_HEIGHT
        return True

    def _on_clipboard(self, _terminal: Any, _data: Any, write: Any) -> None:
        for index in range(write.contents_len):
            data = write.contents[index].data
            text = bytes(ffi.buffer(data.ptr, data.len)).decode("utf-8", "replace") if data.len else ""
            if len(text) <= CLIPBOARD_LIMIT:
                self._clipboard = text
                return
