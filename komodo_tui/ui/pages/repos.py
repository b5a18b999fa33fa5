"""The Repos page: git repositories, how their clones stand on each server, what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.repos.book import RepoBook
from komodo_tui.ui.repos.columns import repo_columns, repo_filter
from komodo_tui.ui.repos.detail import RepoDetail
from komodo_tui.ui.repos.flows import clone_or_pull, edit_repo, forget_repo, menu, new_repo
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence
    from typing import Any

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.repos.book import Place, RepoRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_CHANGING = ("new", "edit", "remove", "update")


class ReposPage(Page):
    """Either the list or one repo has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Repos"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "update", "clone/pull", id="repo.update"),
        Binding("N", "new", "new", id="repo.new"),
        Binding("e", "edit", "edit", id="repo.edit"),
        Binding("m", "menu", "acts", id="repo.menu"),
        Binding("y", "text", "definition", id="repo.text"),
        Binding("X", "remove", "forget", id="repo.remove"),
    ]
    DEFAULT_CSS = """
    ReposPage RepoDetail { display: none; }
    ReposPage.-detail RepoDetail { display: block; }
    ReposPage.-detail #repos-list { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = RepoBook(runtime, shell, self._known)
        self._wanted = ""
        self.table: VirtualTable[RepoRow] = VirtualTable(
            repo_columns(shell.look.glyphs, shell.now), order=lambda r: r.definition.name.lower(), id="repos-table"
        )
        self.list: ListPane[RepoRow] = ListPane(
            "Repos", self.table, parse=repo_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="repos-list",
        )  # fmt: skip
        self.detail = RepoDetail(shell, self.book, id="repo-detail")

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        yield self.list
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.book.look()
        self._known()
        (self.detail.table if self.in_detail else self.table).focus()

    def tick(self, changes: Changes) -> None:
        """Take in what changed."""
        self.book.tick()
        self._known()

    def _known(self) -> None:
        if not self.list.is_mounted or not self.detail.is_mounted:
            return  # the next tick shows it
        rows = self.book.rows()
        self.table.set_rows(rows)
        self.table.recheck()
        self.list.told()
        if self._wanted and self.table.choose(self._wanted):
            self._wanted = ""
        if self.in_detail:
            row = rows.get(self.detail.name_shown)
            self.detail.show_row(row)
            if row is None:
                self._leave()

    @property
    def in_detail(self) -> bool:
        """Whether one repo has the page."""
        return self.has_class("-detail")

    @on(VirtualTable.Selected, "#repos-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        if self.table.current is not None:
            self._enter(self.table.current.definition.name)

    def _enter(self, name: str) -> None:
        self.add_class("-detail")
        self.detail.open(name)
        self.refresh_bindings()

    def _leave(self) -> None:
        self.remove_class("-detail")
        self.table.focus()
        self.refresh_bindings()

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self.book.read:
            return Text("reading")
        return Text.assemble(
            ("No repos yet\n\n", style("title bold")),
            "A repo is a git repository, cloned on the servers you name: with the server's own ssh key,\n",
            "or with a token that is kept as a secret and never written there.\n\n",
            ("N", style("accent bold")), "  links one",
        )  # fmt: skip

    def back(self) -> bool:
        """Filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.list.back()
        if not self.detail.back():
            self._leave()
        return True

    def reveal(self, target: Target) -> None:
        """Show the repo of this name."""
        self._wanted = target.name
        self._known()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.detail.restyle()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> RepoRow | None:
        """The repo a key is meant for."""
        return self.detail.row if self.in_detail else self.table.current

    @property
    def places(self) -> Sequence[Place]:
        """The clones a key is meant for: in the list all of a repo, near by the marked ones."""
        if self.in_detail:
            return self.detail.table.selection()
        return self.current.places if self.current is not None else ()

    def action_update(self) -> None:
        """Pull where there is a clone, clone where there is none."""
        if self.places:
            self._then(clone_or_pull(self.runtime, self.shell, self.places))

    def action_menu(self) -> None:
        """Every act on the repo."""
        if self.current is not None:
            self._then(self._menu(self.current))

    async def _menu(self, row: RepoRow) -> None:
        picked = await menu(self.runtime, self.shell, row, self.places)
        if picked == "edit":
            self.action_edit()
        elif picked == "forget":
            self.action_remove()

    def action_new(self) -> None:
        """Link one."""
        self._then(self._named(new_repo(self.runtime, self.shell)))

    def action_edit(self) -> None:
        """Edit it."""
        if self.current is not None:
            self._then(self._named(edit_repo(self.runtime, self.shell, self.current.definition.name)))

    async def _named(self, act: Coroutine[Any, Any, str | None]) -> None:
        self._wanted = await act or ""

    def action_text(self) -> None:
        """Its definition."""
        if not self.in_detail and self.table.current is not None:
            self._enter(self.table.current.definition.name)
        if self.in_detail:
            self.detail.show_text()

    def action_remove(self) -> None:
        """Forget its definition."""
        if self.current is not None:
            self._then(forget_repo(self.runtime, self.shell, self.current.definition.name))

    def _then(self, act: Coroutine[Any, Any, object]) -> None:
        """Run it, and look again whatever comes of it."""
        self.shell.work(self._looked_after(act))

    async def _looked_after(self, act: Coroutine[Any, Any, object]) -> None:
        try:
            await act
        finally:
            self.book.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something."""
        if action in ("new", "remove") and self.in_detail:
            return False
        return not (action in _CHANGING and self.runtime.settings.read_only)

    def commands(self) -> Iterable[Command]:
        """Acts on the repo under the cursor, by name."""
        yield Command("new repo", self.action_new)
        row = self.current if self.is_mounted else None
        if row is not None:
            name = row.definition.name
            yield Command(f"clone or pull {name}", self.action_update, help="shows what it would do first")
            yield Command(f"edit repo {name}", self.action_edit)
            yield Command(f"forget repo {name}", self.action_remove, help="its clones stay on the servers")
