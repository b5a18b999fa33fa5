"""One repo from near: its clones on the servers, and below, the log and the changes of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on

from komodo_tui.ui.definitions.detail import DefinitionDetail
from komodo_tui.ui.repos.columns import clone_text, head_line, place_columns, place_filter, push_text
from komodo_tui.ui.repos.flows import repo_text
from komodo_tui.ui.resources.files import FilesPane
from komodo_tui.ui.stacks.detail import DiffPane
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from textual.app import ComposeResult

    from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.ui.repos.book import Place, RepoBook, RepoRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class RepoDetail(DefinitionDetail["RepoRow"]):
    """Shows the repo named last by :meth:`open`."""

    DEFAULT_CSS = """
    RepoDetail #repo-places { height: 35%; min-height: 6; max-height: 14; }
    RepoDetail DiffPane { border-top: hkey $panel; }
    RepoDetail #repo-files { display: none; }
    RepoDetail.-files #repo-files { display: block; }
    RepoDetail.-files #repo-places, RepoDetail.-files #repo-clone { display: none; }
    """

    def __init__(
        self, runtime: Runtime, shell: Shell, book: RepoBook, chosen: Callable[[Place, VolumeFile], None], *,
        id: str | None = None,
    ) -> None:  # fmt: skip
        """``chosen`` is called with a file of a clone that is to be edited."""
        super().__init__(id=id)
        self._shell = shell
        self._chosen = chosen
        self._of: Place | None = None
        """Whose files are shown."""
        self._book = book
        self.table: VirtualTable[Place] = VirtualTable(
            place_columns(shell.look.glyphs, shell.now), order=lambda p: p.server, id="repo-places-table"
        )
        self.pane: ListPane[Place] = ListPane(
            "Clones", self.table, parse=place_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="repo-places",
        )  # fmt: skip
        self.clone = self.more = DiffPane(id="repo-clone")
        self.files = FilesPane(runtime, shell, ask=_folder, chosen=self._file, id="repo-files")

    def compose(self) -> ComposeResult:
        """Headline, clones, the one under the cursor, the files of one, the definition."""
        yield Lines(id="repo-head")
        yield self.pane
        yield self.clone
        yield self.files
        yield self.text

    def open(self, key: Hashable, row: RepoRow, view: str = "") -> None:
        """Show this one."""
        self.remove_class("-files")
        super().open(key, row, view)

    def show_row(self, row: RepoRow) -> None:
        """This is known of it now."""
        super().show_row(row)
        self.pane.title = row.definition.name
        self.query_one("#repo-head", Lines).show([head_line(row.definition)])
        self.table.set_rows({place.server: place for place in row.places})
        self.table.recheck()
        self.pane.told()
        self.text.show(repo_text(row.definition))
        self._show_clone()

    @on(VirtualTable.Highlighted, "#repo-places-table")
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_clone()

    @on(VirtualTable.Selected, "#repo-places-table")
    def _read(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.clone.focus()

    def _show_clone(self) -> None:
        place = self.table.current
        text = push_text(self.row, self._shell.look) if self.row is not None else Text()
        if place is not None:
            self._book.want(place)
            told = self._book.details.get((place.server, place.definition.name))
            text.append_text(clone_text(place, told, self._shell.look))
        self.clone.show(text)

    def show_files(self) -> None:
        """The files of the clone under the cursor."""
        place = self.table.current
        if place is None or place.state is None:
            self._shell.flash("it is not cloned there: B clones it" if place is not None else "it is on no server")
            return
        self._of = place
        self.files.open(place.server, place.definition.name)
        self.remove_class("-text")
        self.add_class("-files")
        self.files.look()

    def _file(self, file: VolumeFile) -> None:
        if self._of is not None:
            self._chosen(self._of, file)

    def back(self) -> bool:
        """Leave the files, the definition, the clone's text, or a filter."""
        if self.has_class("-files"):
            if not self.files.back():
                self.remove_class("-files")
                self.table.focus()
            return True
        return super().back()

    def _teach(self) -> Text:
        return Text(self.row.problem if self.row is not None and self.row.problem else "It is on no server")

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.files.table.restyle()
        self._show_clone()


async def _folder(client: AgentClient, name: str, path: str) -> VolumeFolder:
    return await client.repo_folder(name, path)
