"""The Builds page: images, which version there is of each, and what was built when, of which commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from komodo_tui.ui.builds.book import BuildBook
from komodo_tui.ui.builds.columns import build_columns, build_filter
from komodo_tui.ui.builds.detail import BuildDetail
from komodo_tui.ui.builds.editing import BuildEditing
from komodo_tui.ui.builds.flows import build_now, cancel, follow_again, menu
from komodo_tui.ui.definitions.page import DefinitionPage
from komodo_tui.ui.page import Command
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_tui.ui.builds.book import BuildRow
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class BuildsPage(DefinitionPage["BuildRow"]):
    """Either the list or one build has the page."""

    TITLE = "Builds"
    NOUN = "build"
    FORGET_HELP = "its images and past builds stay"
    CHANGING = ("new", "edit", "copy", "remove", "build", "cancel")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "build", "build", id="build.build"),
        Binding("S", "cancel", "stop", id="build.cancel"),
        Binding("N", "new", "new", id="build.new"),
        Binding("e", "edit", "edit", id="build.edit"),
        Binding("m", "menu", "acts", id="build.menu"),
        Binding("y", "text", "definition", id="build.text"),
        Binding("X", "remove", "forget", id="build.remove"),
    ]
    book: BuildBook
    detail: BuildDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = BuildBook(runtime, shell, self.told)
        self.editing = BuildEditing(runtime, shell)
        self.table = VirtualTable(
            build_columns(shell.look.glyphs, shell.now), order=lambda r: r.definition.name.lower(), id="builds-table"
        )
        self.list = ListPane(
            "Builds", self.table, parse=build_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="builds-list",
        )  # fmt: skip
        self.detail = BuildDetail(runtime, shell, id="build-detail")

    def rows(self) -> Mapping[str, BuildRow]:
        """Every build, by name."""
        return self.book.rows()

    def on_page_hide(self) -> None:
        """Nobody sees the output."""
        self.detail.reader.want(None)

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self.book.read:
            return Text("reading")
        return Text.assemble(
            ("No builds yet\n\n", style("title bold")),
            "A build makes an image of a repository, of a folder of a server, or of a Dockerfile written here,\n",
            "gives it its version and tags, and brings it where it is needed.\n\n",
            ("N", style("accent bold")), "  makes one",
        )  # fmt: skip

    def action_build(self) -> None:
        """Build it, and look at it while it is built."""
        row = self.current
        if row is None:
            return
        if row.job is not None:
            self.shell.flash(f"{row.definition.name} is being built", "warn")
        else:
            self.then(build_now(self.runtime, self.shell, row.definition))
        if not self.in_detail:
            self.action_open_detail()

    def action_cancel(self) -> None:
        """Stop the build under way."""
        if self.current is not None:
            self.then(cancel(self.runtime, self.shell, self.current))

    def action_follow(self) -> None:
        """What was to follow the last build, again."""
        if self.current is not None:
            self.then(follow_again(self.runtime, self.shell, self.current))

    async def _menu(self, row: BuildRow) -> None:
        picked = await menu(self.runtime, self.shell, row)
        acts = {
            "build": self.action_build, "cancel": self.action_cancel, "edit": self.action_edit,
            "copy": self.action_copy, "forget": self.action_remove, "follow": self.action_follow,
        }  # fmt: skip
        if picked is not None:
            acts[picked]()

    def action_text(self) -> None:
        """Its definition."""
        if not self.in_detail:
            self.action_open_detail()
        if self.in_detail:
            self.detail.show_text()

    def own_commands(self, name: str) -> Iterable[Command]:
        """Build and stop."""
        yield Command(f"build {name}", self.action_build, help="shows what it would do first")
        yield Command(f"stop the build of {name}", self.action_cancel)
