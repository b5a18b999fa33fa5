"""Making a core: the native one where it loads, else the pure Python one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from komodo_tui.ui.terminal.core import Core, Frame, Hit, KeyInput, MouseInput, Options, Scrollbar

CoreName = Literal["ghostty", "bittty"]


def best_core() -> CoreName:
    """The best core that loads here (no wheel on musl; a library may refuse an old C library)."""
    try:
        from komodo_tui.ui.terminal import ghostty
    except (ImportError, OSError, RuntimeError):  # GhosttyError, a layout it does not know, is a RuntimeError
        return "bittty"
    return "ghostty" if ghostty.usable() else "bittty"


def make_core(name: CoreName, cols: int, rows: int, options: Options, *, guarded: bool = True) -> Core:
    """A new core. ``guarded`` False lets through what is known to kill the native one; tests use it."""
    if name == "bittty":
        from komodo_tui.ui.terminal.bittty_core import BitttyCore

        return BitttyCore(cols, rows, options)
    from komodo_tui.ui.terminal.ghostty import GhosttyCore

    return GhosttyCore(cols, rows, options, guarded=guarded)


class LocalCore:
    """A core in this process behind the awaited interface (:class:`~komodo_tui.ui.terminal.core.PaneCore`)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def feed(self, data: bytes) -> bytes:
        size = self._core.feed_slice
        replies = []
        for start in range(0, len(data), size):
            replies.append(self._core.feed(data[start : start + size]))
            await asyncio.sleep(0)
        return b"".join(replies)

    async def resize(self, cols: int, rows: int) -> bytes:
        return self._core.resize(cols, rows)

    async def take_frame(self, force: bool = False) -> Frame:
        return self._core.take_frame(force)

    async def encode_key(self, key: KeyInput) -> bytes:
        return self._core.encode_key(key)

    async def encode_mouse(self, mouse: MouseInput) -> bytes:
        return self._core.encode_mouse(mouse)

    async def encode_paste(self, text: str) -> bytes:
        return self._core.encode_paste(text)

    async def encode_focus(self, focused: bool) -> bytes:
        return self._core.encode_focus(focused)

    async def scroll(self, delta: int) -> Scrollbar:
        return self._core.scroll(delta)

    async def scroll_to(self, row: int) -> Scrollbar:
        return self._core.scroll_to(row)

    async def scroll_bottom(self) -> Scrollbar:
        return self._core.scroll_bottom()

    async def scrollbar(self) -> Scrollbar:
        return self._core.scrollbar()

    async def search(self, text: str, limit: int = 10_000) -> list[Hit]:
        return self._core.search(text, limit)

    async def text(self, start_row: int, start_col: int, end_row: int, end_col: int) -> str:
        return self._core.text(start_row, start_col, end_row, end_col)

    async def close(self) -> None:
        self._core.close()

    def take_notice(self) -> str:
        return ""
