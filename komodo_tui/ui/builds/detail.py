"""One build from near: how its times and sizes went, its past builds, and the output of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on

from komodo_tui.ui.builds.columns import run_columns, run_filter, state_cell, trend_line
from komodo_tui.ui.builds.editing import build_text
from komodo_tui.ui.builds.flows import output_of
from komodo_tui.ui.builds.output import OutputReader, output_head
from komodo_tui.ui.builds.view import OutputView
from komodo_tui.ui.definitions.detail import DefinitionDetail
from komodo_tui.ui.render.cells import spans_of
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.app import ComposeResult

    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.ui.builds.book import BuildRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class BuildDetail(DefinitionDetail["BuildRow"]):
    """Shows the build named last by :meth:`open`."""

    DEFAULT_CSS = """
    BuildDetail #build-runs { height: 35%; min-height: 6; max-height: 14; }
    BuildDetail #build-output { border-top: hkey $panel; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self.table: VirtualTable[BuildRun] = VirtualTable(
            run_columns(shell.look.glyphs, shell.now), order=lambda run: -run.started, id="build-runs-table"
        )
        self.pane: ListPane[BuildRun] = ListPane(
            "Builds", self.table, parse=run_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="newest first", id="build-runs",
        )  # fmt: skip
        self.output = self.more = OutputView(id="build-output")
        self.reader = OutputReader(runtime, shell, output_of(runtime), self._show_output)
        self._newest = ""

    def compose(self) -> ComposeResult:
        """Headline, past builds, output, the definition."""
        yield Lines(id="build-head")
        yield self.pane
        yield self.output
        yield self.text

    def open(self, key: Hashable, row: BuildRow, view: str = "") -> None:
        """Show this one."""
        self._newest = row.runs[0].id if row.runs else ""
        super().open(key, row, view)
        self.table.choose(self._newest)  # not where the cursor stood in another build

    def close(self) -> None:
        """Read nothing any more."""
        super().close()
        self.reader.want(None)

    def show_row(self, row: BuildRow) -> None:
        """This is known of it now."""
        super().show_row(row)
        glyphs = self._shell.look.glyphs
        name = (f" {row.definition.name} ", "title bold")
        top = (name, *spans_of(state_cell(row, glyphs)), (f"  {row.definition.source_words}", "dim"),
               (f"  {row.definition.destination}", "dim"))  # fmt: skip
        trends = trend_line(row.runs, self.size.width, glyphs)
        self.query_one("#build-head", Lines).show([top, trends] if trends else [top])
        self.pane.title = row.definition.name
        self.table.set_rows({run.id: run for run in row.runs})
        self.table.recheck()
        self.pane.told()
        self.text.show(build_text(row.definition))
        newest = row.runs[0].id if row.runs else ""
        if newest != self._newest:  # one has begun: that is what is looked at
            self._newest = newest
            self.table.choose(newest)
        self._want()

    @on(VirtualTable.Highlighted, "#build-runs-table")
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._want()

    @on(VirtualTable.Selected, "#build-runs-table")
    def _read(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.output.focus()

    def _want(self) -> None:
        self.reader.want(self.table.current if self.row is not None else None)
        self._show_output()

    def _show_output(self) -> None:
        if not self.is_mounted or not self.output.is_mounted:
            return
        run = self.reader.run
        head = output_head(self.reader, self._shell.look.glyphs)
        self.output.show(head, self.reader.lines, follow=run is not None and run.outcome is None)

    def _teach(self) -> Text:
        style = self._shell.look.palette.style
        return Text.assemble(
            ("It was never built\n\n", style("title bold")), ("B", style("accent bold")), "  builds it\n\n",
            "from scripts:  ", (f"komodo-tui build {self.key_shown} --follow", style("accent")),
        )  # fmt: skip

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.output.refresh()
