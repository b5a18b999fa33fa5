"""The mouse in a pane: to the program if it tracks it, else through the history; with shift held, to select text."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from textual import events
from textual.widget import Widget

from komodo_tui.ui.terminal.core import ALTERNATE_SCROLL, MOUSE_TRACKING, KeyInput, Mods, MouseAction, MouseInput

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from komodo_tui.ui.terminal.browse import Cell
    from komodo_tui.ui.terminal.terminal import Terminal

WHEEL_ROWS = 3
"""Rows of one step of the wheel."""

_WHEEL: dict[type[events.MouseEvent], int] = {
    events.MouseScrollUp: 4, events.MouseScrollDown: 5, events.MouseScrollLeft: 6, events.MouseScrollRight: 7,
}  # fmt: skip


class Mouse:
    """What the mouse did so far."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._run = run
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

    def clear(self) -> None:
        """Forget the selection."""
        self._from = self._to = None

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

    def release(self, event: events.MouseUp, terminal: Terminal, x: int, y: int) -> tuple[Cell, Cell] | None:
        """A button went up; returns what has been selected by it."""
        if self._from is not None:
            selected = self.selection
            if selected is None:
                self._from = None
            return selected
        if self._pressed:
            self._send("release", event, terminal, x, y)
            self._pressed = 0
        return None

    def _send(self, action: MouseAction, event: events.MouseEvent, terminal: Terminal, x: int, y: int) -> None:
        button = self._pressed if action == "move" else event.button
        terminal.send_mouse(MouseInput(action, button, x, y, _mods(event), bool(self._pressed)))


def _mods(event: events.MouseEvent) -> int:
    return int((Mods.SHIFT if event.shift else 0) | (Mods.ALT if event.meta else 0) | (Mods.CTRL if event.ctrl else 0))


async def _scroll(terminal: Terminal, rows: int) -> None:
    await terminal.scroll(rows)


class MousePane(Widget):
    """The mouse handlers of a pane: a line above and one below frame the terminal's cells."""

    def __init__(self, terminal: Terminal | None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.terminal = terminal
        self._mouse = Mouse(self.run)

    @abstractmethod
    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it as a task of the pane."""

    @abstractmethod
    def copy_cells(self, first: Cell, last: Cell) -> None:
        """Copy the text between two cells."""

    @property
    def selection(self) -> tuple[Cell, Cell] | None:
        """First and last cell selected by dragging."""
        return self._mouse.selection

    def clear_selection(self) -> None:
        """Forget what was selected by dragging."""
        self._mouse.clear()

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        width, height = self.size
        return min(max(0, int(event.x)), width - 1), min(max(0, int(event.y) - 1), max(0, height - 3))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        self._wheel(event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        self._wheel(event)

    def _wheel(self, event: events.MouseEvent) -> None:
        event.stop()
        event.prevent_default()
        if self.terminal is not None:
            self._mouse.wheel(event, self.terminal, *self._cell(event))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press: the pane takes the focus, the program or the selection the press."""
        event.stop()
        if self.terminal is not None and self._mouse.press(event, self.terminal, *self._cell(event)):
            self.capture_mouse()
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """A move."""
        if self.terminal is not None and self._mouse.move(event, self.terminal, *self._cell(event)):
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """A release; what was selected is copied."""
        self.release_mouse()
        if self.terminal is not None:
            selected = self._mouse.release(event, self.terminal, *self._cell(event))
            if selected is not None:
                self.copy_cells(*selected)
