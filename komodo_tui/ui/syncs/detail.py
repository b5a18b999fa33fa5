"""One sync from near: what differs, and the difference under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on

from komodo_tui.domain.text import clean
from komodo_tui.ui.definitions.detail import DefinitionDetail
from komodo_tui.ui.render.cells import spans_of
from komodo_tui.ui.stacks.detail import DiffPane
from komodo_tui.ui.syncs.columns import item_columns, item_filter, item_text, source_text, state_cell
from komodo_tui.ui.syncs.editing import sync_text
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from textual.app import ComposeResult

    from komodo_tui.domain.syncs import Item
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.syncs.book import SyncRow
    from komodo_tui.ui.widgets.lines import Line


class SyncDetail(DefinitionDetail["SyncRow"]):
    """Shows the sync named last by :meth:`open`, and has it looked at then."""

    DEFAULT_CSS = """
    SyncDetail #sync-items { height: 40%; min-height: 6; }
    SyncDetail #sync-diff { border-top: hkey $panel; }
    """

    def __init__(self, shell: Shell, look_at: Callable[[str], None], *, id: str | None = None) -> None:
        """``look_at`` has the files of a sync read and compared."""
        super().__init__(id=id)
        self._shell = shell
        self._look_at = look_at
        self.table: VirtualTable[Item] = VirtualTable(item_columns(), order=lambda i: (i.kind, i.name), sort="state",
                                                      id="sync-items-table")  # fmt: skip
        self.pane: ListPane[Item] = ListPane(
            "Differences", self.table, parse=item_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            id="sync-items",
        )  # fmt: skip
        self.diff = self.more = DiffPane(id="sync-diff")

    def compose(self) -> ComposeResult:
        """Headline, what differs, the difference, the definition."""
        yield Lines(id="sync-head")
        yield self.pane
        yield self.diff
        yield self.text

    def open(self, key: Hashable, row: SyncRow, view: str = "") -> None:
        """Show this one, and look."""
        super().open(key, row, view)
        self._look_at(row.definition.name)

    def show_row(self, row: SyncRow) -> None:
        """This is known of it now."""
        super().show_row(row)
        glyphs = self._shell.look.glyphs
        top: list[Span] = [(f" {row.definition.name} ", "title bold"), *spans_of(state_cell(row, glyphs))]
        top.append((f"  {source_text(row)}", "dim"))
        if row.base.seen:
            top.append((f"  {row.base.seen[:8]}", "dim"))
        lines: list[Line] = [tuple(top)]
        if row.looked is not None and row.looked.problem:
            lines.append(((f" {glyphs.fail} {clean(row.looked.problem)}", "bad"),))
        for drift in row.drifts:
            if drift.problem:
                lines.append(((f" {glyphs.warn} {drift.name}: {clean(drift.problem)}", "warn"),))
            elif drift.operation is not None:
                where = ", ".join(target.server for target in drift.operation.targets)
                lines.append(((f" {glyphs.warn} {drift.name} does not run as defined on {where}", "warn"),))
        self.query_one("#sync-head", Lines).show(lines[:6])
        self.pane.title = row.definition.name
        self.table.set_rows({item.key: item for item in row.items})
        self.pane.told()
        self.text.show(sync_text(row.definition))
        self._show_diff()
        if row.outdated:
            self._look_at(row.definition.name)

    def chosen(self) -> list[Item]:
        """The marked items; without marks all that can be applied without a decision."""
        marked = [item for key, item in self.table.model.rows.items() if key in self.table.model.marks]
        return marked or [i for i in self.table.model.rows.values() if i.state in ("new", "changed", "gone")]

    def chosen_here(self) -> list[Item]:
        """The marked items; without marks all that were changed here alone."""
        marked = [item for key, item in self.table.model.rows.items() if key in self.table.model.marks]
        return marked or [item for item in self.table.model.rows.values() if item.state == "here"]

    @on(VirtualTable.Highlighted, "#sync-items-table")
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_diff()

    @on(VirtualTable.Selected, "#sync-items-table")
    def _read(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.diff.focus()

    def _show_diff(self) -> None:
        item = self.table.current
        self.diff.show(item_text(item, self._shell.look) if item is not None else Text())

    def _teach(self) -> Text:
        style = self._shell.look.palette.style
        row = self.row
        if row is None or row.busy or row.looked is None:
            return Text("looking", style("dim"))
        if row.looked.problem:
            return Text(clean(row.looked.problem), style("bad"))
        return Text.assemble(("Nothing differs\n\n", style("ok bold")), "Definitions and files say the same.")

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self._show_diff()
