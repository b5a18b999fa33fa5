"""One procedure: its runs, and its definition beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal

from komodo_tui.domain.filters import parse_text
from komodo_tui.ui.definitions.detail import DefinitionDetail
from komodo_tui.ui.procedures.columns import run_columns
from komodo_tui.ui.procedures.editor import procedure_text
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.ui.procedures.book import Recipe
    from komodo_tui.ui.shell import Shell


class ProcedureDetail(DefinitionDetail["Recipe"]):
    """Shows the procedure named last by :meth:`open`."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ProcedureDetail .definition { width: 40%; border-left: vkey $panel; }
    .-mid ProcedureDetail .definition, .-wide ProcedureDetail .definition { display: block; }
    ProcedureDetail.-text > Horizontal { display: block; }
    ProcedureDetail.-text .definition { width: 100%; border: none; }
    ProcedureDetail.-text ListPane { display: none; }
    """

    def __init__(self, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self.table: VirtualTable[RunSummary] = VirtualTable(
            run_columns(shell.look.glyphs, self._result), order=lambda run: -run.started, id="procedure-runs"
        )
        self.pane: ListPane[RunSummary] = ListPane(
            "Runs", self.table, parse=_parser, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="newest first", id="procedure-runs-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Runs, definition."""
        with Horizontal():
            yield self.pane
            yield self.text

    def _result(self, run: RunSummary) -> str:
        return self.row.result(run) if self.row is not None else run.outcome or ""

    def show_row(self, row: Recipe) -> None:
        """This is known of it now."""
        new = row != self.row
        super().show_row(row)
        if new:
            self.pane.title = row.definition.name
            self.table.set_rows({run.run: run for run in row.runs})
            self.text.show(procedure_text(row.definition))
            self.pane.told()
        self.table.recheck()

    def _teach(self) -> Text:
        style = self._shell.look.palette.style
        return Text.assemble(
            ("It has not run yet\n\n", style("title bold")), ("B", style("accent bold")),
            "  runs it; first it shows what each step would touch\n\nfrom cron:  ",
            (f"komodo-tui --run-procedure {self.key_shown} --quiet", style("accent")),
        )  # fmt: skip

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()


def _parser(line: str) -> Callable[[RunSummary], bool]:
    test = parse_text(line)
    return lambda run: test(f"{run.run}\n{run.outcome or ''}\n{run.who}\n{run.summary}".lower())
