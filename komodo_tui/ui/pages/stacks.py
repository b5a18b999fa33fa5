"""The Stacks page: definitions, what a deploy of one would change, what was deployed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.operations import Target
from komodo_tui.ui.definitions.page import DefinitionPage, keys_of
from komodo_tui.ui.deployments.services import targets_of
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.page import Command
from komodo_tui.ui.stacks.book import StackBook
from komodo_tui.ui.stacks.columns import stack_columns, stack_filter
from komodo_tui.ui.stacks.detail import StackDetail
from komodo_tui.ui.stacks.editing import StackEditing
from komodo_tui.ui.stacks.facts import overview
from komodo_tui.ui.stacks.flows import deploy, roll_back, show_revisions
from komodo_tui.ui.stacks.menu import OWN, menu_act, pick_act
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import StackRow


class StacksPage(DefinitionPage["StackRow"]):
    """The list with the stack under the cursor beside it where there is room, or one stack."""

    TITLE = "Stacks"
    NOUN = "stack"
    ABOUT = (
        "A stack is a compose file with its environment and the servers it runs on.\n"
        "What runs already stands on the Deployments tab, and can be adopted there."
    )
    MAKES = "begins one, empty or from an example"
    FORGET_HELP = "what it deployed keeps running"
    CHANGING = ("new", "edit", "copy", "remove", "deploy", "roll_back")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "deploy", "deploy", id="stack.deploy"),
        Binding("Z", "roll_back", "roll back", id="stack.roll_back"),
        *keys_of("stack"),
        Binding("d", "open_detail('diff')", "diff", show=False, id="stack.diff"),
        Binding("l", "logs", "logs", show=False, id="stack.logs"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    StacksPage #stacks-side { display: none; width: 40%; border-left: vkey $panel; }
    .-mid StacksPage #stacks-side, .-wide StacksPage #stacks-side { display: block; }
    StacksPage.-zoomed #stacks-side { display: none; }
    """

    book: StackBook
    detail: StackDetail

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, stack_columns(shell.look.glyphs), stack_filter, id=id)
        self.book = StackBook(runtime, shell, self.told)
        self.editing = StackEditing(runtime, shell)
        self.side = FactsPane(id="stacks-side")
        self.detail = StackDetail(runtime, shell, self.book, id="stack-detail")

    def compose(self) -> ComposeResult:
        """List with the stack under the cursor beside it, or one stack."""
        with Horizontal(classes="level-list"):
            yield self.list
            yield self.side
        yield self.detail

    def rows(self) -> dict[str, StackRow]:
        """Every stack, by name."""
        return self.book.rows()

    def shown(self) -> None:
        """The side pane follows."""
        self._show_side()

    @on(VirtualTable.Highlighted, "#stacks-table")
    def _show_side(self) -> None:
        row = self.table.current
        if self.side.display and not self.in_detail and self.side.is_mounted:
            look = self.shell.look
            facts = overview(row, self.shell.now(), look.glyphs, self.book.problems) if row is not None else []
            self.side.show(facts, look)

    def zoom(self) -> None:
        """The list over the whole width, or with the stack beside it again."""
        self.toggle_class("-zoomed")

    def restyle(self) -> None:
        """Draw again in new colours."""
        super().restyle()
        self._show_side()

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_deploy(self) -> None:
        """Show what a deploy would do; do it after a yes."""
        if self.current is not None:
            self.then(deploy(self.runtime, self.shell, self.current.definition))

    def action_roll_back(self) -> None:
        """Return to the revision under the cursor, or to the last good one that differs from what is deployed."""
        row = self.current
        if row is None:
            return
        picked = self.detail.revisions if self.in_detail else []
        if len(picked) == 1:
            server, revision = picked[0]
            self.then(roll_back(self.runtime, self.shell, row.definition, (server,), revision))
        else:
            self.then(roll_back(self.runtime, self.shell, row.definition))

    def action_text(self) -> None:
        """Its definition: one of the tabs."""
        self.action_open_detail("text")

    async def menu(self, row: StackRow) -> None:
        """Every act on the stack."""
        picked = await pick_act(self.shell, row, read_only=self.runtime.settings.read_only)
        if picked in OWN:
            getattr(self, f"action_{picked}")()
        elif picked is not None:
            await menu_act(self.runtime, self.shell, row, picked)

    @on(VirtualTable.Selected, "#stack-revisions-table")
    def _revision_opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        row = self.current
        if row is not None and self.detail.revisions:
            project = row.definition.project_name
            self.shell.work(show_revisions(self.runtime, self.shell, project, self.detail.revisions))

    @on(VirtualTable.Selected, "#stack-services-table")
    def _service_opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        server, project, _ = event.key  # type: ignore[misc]
        self.shell.go("deployments", Target(server=server, name=project))

    def action_logs(self) -> None:
        """The logs of all of it on all servers, merged."""
        if self.current is not None:
            found = [targets_of(p.deployment.containers, p.deployment.server) for p in self.current.places]
            open_logs(self, [target for targets in found for target in targets])

    def own_commands(self, name: str) -> Iterable[Command]:
        """Deploy and the way back."""
        yield Command(f"deploy {name}", self.action_deploy, help="shows what would change first")
        yield Command(f"roll back {name}", self.action_roll_back, help="to the last good revision")
