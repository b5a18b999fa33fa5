"""A pane over all open terminals, and the drawer that holds one under any page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.message import Message
from textual.widget import Widget

from komodo_tui.domain.errors import KomodoError
from komodo_tui.ui.begun import begin
from komodo_tui.ui.terminal.manager import TerminalManager, manager_of
from komodo_tui.ui.terminal.widget import TerminalPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import App, ComposeResult

    from komodo_tui.ui.terminal.terminal import Terminal

SIDE_BY_SIDE = 160
"""Columns from which two terminals fit side by side."""


class Deck(Widget):
    """Shows the manager's current terminal, and another beside it where that is wanted and there is room.

    Handles all a pane wants, but zoom and leaving.
    """

    DEFAULT_CSS = """
    Deck { height: 1fr; width: 1fr; layout: horizontal; }
    Deck > #beside { display: none; margin: 0 0 0 1; }
    Deck.-two > #beside { display: block; }
    """

    class Emptied(Message):
        """The last terminal was closed."""

    def __init__(
        self, manager: TerminalManager, *, take_clipboard: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._manager = manager

        def pane(id: str) -> TerminalPane:
            return TerminalPane(tabs=lambda: manager.terminals, take_clipboard=take_clipboard, now=now, id=id)

        self._panes = (pane("first"), pane("beside"))
        self.pane = self._panes[0]
        """The one that shows the current terminal."""
        self._two_wanted = False

    def compose(self) -> ComposeResult:
        """The panes."""
        yield from self._panes

    def on_mount(self) -> None:
        """Follow the manager."""
        self._manager.listen(self.follow)
        self.follow()

    def on_unmount(self) -> None:
        """Follow no more."""
        self._manager.unlisten(self.follow)

    def on_resize(self) -> None:
        """There may be room for two now, or not any more."""
        self.follow()

    def follow(self) -> None:
        """Show the current terminal, and beside it another."""
        if not self.is_on_screen_now:
            return
        two = self._two_wanted and self.size.width >= SIDE_BY_SIDE and len(self._manager.terminals) > 1
        self._seat(two=two)
        self.set_class(two, "-two")
        for pane in self._panes:
            pane.refresh()

    def _seat(self, *, two: bool) -> None:
        """Which terminal is in which pane: the current one stays where it is, the other is the one there was."""
        current, before = self._manager.current, self.pane
        first, beside = self._panes
        seats = {pane.terminal: pane for pane in (self._panes if two else (first,))}
        self.pane = seats.get(current, self.pane if two else first) if current is not None else first
        other = beside if self.pane is first else first
        others = [terminal for terminal in self._manager.terminals if terminal is not current]
        kept = other.terminal if other.terminal in others else next(iter(others), None)
        wanted = kept if two else None
        if other.terminal is not wanted:
            other.show(wanted)
        if self.pane.terminal is not current:
            self.pane.show(current)
        if before is not self.pane and before.has_focus:
            self.pane.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The terminal that has the keys is the current one."""
        widget = event.widget
        if isinstance(widget, TerminalPane) and widget in self._panes and widget.terminal is not None:
            self._manager.select(widget.terminal)

    def side_by_side(self) -> None:
        """Another terminal beside the current one, or that one alone again."""
        if self._two_wanted:
            self._two_wanted = False
        elif self.size.width < SIDE_BY_SIDE:
            self._say(f"two side by side need {SIDE_BY_SIDE} columns")
        elif len(self._manager.terminals) < 2:
            self._say("there is no other terminal to show beside this one")
        else:
            self._two_wanted = True
        self.follow()

    def _say(self, text: str) -> None:
        if self.pane.terminal is not None:
            self.pane.terminal.say(text)

    @property
    def is_on_screen_now(self) -> bool:
        """Whether it and all around it are displayed: two decks must not set two sizes for one terminal."""
        return all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))

    @on(TerminalPane.Wants)
    def _wanted(self, event: TerminalPane.Wants) -> None:
        if event.what == "close":
            event.stop()
            if event.pane.terminal is not None:
                begin(self, self._close(event.pane.terminal), group="close")
        elif event.what == "beside":
            event.stop()
            self.side_by_side()
        elif event.what in ("next", "previous"):
            event.stop()
            self._manager.step(1 if event.what == "next" else -1)

    async def _close(self, terminal: Terminal) -> None:
        try:
            await self._manager.close(terminal)
        except KomodoError as error:  # it is off the list, but goes on where it lives
            show = getattr(self.app, "show_error", None)
            if show is not None:
                show(error)
        self.pane.keep_keys()
        if not self._manager.terminals:
            self.post_message(self.Emptied())


