"""The Terminals page: every open terminal, one of them on the screen, the list a key away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.terminal.deck import Deck, drawer_of
from komodo_tui.ui.terminal.found import find_terminals, look_or_type
from komodo_tui.ui.terminal.manager import manager_of
from komodo_tui.ui.terminal.widget import TerminalPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.terminal.terminal import Terminal

_LIST_ROWS = 8
"""Rows of the list at most, with its header."""


def state_cell(terminal: Terminal, glyphs: Glyphs) -> Cell:
    """Glyph and word of a terminal's state."""
    if terminal.state == "running":
        return (
            ((glyphs.mark, "warn"), (" new output", "warn")) if terminal.unseen else ((f"{glyphs.ok} running", "ok"),)
        )
    if terminal.state == "failed":
        return ((f"{glyphs.fail} failed", "bad"),)
    if terminal.state == "ended":
        code = terminal.end.code if terminal.end is not None else None
        return ((f"{glyphs.stopped} ended" + ("" if code is None else f" ({code})"), "dim"),)
    if terminal.state == "new":
        return ((f"{glyphs.ok} goes on", "dim"),)
    return ((f"{glyphs.busy} opening", "busy"),)


def own_title(terminal: Terminal) -> str:
    """The name it was given, and what its program calls itself."""
    given = terminal.name if terminal.name != terminal.target else ""
    return "  ".join(filter(None, (given, terminal.program_title)))


def terminal_columns(glyphs: Callable[[], Glyphs], now: Callable[[], float]) -> list[Column[Terminal]]:
    """State, target, what runs, what it calls itself, age."""
    return [
        Column("state", "STATE", 12, lambda row: state_cell(row, glyphs())),
        Column("target", "TARGET", 14, lambda row: row.target, key=lambda row: row.target, grow=2, most=40),
        Column("command", "COMMAND", 12, lambda row: row.command, priority=1, grow=1, most=30),
        Column("title", "TITLE", 12, lambda row: ((own_title(row), "dim"),), priority=2, grow=2),
        Column("age", "OPEN", 7, lambda row: duration_text(now() - row.opened), key=lambda row: row.opened, right=True),
    ]


class TerminalsPage(Page):
    """The pane over the whole page; leaving it (``^]`` Esc) shows the list above it."""

    TITLE = "Terminals"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "close_row", "close", id="terminals.close"),
        Binding("i", "enter_row", "enter", show=False, id="terminals.enter"),
        Binding("l", "look_row", "look only / type", id="terminals.look"),
    ]
    DEFAULT_CSS = """
    TerminalsPage VirtualTable { display: none; }
    TerminalsPage.-list VirtualTable { display: block; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._manager = manager_of(self.app)
        self._asked: frozenset[str] = frozenset()
        """Servers whose agents have been asked for terminals that go on without us."""
        columns = terminal_columns(lambda: self.shell.look.glyphs, self.shell.now)
        self.table: VirtualTable[Terminal] = VirtualTable(columns, order=lambda row: row.opened, id="terminals-list")
        self.deck = Deck(self._manager, take_clipboard=runtime.settings.terminal.clipboard, now=shell.now)

    def compose(self) -> ComposeResult:
        """The list, the pane."""
        yield self.table
        yield self.deck

    def on_mount(self) -> None:
        """Follow the manager."""
        self._manager.listen(self._follow)

    def on_unmount(self) -> None:
        """Follow no more."""
        self._manager.unlisten(self._follow)

    def on_page_show(self) -> None:
        """Into the current terminal at once."""
        self._asked = frozenset()
        self._find()
        drawer = drawer_of(self.app)
        if drawer is not None and drawer.is_open:
            drawer.close()  # one terminal cannot have two sizes
        self._follow()
        if self._manager.current is None:
            self._show_list()
        else:
            self._enter()

    def _follow(self) -> None:
        terminals = {id(terminal): terminal for terminal in self._manager.terminals}
        self.table.set_rows(terminals)
        self.table.styles.height = min(len(terminals) + 1, _LIST_ROWS)
        if self._manager.current is not None:
            self.table.choose(id(self._manager.current))
        if self.display:
            self.deck.follow()

    def tick(self, changes: Changes) -> None:
        """Ages and states move; a server that came may have terminals."""
        self._find()
        if self.has_class("-list"):
            self.table.recheck()

    def _find(self) -> None:
        there = frozenset(name for name, live in self.runtime.fleet.state.servers.items() if live.live)
        if there - self._asked:
            self.shell.work(self._found())
        self._asked = there

    async def _found(self) -> None:
        await find_terminals(self._manager, self.runtime.fleet, read_only=self.runtime.settings.read_only)
        if self.display and self.has_class("-list") and self._manager.terminals and not self.table.has_focus:
            self.table.focus()

    def _enter(self) -> None:
        self.remove_class("-list")
        self.deck.follow()
        self.deck.pane.focus()

    def _show_list(self) -> None:
        self.add_class("-list")
        self.table.recheck()
        (self.table if self._manager.terminals else self.deck.pane).focus()

    def zoom(self) -> None:
        """The pane has the page already; from the list, enter it."""
        if self._manager.current is not None:
            self._enter()

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        row = self.table.current
        if row is not None and self.has_class("-list"):
            self._manager.select(row)

    @on(VirtualTable.Selected)
    def _selected(self) -> None:
        self.action_enter_row()

    def action_enter_row(self) -> None:
        """Give the keys to the terminal under the cursor."""
        if self.table.current is not None:
            self._manager.select(self.table.current)
            self._enter()

    def action_look_row(self) -> None:
        """Only look at the terminal under the cursor (its size then stays too), or type into it again."""
        row = self.table.current
        if row is not None:
            why = "read-only mode is on" if self.runtime.settings.read_only else look_or_type(row)
            self.shell.flash(f"{row.name}: {why or ('only looked at' if row.looks else 'typed into again')}",
                             "warn" if why else "ok")  # fmt: skip

    def action_close_row(self) -> None:
        """Close the terminal under the cursor; the pane asks if its program runs."""
        if self.table.current is not None:
            self._manager.select(self.table.current)
            self._enter()
            self.deck.pane.action_close()

    @on(TerminalPane.Wants)
    def _wanted(self, event: TerminalPane.Wants) -> None:
        event.stop()
        if event.what in ("leave", "zoom"):
            self._show_list()

    @on(Deck.Emptied)
    async def _emptied(self) -> None:
        self._show_list()
        if self.display:
            await self.app.run_action("last_page")  # where the shell was asked for

    def restyle(self) -> None:
        """New colours."""
        self.table.restyle()
        self.deck.pane.refresh()
