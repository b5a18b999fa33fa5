"""The Builds page: images, which version there is of each, and what was built when, of which commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from komodo_tui.ui.builds.book import BuildBook
from komodo_tui.ui.builds.columns import build_columns, build_filter, reason
from komodo_tui.ui.builds.detail import BuildDetail
from komodo_tui.ui.builds.editing import BuildEditing
from komodo_tui.ui.builds.flows import build_now, cancel, follow_again, menu
from komodo_tui.ui.definitions.page import DefinitionPage, keys_of
from komodo_tui.ui.page import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_tui.ui.builds.book import BuildRow
    from komodo_tui.ui.render.reason import Reason
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class BuildsPage(DefinitionPage["BuildRow"]):
    """Either the list or one build has the page."""

    TITLE = "Builds"
    NOUN = "build"
    ABOUT = (
        "A build makes an image of a repository, of a folder of a server, or of a Dockerfile written here,\n"
        "gives it its version and tags, and brings it where it is needed."
    )
    FORGET_HELP = "its images and past builds stay"
    CHANGING = ("new", "edit", "copy", "remove", "build", "cancel")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "build", "build", id="build.build"),
        Binding("S", "cancel", "stop", id="build.cancel"),
        *keys_of("build"),
    ]
    book: BuildBook
    detail: BuildDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, build_columns(shell.look.glyphs, shell.now), build_filter, id=id)
        self.book = BuildBook(runtime, shell, self.told)
        self.editing = BuildEditing(runtime, shell)
        self.detail = BuildDetail(runtime, shell, id="build-detail")

    def reason(self, row: BuildRow) -> Reason:
        """What is wrong with the last build."""
        return reason(row, self.shell.look.glyphs)

    def rows(self) -> Mapping[str, BuildRow]:
        """Every build, by name."""
        return self.book.rows()

    def on_page_hide(self) -> None:
        """Nobody sees the output."""
        self.detail.reader.want(None)

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

    async def menu(self, row: BuildRow) -> None:
        """Every act on the build."""
        picked = await menu(self.runtime, self.shell, row)
        acts = {
            "build": self.action_build, "cancel": self.action_cancel, "edit": self.action_edit,
            "copy": self.action_copy, "forget": self.action_remove, "follow": self.action_follow,
        }  # fmt: skip
        if picked is not None:
            acts[picked]()

    def own_commands(self, name: str) -> Iterable[Command]:
        """Build and stop."""
        yield Command(f"build {name}", self.action_build, help="shows what it would do first")
        yield Command(f"stop the build of {name}", self.action_cancel)
