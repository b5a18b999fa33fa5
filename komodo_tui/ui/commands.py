"""What the keys of the program itself do, apart from showing pages: help, palette, terminals, quitting."""

from __future__ import annotations

import asyncio
import sys
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from komodo_tui.ui.finder import Entry, find
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.modals.quit import QuitDialog
from komodo_tui.ui.services import ServiceApp
from komodo_tui.ui.watching import watching_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import App

    from komodo_tui.ui.chords import Chord
    from komodo_tui.ui.page import Page
    from komodo_tui.ui.terminal.manager import TerminalManager


class CommandApp(ServiceApp):
    """The actions of keys that work everywhere."""

    @property
    @abstractmethod
    def current_page(self) -> Page | None:
        """The page on screen."""

    @abstractmethod
    def chords(self) -> Mapping[str, Mapping[str, Chord]]:
        """The two-key commands, by their first key."""

    async def begin(self) -> None:
        """Connect; what is damaged in the definitions is told, for something may be missing from them."""
        await self.runtime.start()
        definitions = self.runtime.definitions
        for text in await asyncio.to_thread(lambda: [*definitions.notices, *definitions.problems()]):
            self.notify(text, title="Definitions", severity="warning", timeout=30, markup=False)

    async def use_keymap(self, keymap: Mapping[str, str]) -> None:
        """Give bindings the keys that the settings name; lines that cannot be used are told, and left out alone."""
        from komodo_tui.ui.keymap import checked, known_bindings

        good, wrong = checked(keymap, await asyncio.to_thread(known_bindings))
        self.set_keymap(good)
        for text in wrong:
            self.notify(text, title="Settings", severity="warning", timeout=30, markup=False)

    def action_drawer(self) -> None:
        """Show the terminals below the page, give them the keys, or hide them."""
        from komodo_tui.ui.terminal.open import toggle_drawer

        if not terminals_of(self).terminals:
            self.flash("no terminal is open: s on a server or a container opens one", "dim")
        elif self.current_page is not None and self.current_page.id == "page-terminals":
            self.current_page.zoom()  # they are on screen already
        else:
            self.work(toggle_drawer(self, take_clipboard=self.runtime.settings.terminal.clipboard))

    def action_reconnect(self) -> None:
        """Connect anew to every server that is not there."""
        away = [name for name, live in self.runtime.fleet.state.servers.items() if live.status != "up"]
        for name in away:
            self.runtime.fleet.reconnect(name)
        self.flash(f"reconnecting {', '.join(away)}" if away else "all servers are connected", "info")

    async def action_quit(self) -> None:
        """End the program; ask first while programs or acts of it run."""
        shells = terminals_of(self).running if "komodo_tui.ui.terminal.manager" in sys.modules else 0
        watching = watching_of(self)
        pushes = watching.pushes if watching is not None else 0
        if not shells and not self.acts.under_way and not pushes:
            self.exit(0)
        elif not isinstance(self.screen, QuitDialog):
            self.work(self._quit(shells, pushes))

    async def _quit(self, shells: int, pushes: int) -> None:
        if await self.ask(QuitDialog(shells, self.acts.under_way, pushes)):
            self.exit(0)

    def action_help(self) -> None:
        """Every key that works now, searchable; Enter does what the key does."""
        from komodo_tui.ui.helping import entries

        if not isinstance(self.screen, PickDialog):
            keys = entries(self.screen, self.chords() if len(self.screen_stack) == 1 else {})
            title = self.current_page.TITLE if self.current_page is not None else ""
            self._pick(f"Keys: {title}", partial(_found, keys), "type a key's word: mark, sort, shell", keys=14)

    def action_palette(self) -> None:
        """Find any view, server, container or act by its name."""
        from komodo_tui.ui.goto import Goto
        from komodo_tui.ui.own_entries import own_entries

        if not isinstance(self.screen, PickDialog):
            goto = Goto(self.runtime, self, self.current_page, list(own_entries(self)))
            self._pick("Go to, or do", goto.search, "a view, a server, a container, an act")

    def _pick(self, title: str, search: Callable[[str, int], list[Entry]], placeholder: str, keys: int = 0) -> None:
        async def pick() -> None:
            entry = await self.ask(PickDialog(title, search, placeholder=placeholder, keys=keys))
            if entry is not None and entry.run is not None:
                entry.run()

        self.work(pick())

    def action_help_quit(self) -> None:
        """^C with nothing selected never quits."""
        self.flash("nothing selected to copy; ^Q quits", "dim")


def _found(entries: list[Entry], query: str, limit: int) -> list[Entry]:
    return find(query, entries, limit)


def terminals_of(app: App[Any]) -> TerminalManager:
    """The open terminals; imported when there may be some."""
    from komodo_tui.ui.terminal.manager import manager_of

    return manager_of(app)
