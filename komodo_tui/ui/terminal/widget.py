"""The pane: a terminal on the screen, between two lines that say whose it is and where the keys go."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, ClassVar

from rich.style import Style
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.ui.look import look_of
from komodo_tui.ui.terminal import chrome
from komodo_tui.ui.terminal.browse import columns_in
from komodo_tui.ui.terminal.core import CLIPBOARD_LIMIT, KeyInput, Mods
from komodo_tui.ui.terminal.modes import Modes
from komodo_tui.ui.terminal.mouse import Mouse
from komodo_tui.ui.terminal.picture import StyleTable, overlaid
from komodo_tui.ui.terminal.private import PaneDriver
from komodo_tui.ui.terminal.terminal import Terminal

_MANY = 0.7
"""Share of changed rows above which all are drawn."""


class TerminalPane(Widget, can_focus=True):
    """Looks at one terminal at a time. Needs nothing but an :class:`~textual.app.App` around it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "TerminalPane { height: 1fr; width: 1fr; background: $background; color: $foreground; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,enter", "back_in", "back in", key_display="i", id="terminal.in"),
        Binding("ctrl+right_square_bracket", "send_prefix", "send ^]", key_display="^]", show=False, id="terminal.send"),
        Binding("v,pageup", "scrollback", "scrollback", key_display="v", id="terminal.scrollback"),
        Binding("slash", "search", "search", key_display="/", id="terminal.search"),
        Binding("left_square_bracket", "other(-1)", "other", key_display="[ ]", id="terminal.previous"),
        Binding("right_square_bracket", "other(1)", "next terminal", show=False, id="terminal.next"),
        Binding("z", "zoom", "zoom", id="terminal.zoom"),
        Binding("x", "close", "close", id="terminal.close"),
        Binding("escape", "leave", "leave", key_display="Esc", id="terminal.leave"),
    ]

    class Wants(Message):
        """The person wants something that is for what holds the pane: ``leave zoom close previous next``."""

        def __init__(self, pane: TerminalPane, what: str) -> None:
            super().__init__()
            self.pane = pane
            self.what = what

        @property
        def control(self) -> TerminalPane:
            """The pane."""
            return self.pane

    def __init__(
        self, terminal: Terminal | None = None, *, id: str | None = None,
        tabs: Callable[[], Sequence[Terminal]] | None = None, take_clipboard: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """``tabs`` gives the terminals named in the upper edge; ``take_clipboard`` lets programs write the clipboard."""
        super().__init__(id=id)
        self.terminal: Terminal | None = terminal
        self._tabs = tabs
        self._take_clipboard = take_clipboard
        self._now = now
        self.modes = Modes(self)
        self._mouse = Mouse(self.run, self.modes.copy_cells)
        self._table: StyleTable | None = None
        self._table_key: tuple[object, ...] = ()

    # -- what it looks at ---------------------------------------------------------------------------------------

    def show(self, terminal: Terminal | None) -> None:
        """Look at another terminal."""
        if self.terminal is not None and self.terminal is not terminal:
            self.terminal.detach(self)
        self.terminal = terminal
        self._mouse.clear()
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
        self._tell_driver(False)

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
        width, height = self.size
        if self.terminal is not None and width > 0 and height > 2:
            self.terminal.start(width, height - 2)

    # -- View: what a terminal tells ----------------------------------------------------------------------------

    def draw(self, rows: Iterable[int]) -> None:
        """Rows of the picture changed."""
        self.modes.frame_taken()
        changed = [y + 1 for y in rows if 0 <= y + 1 < self.size.height - 1]
        if len(changed) > self.size.height * _MANY:
            self.refresh()
        else:
            for y in changed:
                self.refresh(Region(0, y, self.size.width, 1))
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))
        self._place_cursor()

    def announce(self) -> None:
        """State, title or notice changed."""
        self.refresh()
        self._place_cursor()

    def ring(self) -> None:
        """The program rang the bell."""
        self.app.bell()

    def offer_clipboard(self, text: str) -> None:
        """The program wants this in the clipboard: only where the user has allowed it."""
        if self._take_clipboard and len(text) <= CLIPBOARD_LIMIT:
            self.copy(text, "what the program offered")
        elif self.terminal is not None:
            self.terminal.say("the program wanted to write the clipboard; the settings do not allow it")

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def captures_keys(self) -> bool:
        """No binding of the app may see a key now."""
        return self.modes.captures

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Every key is wanted, but in PANE mode."""
        return self.modes.captures

    def on_key(self, event: events.Key) -> None:
        """To the program, or to the pane itself."""
        if self.modes.key(event):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Text from the clipboard."""
        event.stop()
        event.prevent_default()
        self.modes.paste(event.text)

    def watch_has_focus(self, value: bool) -> None:
        """The keys are the program's now, or somebody else's."""
        super().watch_has_focus(value)
        if value and self.modes.mode == "PANE":
            self.modes.reset()
        if self.terminal is not None:
            self.terminal.send_focus(value)
        self.mode_changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The pane's own keys work in PANE mode."""
        return self.modes.mode == "PANE"

    def action_back_in(self) -> None:
        """Give the keys to the program again."""
        self.modes.reset()

    def action_send_prefix(self) -> None:
        """``^]`` itself."""
        self.modes.reset()
        if self.terminal is not None:
            self.terminal.send_key(KeyInput("]", Mods.CTRL))

    def action_scrollback(self) -> None:
        """Go through the history."""
        self.modes.enter_scrollback()

    def action_search(self) -> None:
        """Search the history."""
        self.modes.enter_search()

    def action_other(self, direction: int) -> None:
        """The terminal before or after this one."""
        self.post_message(self.Wants(self, "next" if direction > 0 else "previous"))

    def action_zoom(self) -> None:
        """All the room for the pane, or back."""
        self.post_message(self.Wants(self, "zoom"))
        self.modes.reset()

    def action_leave(self) -> None:
        """To the list; the program goes on."""
        self.post_message(self.Wants(self, "leave"))

    def action_close(self) -> None:
        """End the program, once that is sure."""
        terminal = self.terminal
        if terminal is not None and terminal.state in ("running", "opening"):
            self.modes.ask(f"close {terminal.name} and end what runs in it? y closes, n keeps", self.closing)
        else:
            self.closing()

    def closing(self) -> None:
        """The terminal shall be closed."""
        self.post_message(self.Wants(self, "close"))

    # -- Pane: what the modes need ------------------------------------------------------------------------------

    def mode_changed(self) -> None:
        """Draw anew, and tell the driver who takes the keys."""
        if not self.is_attached:
            return
        self._tell_driver(self.has_focus and self.modes.mode == "TERMINAL")
        self.refresh()
        self.refresh_bindings()
        self._place_cursor()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it as a task of the pane, in the order of calls."""
        self.run_worker(work, group="terminal", exit_on_error=True)

    def copy(self, text: str, what: str) -> None:
        """Put it into the clipboard of the person's terminal."""
        copy = getattr(self.app, "copy", None)
        if copy is not None:
            copy(text, what)
        else:
            self.app.copy_to_clipboard(text)

    def _tell_driver(self, active: bool) -> None:
        driver = self.app._driver
        if isinstance(driver, PaneDriver):
            driver.key_mode.active = active
            if not active:
                driver.show_cursor(None)

    def _place_cursor(self) -> None:
        """Put the terminal's own cursor where the program's is, where the driver can."""
        terminal = self.terminal
        driver = self.app._driver
        if not self.has_focus or terminal is None:
            return
        cursor = terminal.picture.cursor
        place = self.content_region.offset + Offset(cursor.x, cursor.y + 1)
        self.app.cursor_position = place
        if isinstance(driver, PaneDriver):
            driver.show_cursor(cursor.shape if self._own_cursor_shown() else None, cursor.blink)

    def _own_cursor_shown(self) -> bool:
        terminal = self.terminal
        if terminal is None or self.modes.mode != "TERMINAL" or not self.has_focus or terminal.state != "running":
            return False
        return terminal.picture.cursor.visible and terminal.picture.cursor.y < self.size.height - 2

    # -- mouse --------------------------------------------------------------------------------------------------

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        width, height = self.size
        return min(max(0, int(event.x)), width - 1), min(max(0, int(event.y) - 1), max(0, height - 3))

    def _on_wheel(self, event: events.MouseEvent) -> None:
        event.stop()
        event.prevent_default()
        if self.terminal is not None:
            self._mouse.wheel(event, self.terminal, *self._cell(event))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        self._on_wheel(event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        self._on_wheel(event)

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
        """A release."""
        self.release_mouse()
        if self.terminal is not None:
            self._mouse.release(event, self.terminal, *self._cell(event))

    # -- drawing ------------------------------------------------------------------------------------------------

    def _refresh_edges(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1), Region(0, self.size.height - 1, self.size.width, 1))

    def _styles_now(self) -> StyleTable:
        app: App[Any] = self.app
        base = self.rich_style
        key = (base, app.ansi_theme, app.native_ansi_color) if hasattr(app, "native_ansi_color") else (base, app.ansi_theme)
        if self._table is None or key != self._table_key:
            own = not bool(getattr(app.current_theme, "ansi", False))
            self._table, self._table_key = StyleTable(app.ansi_theme, base, own_palette=own), key
        return self._table

    def render_line(self, y: int) -> Strip:
        """One line: an edge, or a row of the picture with what lies over it."""
        width, height = self.size
        if y == 0:
            return self._top(width)
        if y == height - 1:
            return chrome.bottom_line(self._status(), self.has_focus, width, look_of(self))
        terminal = self.terminal
        base = self.rich_style
        if terminal is None:
            return Strip.blank(width, base)
        terminal.picture.restyle(self._styles_now())
        row = y - 1
        strip = terminal.picture.strip(row, width)
        spans = self._overlays(terminal, row)
        return overlaid(strip, spans) if spans else strip

    def _overlays(self, terminal: Terminal, row: int) -> list[tuple[int, int, Style]]:
        style = look_of(self).palette.style
        spans: list[tuple[int, int, Style]] = []
        bar = terminal.frame.scrollbar if terminal.frame is not None else None
        top = bar.offset if bar is not None else 0
        browse = self.modes.browse
        if browse is not None:
            if (selected := browse.selection_in(top + row)) is not None:
                spans.append((*selected, style("cursor")))
            for start, end, current in browse.hits_in(top + row):
                spans.append((start, end, style("warn bold reverse" if current else "warn reverse")))
            if top + row == browse.row:
                spans.append((browse.col, browse.col + 1, Style(reverse=True)))
            return spans
        if (dragged := columns_in(self._mouse.selection, top + row, terminal.picture.cols)) is not None:
            spans.append((*dragged, style("cursor")))
        cursor = terminal.picture.cursor
        if cursor.visible and cursor.y == row and terminal.state == "running" and not self._hardware_cursor():
            shape = Style(underline=True) if cursor.shape == "underline" or not self.has_focus else Style(reverse=True)
            spans.append((cursor.x, cursor.x + 1, shape))
        return spans

    def _hardware_cursor(self) -> bool:
        return isinstance(self.app._driver, PaneDriver) and self._own_cursor_shown()

    def _top(self, width: int) -> Strip:
        look = look_of(self)
        signs = {
            "running": (look.glyphs.ok, "ok"), "ended": (look.glyphs.stopped, "dim"), "failed": (look.glyphs.fail, "bad"),
            "new": (look.glyphs.busy, "busy"), "opening": (look.glyphs.busy, "busy"),
        }  # fmt: skip
        tabs = []
        for number, terminal in enumerate(self._tabs() if self._tabs else [self.terminal] if self.terminal else [], 1):
            sign, tone = signs[terminal.state]
            if terminal.unseen and terminal is not self.terminal:
                sign, tone = look.glyphs.mark, "warn"
            name = terminal.name + (f" {terminal.program_title}" if terminal.program_title else "")
            tabs.append(chrome.Tab(f"{number} {name}", terminal is self.terminal, sign, tone))
        return chrome.top_line(tabs, self.modes.mode, self.has_focus, width, look)

    def _status(self) -> chrome.Line:
        terminal = self.terminal
        if terminal is None:
            return chrome.Line("no terminal is open")
        modes = self.modes
        if modes.question is not None:
            return chrome.Line(modes.question.text, tone="warn bold")
        if modes.mode == "SEARCH":
            return chrome.Line(f"/{modes.query}_", tone="foreground")
        bar = terminal.frame.scrollbar if terminal.frame is not None else None
        right = f"scrollback {bar.below}" if bar is not None else ""
        if modes.browse is not None and modes.browse.hits:
            right = f"{modes.browse.hit + 1} of {len(modes.browse.hits)}  {right}"
        if terminal.state == "failed" and terminal.error is not None:
            hint = f" ({terminal.error.hint})" if terminal.error.hint else ""
            return chrome.Line(f"{terminal.error.message}{hint}. Enter closes, r tries again", right, "bad")
        if terminal.state == "ended" and terminal.end is not None:
            return chrome.Line(_ended(terminal.end.code, terminal.end.reason), right, "warn")
        if terminal.notice:
            return chrome.Line(terminal.notice, right, "warn")
        if terminal.state != "running":
            return chrome.Line(f"opening {terminal.name} …", right, "busy")
        cols, rows = terminal.size
        return chrome.Line(f"{cols}x{rows} · open {chrome.age(self._now() - terminal.opened)}", right)


def _ended(code: int | None, reason: str) -> str:
    what = "ended" if code is None else f"ended with status {code}"
    return f"{what}{f': {reason}' if reason else ''}. Enter closes, r opens it again"
