"""The Procedures page: recipes, one with its runs, and a run as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.filters import parse_text
from komodo_tui.operations.procedures.launch import again, resume
from komodo_tui.ui.definitions.page import DefinitionPage, keys_of
from komodo_tui.ui.page import Command
from komodo_tui.ui.procedures.book import Book
from komodo_tui.ui.procedures.columns import recipe_columns
from komodo_tui.ui.procedures.detail import ProcedureDetail
from komodo_tui.ui.procedures.editor import ProcedureEditing
from komodo_tui.ui.procedures.flows import answer_run, run_procedure
from komodo_tui.ui.procedures.run_view import RunView
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from komodo_tui.ui.procedures.book import Recipe
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class ProceduresPage(DefinitionPage["Recipe"]):
    """List, procedure, and a third level: a run. ``Enter`` goes in, ``Esc`` goes out."""

    TITLE = "Procedures"
    NOUN = "procedure"
    ABOUT = (
        "A procedure is a recipe: stages in order, steps side by side, on many servers,\n"
        "run by a key here or by cron with komodo-tui --run-procedure NAME"
    )
    MAKES = "begins one, empty or from a useful example"
    FORGET_HELP = "the journals of its runs stay"
    CHANGING = ("run", "new", "edit", "copy", "remove", "go_on", "answer")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "run", "run", id="procedure.run"),
        *keys_of("procedure"),
        Binding("R", "go_on", "go on", id="procedure.resume"),
        Binding("A", "answer", "answer", id="procedure.answer"),
        Binding("v", "view", "view", id="procedure.view"),
    ]
    DEFAULT_CSS = """
    ProceduresPage RunView { display: none; }
    ProceduresPage.-run RunView { display: block; }
    ProceduresPage.-run .level-list { display: none; }
    """
    book: Book
    detail: ProcedureDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, recipe_columns(shell.look.glyphs, shell.now), _parser, id=id)
        self.book = Book(runtime, shell, self.told)
        self.editing = ProcedureEditing(runtime, shell)
        self._level_before_run = "list"
        self.detail = ProcedureDetail(shell, id="procedure-detail")
        self.run_view = RunView(shell, runtime, self.book.store, id="procedure-run")

    def compose(self) -> ComposeResult:
        """All three; one is displayed."""
        yield from super().compose()
        yield self.run_view

    def rows(self) -> dict[str, Recipe]:
        """Every procedure, by name."""
        return dict(self.book.recipes)

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        super().on_page_show()
        if self.level == "run":
            self.run_view.open(self.run_view.run_id)

    def on_page_hide(self) -> None:
        """A run that nobody sees need not be followed."""
        run = self.run_view.run_id
        self.run_view.close()
        self.run_view.run_id = run

    def shown(self) -> None:
        """A run goes on."""
        if self.level == "run":
            self.run_view.tick()

    @property
    def level(self) -> str:
        """``list``, ``detail`` or ``run``."""
        return "run" if self.has_class("-run") else "detail" if self.in_detail else "list"

    def back(self) -> bool:
        """One level out."""
        if self.level != "run":
            return super().back()
        if self.run_view.view != "lines":
            self.run_view.show_lines()
            return True
        self.run_view.close()
        self.remove_class("-run")
        if self._level_before_run == "detail":
            self.add_class("-detail")
            self.detail.focus_inside()
        else:
            self.table.focus()
        self.refresh_bindings()
        self.book.look()
        return True

    def restyle(self) -> None:
        """Draw again in new colours."""
        super().restyle()
        self.run_view.restyle()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Recipe | None:
        """The procedure a key is meant for."""
        if self.level == "run":
            definition = self.run_view.progress.definition
            return self.book.recipes.get(definition.name) if definition is not None else None
        return super().current

    @on(VirtualTable.Selected, "#procedure-runs")
    def _run_opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self._show_run(str(event.key))

    @on(VirtualTable.Selected, "#run-lines")
    def _line_chosen(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.run_view.toggle()

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

    def action_go_on(self) -> None:
        """Go on with a run whose process is gone; of one that ended, do again what failed, as a new run."""
        run = self.run_view.run_id
        if self.run_view.result == "interrupted":
            self.then(resume(self.runtime.state_dir, self.book.store, run))
        else:
            self.shell.work(self._again(run))

    async def _again(self, run: str) -> None:
        self.shell.flash("starting what failed again", "busy")
        new = await again(self.runtime.state_dir, self.book.store, run)
        self.book.look()
        self._show_run(new)

    def action_answer(self) -> None:
        """Say yes or no to what a run asks."""
        self.shell.work(answer_run(self.runtime, self.shell, self.book.store, self.run_view.run_id))

    def action_view(self) -> None:
        """Lines, the matrix of servers, the comparison with the last good run."""
        self.run_view.next_view()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Some keys belong to one level."""
        own = ("go_on", "answer", "view")
        if (action in own) is not (self.level == "run") and action != "run":
            return False
        if action in own and not self._run_can(action):
            return False
        return super().check_action(action, parameters)

    def _run_can(self, action: str) -> bool:
        view = self.run_view
        if action == "go_on":
            return view.result in ("failed", "cancelled") or (view.result == "interrupted" and bool(view.progress.seen))
        return view.progress.asking is not None if action == "answer" else True

    def own_commands(self, name: str) -> Iterable[Command]:
        """A run."""
        yield Command(f"run {name}", self.action_run, help="asks for parameters, shows what it would touch")


def _parser(line: str) -> Callable[[Recipe], bool]:
    test = parse_text(line)
    return lambda recipe: test(
        f"{recipe.definition.name}\n{recipe.definition.description}\n{' '.join(recipe.definition.tags)}".lower()
    )
