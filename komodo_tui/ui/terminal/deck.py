"""A pane over all open terminals, and the drawer that holds one under any page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.message import Message
from textual.widget import Widget

from komodo_tui.ui.terminal.manager import TerminalManager, manager_of
from komodo_tui.ui.terminal.widget import TerminalPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App, ComposeResult


class Deck(Widget):
    """Shows the manager's current terminal and changes between them. Handles all a pane wants, but zoom and leaving."""

    DEFAULT_CSS = "Deck { height: 1fr; width: 1fr; }"

    class Emptied(Message):
        """The last terminal was closed."""

    def __init__(
        self, manager: TerminalManager, *, take_clipboard: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._manager = manager
        self.pane = TerminalPane(tabs=lambda: manager.terminals, take_clipboard=take_clipboard, now=now)

    def compose(self) -> ComposeResult:
        """The pane."""
        yield self.pane

    def on_mount(self) -> None:
        """Follow the manager."""
        self._manager.listen(self.follow)
        self.follow()

    def on_unmount(self) -> None:
        """Follow no more."""
        self._manager.unlisten(self.follow)

    def follow(self) -> None:
        """Show the current terminal."""
        if not self.is_on_screen_now:
            return
        if self._manager.current is not self.pane.terminal:
            self.pane.show(self._manager.current)
        self.pane.refresh()

    @property
    def is_on_screen_now(self) -> bool:
        """Whether it and all around it are displayed: two decks must not set two sizes for one terminal."""
        return all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))

    @on(TerminalPane.Wants)
    def _wanted(self, event: TerminalPane.Wants) -> None:
        if event.what == "close":
            event.stop()
            if event.pane.terminal is not None:
                self.run_worker(self._close(event.pane), group="close", exit_on_error=True)
        elif event.what in ("next", "previous"):
            event.stop()
            self._manager.step(1 if event.what == "next" else -1)

    async def _close(self, pane: TerminalPane) -> None:
        terminal = pane.terminal
        if terminal is None:
            return
        await self._manager.close(terminal)
        if pane.terminal is not None:
            pane.modes.set("PANE")  # the next key was meant for the pane, not for a program that came in its place
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