PAGES, FOOTER = "pages", "footer"
"""Ids of what the drawer stands between."""


class TerminalDrawer(Widget):
    """The terminals under any page: 40 % of the height, so that the list above stays in sight."""

    DEFAULT_CSS = """
    TerminalDrawer { height: 40%; min-height: 8; display: none; }
    TerminalDrawer.-open { display: block; }
    TerminalDrawer.-zoom { height: 1fr; }
    """
    ID: ClassVar[str] = "terminal-drawer"

    def __init__(
        self, manager: TerminalManager, *, take_clipboard: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(id=self.ID)
        self._manager = manager
        self.deck = Deck(manager, take_clipboard=take_clipboard, now=now)
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        """The deck."""
        yield self.deck

    @property
    def is_open(self) -> bool:
        """Whether it is in sight."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it and give it the keys."""
        focused = self.screen.focused
        if focused is not None and self not in focused.ancestors:
            self._before = focused
        self.add_class("-open")
        self.call_after_refresh(self._take_focus)

    def _take_focus(self) -> None:
        self.deck.follow()
        self.deck.pane.focus()

    def close(self) -> None:
        """Hide it; the programs go on."""
        self._zoom(False)
        self.remove_class("-open")
        self._give_focus_back()

    def toggle(self) -> None:
        """Open it, take the keys if it has not got them, or hide it."""
        if self.is_open and self.deck.pane.has_focus:
            self.close()
        else:
            self.open()

    def _give_focus_back(self) -> None:
        before = self._before
        if before is not None and before.is_attached and before.focusable:
            before.focus()
            return
        outside = (widget for widget in self.screen.focus_chain if self not in widget.ancestors)
        self.screen.set_focus(next(outside, None))

    @on(Deck.Emptied)
    def _emptied(self) -> None:
        self.close()

    @on(TerminalPane.Wants)
    def _wanted(self, event: TerminalPane.Wants) -> None:
        event.stop()
        if event.what == "zoom":
            self._zoom(not self.has_class("-zoom"))
            self.deck.pane.focus()
        elif event.what == "leave":
            self._zoom(False)
            self._give_focus_back()

    def _zoom(self, wanted: bool) -> None:
        """All the room between header and footer, or back."""
        self.set_class(wanted, "-zoom")
        for pages in self.screen.query(f"#{PAGES}"):
            pages.display = not wanted


def drawer_of(app: App[Any]) -> TerminalDrawer | None:
    """The drawer of the app's main screen, once it has been used."""
    found = app.screen_stack[0].query(f"#{TerminalDrawer.ID}").results(TerminalDrawer)
    return next(iter(found), None)


async def open_drawer(app: App[Any], *, take_clipboard: bool = False, toggle: bool = False) -> TerminalDrawer:
    """Show the drawer, made when it is first wanted; ``toggle`` hides an open one that has the keys."""
    drawer = drawer_of(app)
    if drawer is None:
        drawer = TerminalDrawer(manager_of(app), take_clipboard=take_clipboard, now=getattr(app, "now", time.time))
        screen = app.screen_stack[0]
        await screen.mount(drawer, before=next(iter(screen.query(f"#{FOOTER}")), None))
    if toggle:
        drawer.toggle()
    else:
        drawer.open()
    return drawer
