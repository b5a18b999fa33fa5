"""The Variables & secrets page: what ``[[NAME]]`` stands for, by scope. Values of secrets are never shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.errors import KomodoError
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.variables import flows
from komodo_tui.ui.variables.columns import key_of, natural_order, value_columns, value_filter
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.fleet.live import Changes
    from komodo_tui.operations.values import Listed
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class VariablesPage(Page):
    """One list. It is read when the page is shown, by ``^R`` and after each act: other programs may change it too."""

    TITLE = "Variables & secrets"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "new", "set new", id="value.new"),
        Binding("E", "edit", "set", id="value.edit"),
        Binding("X", "remove", "remove", id="value.remove"),
        Binding("c", "copy", "copy", id="value.copy"),
        Binding("v", "check", "try login", id="value.check"),
        Binding("ctrl+r", "read", "read again", show=False, id="value.read"),
    ]

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._problem = ""
        self._read_once = False
        self.table: VirtualTable[Listed] = VirtualTable(
            value_columns(shell.look.glyphs.ascii), order=natural_order, id="values-table"
        )
        self.pane: ListPane[Listed] = ListPane(
            "Variables & secrets", self.table, parse=value_filter, empty=self._teach, natural="scope, name",
            help="words, !not, ~fuzzy, /regex/ of name, kind, scope and value", id="values-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list."""
        yield self.pane

    @property
    def settled(self) -> bool:
        """Whether the stores have been read."""
        return self._read_once

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.table.focus()
        self.action_read()

    def tick(self, changes: Changes) -> None:
        """Nothing here changes with the fleet."""

    def back(self) -> bool:
        """Marks, then the filter."""
        return self.pane.back()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.pane.told()

    def action_read(self) -> None:
        """Read both stores, behind."""
        self.shell.work(self._read())

    async def _read(self) -> None:
        found: list[Listed] = []
        try:
            found = await asyncio.to_thread(self.runtime.values.listed)
            self._problem = ""
        except KomodoError as error:
            self._problem = error.message + (f"; {error.hint}" if error.hint else "")
        self._read_once = True
        if self.is_mounted:
            self.table.set_rows({key_of(row): row for row in found})
            self.pane.told()
            self.refresh_bindings()

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if self._problem:
            return Text.assemble(("They cannot be read\n\n", style("bad bold")), self._problem)
        return Text.assemble(
            ("No variables or secrets yet\n\n", style("title bold")),
            "[[NAME]] in a stack's environment stands for the value set here:\n",
            "on the server, else on the stack, else everywhere.\n\n",
            ("N", style("accent bold")), "  sets the first",
        )  # fmt: skip

    @on(VirtualTable.Selected, "#values-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        if not self.runtime.settings.read_only:
            self.action_edit()

    def _acted(self, record: ActionRecord) -> None:
        self.table.clear_marks()
        self.action_read()

    def action_new(self) -> None:
        """Set a variable or a secret."""
        scopes = ["global", *(f"server:{name}" for name in self.runtime.fleet.state.servers)]
        self.shell.work(flows.new(self.shell, self.runtime.values, scopes, self._acted))

    def action_edit(self) -> None:
        """Another value for the one under the cursor."""
        if self.table.current is not None:
            self.shell.work(flows.edit(self.shell, self.runtime.values, self.table.current, self._acted))

    def action_remove(self) -> None:
        """Remove what is marked, or the one under the cursor."""
        rows = self.table.selection()
        if rows:
            self.shell.work(flows.remove(self.shell, rows, self._acted))

    def action_check(self) -> None:
        """Try the login under the cursor, from every server that is there."""
        row = self.table.current
        if row is None or row.kind != "registry":
            self.shell.flash("only the logins of registries can be tried", "warn")
        else:
            self.shell.work(flows.check(self.shell, self.runtime, row.name))

    def action_copy(self) -> None:
        """Copy the reference or the name."""
        if self.table.current is not None:
            self.shell.work(flows.copy(self.shell, self.table.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; all but setting a new one wants a row."""
        if action not in ("new", "read") and self.table.is_mounted and self.table.current is None:
            return False
        return not (action in ("new", "edit", "remove") and self.runtime.settings.read_only)

    def commands(self) -> Iterable[Command]:
        """Acts, by name."""
        if self.runtime.settings.read_only:
            return
        yield Command("set a variable or secret", self.action_new)
        row = self.table.current if self.is_mounted else None
        if row is not None:
            yield Command(f"remove {row.kind} {row.name}", self.action_remove)
