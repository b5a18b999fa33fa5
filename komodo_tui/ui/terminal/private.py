"""The places where the pane reaches into Textual's private parts, for Textual 8.2.8. Each has a test that breaks when
they move.

* Its key table loses or changes keys that shells need (alt+b, alt+., ctrl+h, shift+F3, ...): a parser that, while a
  pane takes the keys, names every key itself.
* It waits 100 ms for what may follow an Escape, and polls at the same pace: an input loop that waits 20 ms.
* It presses the keys that escape sequences inside a paste look like: the parser takes pastes out before.
* It hides the terminal's own cursor for good: a driver that can show it, in the program's shape.
* It draws on standard error, wherever that leads: a driver that takes standard output where it is the terminal.
* It draws at a tick of its own, up to a sixtieth of a second after it was asked to: a call that draws at once.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Literal

from textual import constants, events
from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys

from komodo_tui.ui.terminal.core import KeyInput, Mods
from komodo_tui.ui.terminal.keys import NOTHING, from_sequence, from_textual

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from textual.app import App
    from textual.driver import Driver
    from textual.message import Message
    from textual.widget import Widget

ESCAPE_DELAY = 0.02
"""Seconds that a lone Escape is held back, since the start of a key's sequence looks the same."""
PASTE_LIMIT = 16 << 20
"""Characters after which a paste that does not end is taken as it is."""
_POLL = 0.1
_NO_KEY = len("\x1b[2")
"""Less of a paste's marker is a key pressed: alt+[ or Escape."""
_CONTINUES = "[O"
"""What may come after an Escape in another read: sequences of several characters may be cut anywhere."""
_READ_SIZE = 4096
_SHAPES = {"block": 2, "underline": 4, "bar": 6}
_SHOW, _HIDE, _DEFAULT_SHAPE = "\x1b[?25h", "\x1b[?25l", "\x1b[0 q"


class PaneKey(events.Key):
    """A key press for the pane, told exactly. Its Textual name matches no binding."""

    def __init__(self, pane: KeyInput, plain: Sequence[events.Key] = ()) -> None:
        """``plain`` is what Textual makes of it: for who has the keys when it arrives, if that is no program."""
        super().__init__(f"terminal-{pane.key}-{pane.mods}", None)
        self.pane = pane
        self.plain = tuple(plain)

    def copy(self) -> PaneKey:
        return PaneKey(self.pane, self.plain)


PaneKey.handler_name = events.Key.handler_name


class KeyMode:
    """Whether a pane takes the keys now. Written by the loop, read by the input thread."""

    def __init__(self) -> None:
        self.active = False


class PaneParser(XTermParser):
    """Textual's input parser with the keys named by us while a pane takes them."""

    def __init__(self, mode: KeyMode, debug: bool = False) -> None:
        self._mode = mode
        self._held = ""
        self._held_until = 0.0
        self._escape_waits = False
        """A lone Escape was the last that was read."""
        self._pasting = False
        self._pasted: list[str] = []
        self._pasted_size = 0
        super().__init__(debug)

    @property
    def waiting(self) -> bool:
        """An unfinished sequence, or an Escape, has been read."""
        return self._timeout_time is not None or bool(self._held)

    def feed(self, data: str) -> Iterable[Message]:
        """Parse input. Pasted text is taken out first: Textual would also press the keys that escape sequences in it
        look like."""
        if not data:  # the end of the input
            yield from super().feed(data)
            return
        data, self._held = self._held + data, ""
        while data:
            if self._pasting:
                data = self._take_paste(data)
                if not self._pasting:
                    yield events.Paste("".join(self._pasted).replace("\x00", ""))
                    self._pasted.clear()
                continue
            typed, start, data = data.partition(BRACKETED_PASTE_START)
            if start:
                self._pasting, self._pasted_size = True, 0
            else:
                typed = self._hold(typed, BRACKETED_PASTE_START, _NO_KEY)
            yield from self._keys(typed)

    def _take_paste(self, data: str) -> str:
        """Collect pasted text; returns what comes after its end."""
        text, end, rest = data.partition(BRACKETED_PASTE_END)
        if not end:
            text = self._hold(text, BRACKETED_PASTE_END, 1)
        self._pasted.append(text)
        self._pasted_size += len(text)
        self._pasting = not end and self._pasted_size < PASTE_LIMIT
        return rest

    def _hold(self, data: str, marker: str, least: int) -> str:
        """The input without an unfinished marker (of at least so many characters) at its end, which waits."""
        for size in range(len(marker) - 1, least - 1, -1):
            if data.endswith(marker[:size]):
                self._held, self._held_until = marker[:size], get_time() + ESCAPE_DELAY
                return data[:-size]
        return data

    def _keys(self, data: str) -> Iterable[Message]:
        escape_waits = self._escape_waits and self._timeout_time is not None
        if data and escape_waits and self._mode.active and data[0] not in _CONTINUES:
            # A key with Alt comes in one piece. This is an Escape and then a key, which vim tells apart as well.
            self._timeout_time = 0.0
            yield from map(self._corrected, super().tick())
        for message in super().feed(data) if data else ():
            yield self._corrected(message)
        self._escape_waits = data.endswith("\x1b")
        if self._timeout_time is not None and "ESCDELAY" not in os.environ:
            self._timeout_time = min(self._timeout_time, get_time() + ESCAPE_DELAY)

    def tick(self) -> Iterable[Message]:
        """What has waited long enough."""
        if self._held and not self._pasting and get_time() >= self._held_until:
            held, self._held = self._held, ""
            yield from self._keys(held)
        yield from map(self._corrected, super().tick())

    def _corrected(self, message: Message) -> Message:
        """``CSI 1;2R`` is shift+F3; Textual takes it for a cursor report, which a full-screen app never asks for.
        And keys that it names before we are asked, as a lone Escape, are told as all others."""
        if not self._mode.active:
            return message
        if isinstance(message, events.CursorPosition) and message.y == 0:
            return PaneKey(KeyInput("f3", Mods(message.x & 7)))
        if isinstance(message, events.Key) and not isinstance(message, PaneKey):
            key = from_textual(message.key, message.character)
            return PaneKey(key, (message,)) if key is not None else message
        return message

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if not self._mode.active:
            yield from super()._sequence_to_key_events(sequence, alt)
            return
        key = from_sequence(sequence, alt)
        if key == NOTHING:
            yield events.Key(Keys.Ignore, sequence)
        elif key is not None:
            plain: list[events.Key] = []
            with contextlib.suppress(ValueError):  # Textual stumbles over keys that have several names
                plain += super()._sequence_to_key_events(sequence, alt)
            yield PaneKey(key, plain)


