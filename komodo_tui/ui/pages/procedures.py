"""The Procedures page: recipes, one with its runs, and a run as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.filters import parse_text
from komodo_tui.operations.procedures.launch import cancel, resume
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.procedures.book import Book
from komodo_tui.ui.procedures.columns import recipe_columns
from komodo_tui.ui.procedures.detail import ProcedureDetail
from komodo_tui.ui.procedures.flows import edit_procedure, new_procedure, remove_procedure, run_procedure
from komodo_tui.ui.procedures.run_view import RunView
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.procedures.book import Recipe
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 2.0
"""Seconds between two looks at what other processes run."""


class ProceduresPage(Page):
    """List, procedure, run: ``Enter`` goes in, ``Esc`` goes out."""

    TITLE = "Procedures"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "run", "run", id="procedure.run"),
        Binding("N", "new", "new", id="procedure.new"),
        Binding("e", "edit", "edit", id="procedure.edit"),
        Binding("y", "text", "definition", id="procedure.text"),
        Binding("X", "remove_or_stop", "remove / stop", id="procedure.remove"),
        Binding("R", "resume", "go on", id="procedure.resume"),
    ]
    DEFAULT_CSS = """
    ProceduresPage ProcedureDetail, ProceduresPage RunView { display: none; }
    ProceduresPage.-detail ProcedureDetail, ProceduresPage.-run RunView { display: block; }
    ProceduresPage.-detail #procedures-list, ProceduresPage.-run #procedures-list { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = Book(runtime, shell, self._known)
        self._looked = 0.0
        self._wanted = ""
        self._stale = False
        self._level_before_run = "list"
        self.table: VirtualTable[Recipe] = VirtualTable(
            recipe_columns(shell.look.glyphs, shell.now), order=lambda r: r.definition.name.lower(),
            id="procedures-table",
        )  # fmt: skip
        self.list: ListPane[Recipe] = ListPane(
            "Procedures", self.table, parse=_parser, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="procedures-list",
        )  # fmt: skip
        self.detail = ProcedureDetail(shell, self.book, id="procedure-detail")
        self.run_view = RunView(shell, self.book.store, id="procedure-run")

    def compose(self) -> ComposeResult:
        """All three; one is displayed."""
        yield self.list
        yield self.detail
        yield self.run_view

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.book.look()
        self._looked = self.shell.now()
        self._enter(self.level)

    def on_page_hide(self) -> None:
        """A run that nobody sees need not be followed."""
        run = self.run_view.run_id
        self.run_view.close()
        self.run_view.run_id = run

    def tick(self, changes: Changes) -> None:
        """Ages move; other processes run things."""
        if self.shell.now() - self._looked >= _AGAIN:
            self._looked = self.shell.now()
            self.book.look()
        if self._stale:
            self._known()
        if self.level == "run":
            self.run_view.tick()
        else:
            (self.table if self.level == "list" else self.detail.table).recheck()

    def _known(self) -> None:
        """Something was read: show it, now or at the next tick, when all of the page is there."""
        self._stale = True
        if not self.list.is_mounted or not self.detail.is_mounted:
            return
        self._stale = False
        self.table.set_rows(dict(self.book.recipes))
        self.list.told()
        if self._wanted and self.table.choose(self._wanted):
            self._wanted = ""
        if self.level == "detail":
            if self.detail.recipe is None:
                self._enter("list")
            else:
                self.detail.refresh_rows()

    @property
    def level(self) -> str:
        """``list``, ``detail`` or ``run``."""
        return "run" if self.has_class("-run") else "detail" if self.has_class("-detail") else "list"

    def _enter(self, level: str) -> None:
        self.set_class(level == "detail", "-detail")
        self.set_class(level == "run", "-run")
        if level == "run":
            self.run_view.open(self.run_view.run_id)
        elif level == "detail":
            self.detail.table.focus()
        else:
            self.table.focus()
        self.refresh_bindings()

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self.book.read:
            return Text("reading")
        return Text.assemble(
            ("No procedures yet\n\n", style("title bold")),
            "A procedure is a recipe: stages in order, steps side by side, on many servers,\n",
            "run by a key here or by cron with komodo-tui --run-procedure NAME\n\n",
            ("N", style("accent bold")), "  begins one, empty or from a useful example",
        )  # fmt: skip

    def back(self) -> bool:
        """One level out."""
        if self.level == "run":
            self.run_view.close()
            self._enter(self._level_before_run)
            self.book.look()
            return True
        if self.level == "detail":
            if not self.detail.back():
                self._enter("list")
            return True
        return self.list.back()

    def reveal(self, target: Target) -> None:
        """Show the procedure of this name."""
        self._wanted = target.name
        self.book.look()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.detail.restyle()
        self.run_view.restyle()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Recipe | None:
        """The procedure a key is meant for."""
        if self.level == "detail":
            return self.detail.recipe
        if self.level == "run":
            definition = self.run_view.progress.definition
            return self.book.recipes.get(definition.name) if definition is not None else None
        return self.table.current

    @on(VirtualTable.Selected, "#procedures-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        if event.key is not None:
            self._enter("detail")
            self.detail.open(str(event.key))

    @on(VirtualTable.Selected, "#procedure-runs")
    def _run_opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self._show_run(str(event.key))

    def _show_run(self, run: str) -> None:
        if self.level != "run":
            self._level_before_run = self.level
        self.set_class(False, "-detail")
        self.set_class(True, "-run")
        self.run_view.open(run)
        self.refresh_bindings()

    def action_run(self) -> None:
        """Run it."""
        if self.current is not None:
            self.shell.work(self._run(self.current))

    async def _run(self, recipe: Recipe) -> None:
        run = await run_procedure(self.runtime, self.shell, self.book.store, recipe.definition)
        if run is not None:
            self.shell.flash(f"{recipe.definition.name} runs; it goes on when you leave", "ok")
            self.book.look()
            self._show_run(run)

    def action_new(self) -> None:
        """Make one."""
        self.shell.work(self._new())

    async def _new(self) -> None:
        self._wanted = await new_procedure(self.runtime, self.shell) or ""
        self.book.look()

    def action_edit(self) -> None:
        """Edit it."""
        if self.current is not None:
            self.shell.work(self._edit(self.current.definition.name))

    async def _edit(self, name: str) -> None:
        await edit_procedure(self.runtime, self.shell, name)
        self.book.look()

    def action_text(self) -> None:
        """Its definition."""
        recipe = self.current
        if self.level == "list" and recipe is not None:
            self._enter("detail")
            self.detail.open(recipe.definition.name)
        if self.level == "detail":
            self.detail.show_text()

    def action_remove_or_stop(self) -> None:
        """In the list: forget the procedure. In a run: stop it."""
        if self.level == "run":
            self.shell.work(self._stop(self.run_view.run_id))
        elif self.level == "list" and self.current is not None:
            self.shell.work(self._remove(self.current.definition.name))

    async def _stop(self, run: str) -> None:
        await cancel(self.book.store, run)
        self.shell.flash("stopping: what is under way is ended, nothing else begins", "busy")

    async def _remove(self, name: str) -> None:
        await remove_procedure(self.runtime, self.shell, name)
        self.book.look()

    def action_resume(self) -> None:
        """Go on with a run whose process is gone."""
        run = self.run_view.run_id
        if self.level == "run" and run:
            self.shell.work(self._resume(run))

    async def _resume(self, run: str) -> None:
        await resume(self.runtime.state_dir, self.book.store, run)
        self.book.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; some keys belong to one level."""
        if action in ("run", "new", "edit", "remove_or_stop", "resume") and self.runtime.settings.read_only:
            return False
        if action == "resume":
            return self.level == "run" and self.run_view.result == "interrupted"
        if action == "remove_or_stop":
            return self.level != "detail"
        return self.level != "run" if action in ("new", "text", "edit") else True

    def commands(self) -> Iterable[Command]:
        """Acts on the procedure under the cursor, by name."""
        recipe = self.current if self.is_mounted else None
        yield Command("new procedure", self.action_new)
        if recipe is not None:
            name = recipe.definition.name
            yield Command(f"run {name}", self.action_run, help="asks for parameters, shows what it would touch")
            yield Command(f"edit {name}", self.action_edit)


def _parser(line: str) -> Callable[[Recipe], bool]:
    test = parse_text(line)
    return lambda recipe: test(
        f"{recipe.definition.name}\n{recipe.definition.description}\n{' '.join(recipe.definition.tags)}".lower()
    )
