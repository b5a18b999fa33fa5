"""The Syncs page: definitions kept equal to files of a repository, what differs, and who changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from komodo_tui.ui.definitions.page import DefinitionPage, keys_of
from komodo_tui.ui.page import Command
from komodo_tui.ui.syncs.book import SyncBook
from komodo_tui.ui.syncs.columns import sync_columns, sync_filter
from komodo_tui.ui.syncs.detail import SyncDetail
from komodo_tui.ui.syncs.editing import SyncEditing
from komodo_tui.ui.syncs.flows import apply, commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.text import Text

    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.syncs.book import SyncRow


class SyncsPage(DefinitionPage["SyncRow"]):
    """Either the list or one sync has the page."""

    TITLE = "Syncs"
    NOUN = "sync"
    ABOUT = (
        "A sync keeps your definitions equal to YAML files of a git repository: it shows what differs\n"
        "and who changed it, applies what you choose or all by itself, and commits back what you changed here."
    )
    FORGET_HELP = "what it has brought stays"
    CHANGING = ("new", "edit", "copy", "remove", "apply", "commit")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "apply", "apply", id="sync.apply"),
        Binding("C", "commit", "commit back", id="sync.commit"),
        Binding("ctrl+r", "again", "look", key_display="^R", id="sync.look"),
        *keys_of("sync"),
    ]
    book: SyncBook
    detail: SyncDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, sync_columns(shell.look.glyphs, shell.now), sync_filter, id=id)
        self.book = SyncBook(runtime, shell, self.told)
        self.editing = SyncEditing(runtime, shell)
        self.detail = SyncDetail(shell, self.book.look_at, id="sync-detail")

    def rows(self) -> Mapping[str, SyncRow]:
        """Every sync, by name."""
        return self.book.rows()

    def teach(self) -> Text:
        """Where the files to begin with come from, too."""
        text = super().teach()
        if self.book.read:
            text.append(";  ")
            text.append("komodo-tui export", self.shell.look.palette.style("accent"))
            text.append("  writes the files to begin with")
        return text

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_again(self) -> None:
        """Read the files of the sync now, and compare."""
        if self.current is not None:
            self.book.look_at(self.current.definition.name)

    def action_apply(self) -> None:
        """Near by: the marked differences, or all that need no decision. In the list: look at it first."""
        if not self.in_detail:
            self.action_open_detail()
        elif self.current is not None:
            self.then(self._apply(self.current))

    async def _apply(self, row: SyncRow) -> None:
        try:
            await apply(self.runtime, self.shell, self.book, row, self.detail.chosen())
        finally:
            self.detail.table.clear_marks()
            self.book.look_at(row.definition.name)

    def action_commit(self) -> None:
        """The marked differences, or all that were changed here alone, into the files."""
        if self.current is not None:
            self.then(self._commit(self.current))

    async def _commit(self, row: SyncRow) -> None:
        if await commit(self.runtime, self.shell, row, self.detail.chosen_here()):
            self.detail.table.clear_marks()
            self.book.look_at(row.definition.name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Committing is for one that is looked at from near."""
        if action == "commit" and not self.in_detail:
            return False
        return super().check_action(action, parameters)

    def own_commands(self, name: str) -> Iterable[Command]:
        """Look, apply."""
        yield Command(f"look at sync {name}", self.action_again)
        yield Command(f"apply sync {name}", self.action_apply, help="shows what it would do first")