class PaneDriver(LinuxDriver):
    """Textual's driver with :class:`PaneParser`, a short wait after Escape, and a visible cursor on demand."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if not is_terminal(sys.__stderr__) and is_terminal(sys.__stdout__):
            self._file = sys.__stdout__  # Textual draws on standard error, and that leads elsewhere
        self.key_mode = KeyMode()
        self._cursor: tuple[str, bool] | None = None
        self._lent = False

    def suspend_application_mode(self) -> None:
        """Give the terminal to another program; the event loop may go on meanwhile."""
        super().suspend_application_mode()
        self._lent = True

    def resume_application_mode(self) -> None:
        """Have it back; the app then draws all of it anew."""
        self._lent = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        """Write, with a shown cursor hidden meanwhile: drawing moves it about. What is lent is left alone."""
        if self._lent:
            return
        super().write(f"{_HIDE}{data}{_SHOW}" if self._cursor is not None and data else data)

    def show_cursor(self, shape: Literal["block", "bar", "underline"] | None, blink: bool = False) -> None:
        """Show the terminal's own cursor in this shape where Textual leaves it; None hides it."""
        cursor = None if shape is None else (shape, blink)
        if cursor == self._cursor or self._writer_thread is None:
            return
        self._cursor = cursor
        if shape is None:
            super().write(_HIDE + _DEFAULT_SHAPE)
        else:
            super().write(f"\x1b[{_SHAPES[shape] - (1 if blink else 0)} q" + _SHOW)

    def stop_application_mode(self) -> None:
        """Leave the terminal with its own cursor shape."""
        self.show_cursor(None)
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read keys and pass them on until the driver stops."""
        parser = PaneParser(self.key_mode, self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        selector = selectors.DefaultSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        try:
            while not self.exit_event.is_set():
                if selector.select(ESCAPE_DELAY if parser.waiting else _POLL):
                    data = os.read(self.fileno, _READ_SIZE)
                    if not data:  # the terminal is gone; its end would be readable for ever
                        self.exit_event.wait()
                        break
                    if text := decode(data):
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        finally:
            selector.close()
            with contextlib.suppress(EOFError, ParseError):
                list(parser.feed(""))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether it is there, open, and leads to a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def paint(widget: Widget) -> None:
    """Draw now what the widget has asked to be drawn anew. Not to be called more often than can be seen."""
    screen = widget.screen
    if screen._layout_required or not screen.is_current:  # the tick lays out what moved, and draws it then
        return
    if widget._repaint_regions and widget in screen._compositor.visible_widgets:
        screen._dirty_widgets.add(widget)
        screen._on_timer_update()


def pane_driver_class(default: type[Driver]) -> type[Driver]:
    """The driver to run with in place of Textual's choice; that choice where it is not the usual one."""
    return PaneDriver if default is LinuxDriver and not constants.DRIVER else default
