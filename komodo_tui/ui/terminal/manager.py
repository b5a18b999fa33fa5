"""The open terminals of the program: they outlive the pages that show them and end with the program."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.host import WorkerHost
from komodo_tui.ui.terminal.terminal import Keeper, OpenCore, OpenSession, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

MAX_OPEN = 64
"""Open terminals at most; each holds a channel and some megabytes of history."""


class TooManyTerminalsError(Exception):
    """There are ``MAX_OPEN`` already."""


class TerminalManager:
    """The list, and the worker process they share, started with the first."""

    def __init__(self, open_core: OpenCore | None = None, clock: Callable[[], float] = time.time) -> None:
        """``open_core`` replaces the worker process (tests); ``clock`` gives Unix time."""
        self.terminals: list[Terminal] = []
        self.current: Terminal | None = None
        """The one shown last."""
        self.options = Options()
        """How new ones are set up."""
        self._open_core = open_core
        self._clock = clock
        self._host: WorkerHost | None = None
        self._listeners: list[Callable[[], None]] = []

    def open(
        self, open_session: OpenSession, title: str, *, target: str = "", command: str = "",
        keeper: Keeper | None = None,
    ) -> Terminal:  # fmt: skip
        """A new terminal, made the current one. Its program is started when a pane shows it.

        Raises:
            TooManyTerminalsError: close some first.
        """
        if len(self.terminals) >= MAX_OPEN:
            raise TooManyTerminalsError
        terminal = self._new(open_session, title, target, command, keeper)
        self.terminals.append(terminal)
        self.current = terminal
        self._changed()
        return terminal

    def add_found(
        self, open_session: OpenSession, title: str, *, target: str, command: str, keeper: Keeper, opened: float,
        attached: bool = False,
    ) -> None:  # fmt: skip
        """One whose program runs already, unless it is known. ``opened`` is Unix time."""
        known = any(terminal.keeper is not None and terminal.keeper.id == keeper.id for terminal in self.terminals)
        if known or len(self.terminals) >= MAX_OPEN:
            return
        terminal = self._new(open_session, title, target, command, keeper)
        terminal.opened, terminal.attached = opened, attached
        self.terminals.append(terminal)
        self.current = self.current or terminal
        self._changed()

    def _new(self, open_session: OpenSession, title: str, target: str, command: str, keeper: Keeper | None) -> Terminal:
        return Terminal(
            open_session, title, open_core=self._core_opener(), target=target, command=command,
            options=self.options, clock=self._clock, keeper=keeper,
        )  # fmt: skip

    def _core_opener(self) -> OpenCore:
        if self._open_core is not None:
            return self._open_core
        if self._host is None:
            self._host = WorkerHost()
        return self._host.open

    def select(self, terminal: Terminal) -> None:
        """Make it the current one."""
        if terminal in self.terminals and terminal is not self.current:
            self.current = terminal
            self._changed()

    def step(self, direction: int) -> None:
        """Make the one before (-1) or after (1) the current one, around the ends."""
        if self.current in self.terminals:
            index = (self.terminals.index(self.current) + direction) % len(self.terminals)
            self.select(self.terminals[index])

    async def close(self, terminal: Terminal) -> None:
        """End it and take it off the list."""
        if terminal not in self.terminals:
            return
        index = self.terminals.index(terminal)
        self.terminals.remove(terminal)
        if terminal is self.current:
            self.current = self.terminals[min(index, len(self.terminals) - 1)] if self.terminals else None
        self._changed()
        await terminal.close()

    async def close_all(self) -> None:
        """End them all but those that are kept elsewhere, and the worker process."""
        terminals, self.terminals, self.current = self.terminals, [], None
        for terminal in terminals:
            await terminal.close(keep=True)
        if self._host is not None:
            await self._host.close()
            self._host = None
        self._listeners.clear()

    @property
    def running(self) -> int:
        """How many have a program that would end with ours; asked before the program quits."""
        return sum(terminal.state in ("running", "opening") and terminal.keeper is None for terminal in self.terminals)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it when the list or the current one changes."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()


_MANAGERS: WeakKeyDictionary[App[Any], TerminalManager] = WeakKeyDictionary()


def manager_of(app: App[Any]) -> TerminalManager:
    """The terminals of an app. The app awaits :meth:`TerminalManager.close_all` when it ends."""
    manager = _MANAGERS.get(app)
    if manager is None:
        manager = _MANAGERS[app] = TerminalManager()
    return manager


def use_manager(app: App[Any], manager: TerminalManager) -> None:
    """Give an app its manager instead (tests)."""
    _MANAGERS[app] = manager
