"""The pane: a terminal on the screen, between two lines that say whose it is and where the keys go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from textual.geometry import Offset, Size

from komodo_tui.domain.text import clean
from komodo_tui.domain.units import count_text
from komodo_tui.ui.begun import begin
from komodo_tui.ui.terminal import outer
from komodo_tui.ui.terminal.core import CLIPBOARD_LIMIT
from komodo_tui.ui.terminal.pane_keys import PaneKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from textual import events
    from textual.strip import Strip

    from komodo_tui.ui.terminal.browse import Cell
    from komodo_tui.ui.terminal.terminal import Terminal

_PREVIEW = 24
"""Characters shown of what a program offers for the clipboard."""
_MANY = 0.7
"""Share of changed rows above which all are drawn."""


class TerminalPane(PaneKeys, can_focus=True):
    """Looks at one terminal at a time. Needs nothing but an :class:`~textual.app.App` around it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "TerminalPane { height: 1fr; width: 1fr; background: $background; color: $foreground; }"

    def __init__(
        self, terminal: Terminal | None = None, *, id: str | None = None,
        tabs: Callable[[], Sequence[Terminal]] | None = None, take_clipboard: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """``tabs`` gives the terminals that the upper edge names, ``now`` Unix time; ``take_clipboard`` lets programs
        write the clipboard."""
        super().__init__(terminal, tabs, now, id=id)
        self._take_clipboard = take_clipboard
        self._keeping = False
        """Stay in PANE mode when the focus comes."""
        self._measured = Size(0, 0)

    # -- what it looks at ---------------------------------------------------------------------------------------

    def show(self, terminal: Terminal | None) -> None:
        """Look at another terminal."""
        if self.terminal is not None and self.terminal is not terminal:
            self.terminal.detach(self)
        self.terminal = terminal
        self.clear_selection()
        self.modes.reset()
        self._begin_looking()

    def _begin_looking(self) -> None:
        terminal = self.terminal
        if terminal is None or not self.is_attached:
            return
        terminal.attach(self)
        self._measure()
        self.refresh()
        if self.has_focus:
            terminal.send_focus(True)

    def on_mount(self) -> None:
        """Begin to look."""
        self._begin_looking()
        self.mode_changed()
        self.set_interval(30, self._refresh_edges)  # the age

    def on_unmount(self) -> None:
        """Look no more."""
        if self.terminal is not None:
            self.terminal.detach(self)
        outer.take_keys(self.app, False)

    def on_show(self) -> None:
        """It is on screen again."""
        self._begin_looking()

    def on_hide(self) -> None:
        """It left the screen; the terminal goes on."""
        if self.terminal is not None:
            self.terminal.detach(self)

    def on_resize(self) -> None:
        """The program gets what the two lines leave."""
        self._measure()

    def _measure(self) -> None:
        width, height = self._measured = self.outer_size  # ``size`` asks for the region, which is not there yet
        if self.terminal is not None and width > 0 and height > 2:
            self.terminal.start(width, height - 2)

    def render_line(self, y: int) -> Strip:
        """One line. Also the first to know a size that Textual 8.2 never told: of a widget whose region was asked for
        before its first layout (``focus`` does)."""
        if y == 0 and self._measured != self.outer_size:
            self.call_later(self._measure)
        return super().render_line(y)

    # -- View: what a terminal tells ----------------------------------------------------------------------------

    def draw(self, rows: Iterable[int]) -> None:
        """Rows of the picture changed."""
        self.modes.frame_taken()
        changed = [y + 1 for y in rows if 0 <= y + 1 < self.size.height - 1]
        if len(changed) > self.size.height * _MANY:
            self.refresh()
        else:
            self._refresh_rows((*changed, self.size.height - 1))
        self._outside()
        self.draw_now()

    def announce(self) -> None:
        """State, title or notice changed."""
        self.refresh()
        self._outside()

    def ring(self) -> None:
        """The program rang the bell."""
        self.app.bell()

    def offer_clipboard(self, text: str) -> None:
        """The program wants this in the clipboard: at once where the user has allowed it, else by a key of theirs."""
        if self._take_clipboard and len(text) <= CLIPBOARD_LIMIT:
            self.copy(text, "what the program offered")
        elif self.terminal is not None and len(text) <= CLIPBOARD_LIMIT:
            self.terminal.offered = text
            said = f"{clean(text[:_PREVIEW])}{'…' if len(text) > _PREVIEW else ''}"
            self.terminal.say(f"^] c copies {count_text(len(text), 'character')} the program offers: {said}")

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def captures_keys(self) -> bool:
        """No binding of the app may see a key now."""
        return self.terminal is not None and self.modes.captures

    @property
    def takes_exact_keys(self) -> bool:
        """Every key goes to the program."""
        return self.terminal is not None and self.modes.mode == "TERMINAL"

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Every key is wanted, but in PANE mode, and where there is no terminal to take it."""
        return self.captures_keys

    def on_key(self, event: events.Key) -> None:
        """To the program, or to the pane itself."""
        if self.terminal is not None:
            self.terminal.attend()
        plain = getattr(event, "plain", ())
        if plain and not self.takes_exact_keys:  # the keys were the program's when it was typed, and are not any more
            event.stop()
            event.prevent_default()
            for key in plain:
                self.app.post_message(key)
        elif self.terminal is not None and self.modes.key(event):
            event.stop()
            event.prevent_default()
            self.draw_now()

    def on_paste(self, event: events.Paste) -> None:
        """Text from the clipboard."""
        event.stop()
        event.prevent_default()
        self.modes.paste(event.text)

    def watch_has_focus(self, value: bool) -> None:
        """The keys are the program's now, or somebody else's."""
        super().watch_has_focus(value)
        if value and self.modes.mode == "PANE" and not self._keeping:
            self.modes.reset()
        self._keeping = self._keeping and not value
        if self.terminal is not None:
            self.terminal.send_focus(value)
        self.mode_changed()

    # -- Pane: what the modes need ------------------------------------------------------------------------------

    def mode_changed(self) -> None:
        """Draw anew, and tell the driver who takes the keys."""
        if not self.is_attached:
            return
        self._refresh_for_mode()
        self.draw_now()  # before anything is written for the cursor: no frame is drawn while a write waits
        outer.take_keys(self.app, self.has_focus and self.captures_keys and self.modes.mode == "TERMINAL")
        self.refresh_bindings()
        self._outside()

    def copy_cells(self, first: Cell, last: Cell) -> None:
        """Copy what the mouse has selected."""
        if self.terminal is not None:
            self.run(self.modes.copy_cells(self.terminal, first, last))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it as a task of the pane."""
        begin(self, work, group="terminal")

    def copy(self, text: str, what: str) -> None:
        """Put it into the clipboard of the person's terminal."""
        copy = getattr(self.app, "copy", None)
        if copy is not None:
            copy(text, what)
        else:
            self.app.copy_to_clipboard(text)

    def _outside(self) -> None:
        """Put the terminal's own cursor where the program's is."""
        terminal = self.terminal
        if not self.has_focus or terminal is None:
            return
        cursor = terminal.picture.cursor
        self.app.cursor_position = self.content_region.offset + Offset(cursor.x, cursor.y + 1)
        outer.show_cursor(self.app, cursor if self._own_cursor_shown() else None)
