"""The Repos page: git repositories, how their clones stand on each server, what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from komodo_tui.ui.definitions.page import DefinitionPage, keys_of
from komodo_tui.ui.page import Command
from komodo_tui.ui.repos.book import RepoBook
from komodo_tui.ui.repos.changing import Drafts, edit_file
from komodo_tui.ui.repos.columns import repo_columns, repo_filter
from komodo_tui.ui.repos.detail import RepoDetail
from komodo_tui.ui.repos.flows import RepoEditing, clone_or_pull, menu

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
    ABOUT = (
        "A repo is a git repository, cloned on the servers you name: with the server's own ssh key,\n"
        "or with a token that is kept as a secret and never written there."
    )
    MAKES = "links one"
    FORGET_HELP = "its clones stay on the servers"
    CHANGING = ("new", "edit", "copy", "remove", "update")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "update", "clone/pull", id="repo.update"),
        Binding("f", "files", "files", id="repo.files"),
        *keys_of("repo"),
    ]
    book: RepoBook
    detail: RepoDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, repo_columns(shell.look.glyphs, shell.now), repo_filter, id=id)
        self.book = RepoBook(runtime, shell, self.told)
        self.editing = RepoEditing(runtime, shell)
        self._drafts: Drafts = {}
        self.detail = RepoDetail(runtime, shell, self.book, self._edit_file, id="repo-detail")

    def rows(self) -> dict[str, RepoRow]:
        """Every repo, by name."""
        return self.book.rows()

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

    async def menu(self, row: RepoRow) -> None:
        """Every act on the repo."""
        picked = await menu(self.runtime, self.shell, row, self.places)
        if picked == "edit":
            self.action_edit()
        elif picked == "forget":
            self.action_remove()
        elif picked == "files":
            self.action_files()

    def own_commands(self, name: str) -> Iterable[Command]:
        """Clone or pull."""
        yield Command(f"clone or pull {name}", self.action_update, help="shows what it would do first")
