"""The Repos page: git repositories, how their clones stand on each server, what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from komodo_tui.ui.definitions.page import DefinitionPage
from komodo_tui.ui.page import Command
from komodo_tui.ui.repos.book import RepoBook
from komodo_tui.ui.repos.changing import Drafts, edit_file
from komodo_tui.ui.repos.columns import repo_columns, repo_filter
from komodo_tui.ui.repos.detail import RepoDetail
from komodo_tui.ui.repos.flows import RepoEditing, clone_or_pull, menu
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from komodo_agent.wire.volumes import VolumeFile
    from komodo_tui.ui.repos.book import Place, RepoRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class ReposPage(DefinitionPage["RepoRow"]):
    """Either the list or one repo has the page."""

    TITLE = "Repos"
    NOUN = "repo"
    FORGET_HELP = "its clones stay on the servers"
    CHANGING = ("new", "edit", "copy", "remove", "update")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "update", "clone/pull", id="repo.update"),
        Binding("N", "new", "new", id="repo.new"),
        Binding("e", "edit", "edit", id="repo.edit"),
        Binding("f", "files", "files", id="repo.files"),
        Binding("m", "menu", "acts", id="repo.menu"),
        Binding("y", "text", "definition", id="repo.text"),
        Binding("X", "remove", "forget", id="repo.remove"),
    ]
    book: RepoBook
    detail: RepoDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = RepoBook(runtime, shell, self.told)
        self.editing = RepoEditing(runtime, shell)
        self._drafts: Drafts = {}
        self.table = VirtualTable(
            repo_columns(shell.look.glyphs, shell.now), order=lambda r: r.definition.name.lower(), id="repos-table"
        )
        self.list = ListPane(
            "Repos", self.table, parse=repo_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="repos-list",
        )  # fmt: skip
        self.detail = RepoDetail(runtime, shell, self.book, self._edit_file, id="repo-detail")

    def rows(self) -> dict[str, RepoRow]:
        """Every repo, by name."""
        return self.book.rows()

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

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def places(self) -> Sequence[Place]:
        """The clones a key is meant for: in the list all of a repo, near by the marked ones."""
        if self.in_detail:
            return self.detail.table.selection()
        return self.current.places if self.current is not None else ()

    def action_update(self) -> None:
        """Pull where there is a clone, clone where there is none."""
        if self.places:
            self.then(clone_or_pull(self.runtime, self.shell, self.places))

    def action_files(self) -> None:
        """The files of the clone under the cursor, to be read and changed."""
        if not self.in_detail:
            self.action_open_detail()
        if self.in_detail:
            self.detail.show_files()

    def _edit_file(self, place: Place, file: VolumeFile) -> None:
        if self.runtime.settings.read_only:
            self.shell.flash("read-only mode is on")
            return
        self.then(edit_file(self.runtime, self.shell, place, file, self._drafts))

    def action_menu(self) -> None:
        """Every act on the repo."""
        if self.current is not None:
            self.then(self._menu(self.current))

    async def _menu(self, row: RepoRow) -> None:
        picked = await menu(self.runtime, self.shell, row, self.places)
        if picked == "edit":
            self.action_edit()
        elif picked == "forget":
            self.action_remove()
        elif picked == "files":
            self.action_files()

    def action_text(self) -> None:
        """Its definition."""
        if not self.in_detail:
            self.action_open_detail()
        if self.in_detail:
            self.detail.show_text()

    def own_commands(self, name: str) -> Iterable[Command]:
        """Clone or pull."""
        yield Command(f"clone or pull {name}", self.action_update, help="shows what it would do first")
