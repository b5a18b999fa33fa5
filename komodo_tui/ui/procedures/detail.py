"""One procedure: its runs, and its definition beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.text import Text
from textual.containers import Horizontal, Vertical

from komodo_tui.domain.filters import parse_text
from komodo_tui.store.yaml_text import yaml_text
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.procedures.columns import run_columns
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.ui.procedures.book import Book, Recipe
    from komodo_tui.ui.shell import Shell


class ProcedureDetail(Vertical):
    """Shows the procedure named last by :meth:`open`."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ProcedureDetail { height: 1fr; width: 1fr; }
    ProcedureDetail #procedure-text { display: none; width: 40%; border-left: vkey $panel; }
    .-mid ProcedureDetail #procedure-text, .-wide ProcedureDetail #procedure-text { display: block; }
    ProcedureDetail.-text #procedure-text { display: block; width: 100%; border: none; }
    ProcedureDetail.-text ListPane { display: none; }
    """

    def __init__(self, shell: Shell, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self._book = book
        self.name_shown = ""
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
            yield DocumentPane(id="procedure-text")

    @property
    def recipe(self) -> Recipe | None:
        """The procedure shown, while it exists."""
        return self._book.recipes.get(self.name_shown)

    def _result(self, run: RunSummary) -> str:
        recipe = self.recipe
        return recipe.result(run) if recipe is not None else run.outcome or ""

    def open(self, name: str) -> None:
        """Show this one."""
        self.name_shown = name
        self.remove_class("-text")
        self.refresh_rows()
        self.table.focus()

    def show_text(self) -> None:
        """The definition alone, or the runs again."""
        self.toggle_class("-text")
        (self.query_one("#procedure-text") if self.has_class("-text") else self.table).focus()

    def back(self) -> bool:
        """Leave the definition, or a filter."""
        if self.has_class("-text"):
            self.show_text()
            return True
        return self.pane.back()

    def refresh_rows(self) -> None:
        """Read what is known."""
        recipe = self.recipe
        if recipe is None:
            return
        self.pane.title = recipe.definition.name
        self.table.set_rows({run.run: run for run in recipe.runs})
        self.table.recheck()
        self.pane.told()
        text = yaml_text({"procedures": [msgspec.to_builtins(recipe.definition)]})
        self.query_one("#procedure-text", DocumentPane).show(text)

    def _teach(self) -> Text:
        style = self._shell.look.palette.style
        return Text.assemble(
            ("It has not run yet\n\n", style("title bold")), ("B", style("accent bold")),
            "  runs it; first it shows what each step would touch\n\nfrom cron:  ",
            (f"komodo-tui --run-procedure {self.name_shown} --quiet", style("accent")),
        )  # fmt: skip

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()


def _parser(line: str) -> Callable[[RunSummary], bool]:
    test = parse_text(line)
    return lambda run: test(f"{run.run}\n{run.outcome or ''}\n{run.who}\n{run.summary}".lower())
