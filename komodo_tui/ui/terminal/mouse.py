"""The mouse in a pane: to the program if it tracks it, else through the history; with shift held, to select text."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual import events

from komodo_tui.ui.terminal.browse import Cell
from komodo_tui.ui.terminal.core import ALTERNATE_SCROLL, MOUSE_TRACKING, KeyInput, Mods, MouseAction, MouseInput
from komodo_tui.ui.terminal.terminal import Terminal

WHEEL_ROWS = 3
"""Rows of one step of the wheel."""

_WHEEL: dict[type[events.MouseEvent], int] = {
    events.MouseScrollUp: 4, events.MouseScrollDown: 5, events.MouseScrollLeft: 6, events.MouseScrollRight: 7,
}  # fmt: skip


class Mouse:
    """What the mouse did so far."""

    def __init__(
        self,
        run: Callable[[Coroutine[Any, Any, None]], None],
        copy: Callable[[Terminal, Cell, Cell], Coroutine[Any, Any, None]],
    ) -> None:
        self._run = run
        self._copy = copy
        self._pressed = 0
        self._from: Cell | None = None
        self._to: Cell | None = None

    @property
    def selection(self) -> tuple[Cell, Cell] | None:
        """First and last cell selected by dragging."""
        if self._from is None or self._to is None:
            return None
        first, last = sorted((self._from, self._to))
        return first, last

    def clear(self) -> bool:
        """Forget the selection; True if there was one."""
        had = self.selection is not None
        self._from = self._to = None
        return had

    def wheel(self, event: events.MouseEvent, terminal: Terminal, x: int, y: int) -> None:
        """A step of the wheel at a cell."""
        frame = terminal.frame
        button = _WHEEL[type(event)]
        if frame is not None and frame.modes & MOUSE_TRACKING and not event.shift:
            terminal.send_mouse(MouseInput("press", button, x, y, _mods(event)))
        elif button > _WHEEL[events.MouseScrollDown]:
            return
        elif frame is not None and frame.alternate:
            if ALTERNATE_SCROLL in frame.modes:
                for _ in range(WHEEL_ROWS):
                    terminal.send_key(KeyInput("up" if button == _WHEEL[events.MouseScrollUp] else "down"))
        else:
            rows = -WHEEL_ROWS if button == _WHEEL[events.MouseScrollUp] else WHEEL_ROWS
            self._run(_scroll(terminal, rows))

    def press(self, event: events.MouseDown, terminal: Terminal, x: int, y: int) -> bool:
        """A button went down; True if what follows is ours (capture the mouse)."""
        self.clear()
        frame = terminal.frame
        if frame is None or terminal.state != "running":
            return False
        tracked = bool(frame.modes & MOUSE_TRACKING)
        if event.button == 1 and (event.shift or not tracked):
            self._from = (frame.scrollbar.offset + y, x)
            return True
        if tracked:
            self._pressed = event.button
            self._send("press", event, terminal, x, y)
        return tracked

    def move(self, event: events.MouseMove, terminal: Terminal, x: int, y: int) -> bool:
        """It moved; True if the selection changed."""
        frame = terminal.frame
        if frame is None:
            return False
        if self._from is not None:
            self._to = (frame.scrollbar.offset + y, x)
            return True
        if frame.modes & MOUSE_TRACKING:
            self._send("move", event, terminal, x, y)
        return False

    def release(self, event: events.MouseUp, terminal: Terminal, x: int, y: int) -> None:
        """A button went up: a selection is copied."""
        if self._from is not None:
            if (selected := self.selection) is not None:
                self._run(self._copy(terminal, *selected))
            self._from = self._from if selected is not None else None
            return
        if self._pressed:
            self._send("release", event, terminal, x, y)
            self._pressed = 0

    def _send(self, action: MouseAction, event: events.MouseEvent, terminal: Terminal, x: int, y: int) -> None:
        button = self._pressed if action == "move" else event.button
        terminal.send_mouse(MouseInput(action, button, x, y, _mods(event), bool(self._pressed)))


def _mods(event: events.MouseEvent) -> int:
    return int(
        (Mods.SHIFT if event.shift else 0) | (Mods.ALT if event.meta else 0) | (Mods.CTRL if event.ctrl else 0)
    )


async def _scroll(terminal: Terminal, rows: int) -> None:
    await terminal.scroll(rows)
