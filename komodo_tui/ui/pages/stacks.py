"""The Stacks page: definitions, what a deploy of one would change, what was deployed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.operations import Target
from komodo_tui.ui.deployments.services import targets_of
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.stacks.book import StackBook
from komodo_tui.ui.stacks.columns import stack_columns, stack_filter
from komodo_tui.ui.stacks.detail import StackDetail
from komodo_tui.ui.stacks.editing import copy_stack, edit_stack, new_stack, remove_stack
from komodo_tui.ui.stacks.facts import overview
from komodo_tui.ui.stacks.flows import deploy, roll_back, show_revisions
from komodo_tui.ui.stacks.menu import OWN, menu_act, pick_act
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from typing import Any

    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import StackRow

_CHANGING = ("new", "edit", "copy", "remove", "deploy", "roll_back")


class StacksPage(Page):
    """Either the list or one stack has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Stacks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "deploy", "deploy", id="stack.deploy"),
        Binding("Z", "roll_back", "roll back", id="stack.roll_back"),
        Binding("N", "new", "new", id="stack.new"),
        Binding("e", "edit", "edit", id="stack.edit"),
        Binding("m", "menu", "acts", id="stack.menu"),
        Binding("X", "remove", "forget", id="stack.remove"),
        Binding("d", "open('diff')", "diff", show=False, id="stack.diff"),
        Binding("y", "open('text')", "definition", show=False, id="stack.text"),
        Binding("l", "logs", "logs", show=False, id="stack.logs"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    StacksPage StackDetail { display: none; }
    StacksPage.-detail StackDetail { display: block; }
    StacksPage.-detail #stacks-main { display: none; }
    StacksPage #stacks-side { display: none; width: 40%; border-left: vkey $panel; }
    .-mid StacksPage #stacks-side, .-wide StacksPage #stacks-side { display: block; }
    StacksPage.-zoomed #stacks-side { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = StackBook(runtime, shell, self._known)
        self._wanted = ""
        self.table: VirtualTable[StackRow] = VirtualTable(
            stack_columns(shell.look.glyphs), order=lambda r: r.definition.name.lower(), id="stacks-table"
        )
        self.list: ListPane[StackRow] = ListPane(
            "Stacks", self.table, parse=stack_filter, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="stacks-list",
        )  # fmt: skip
        self.side = FactsPane(id="stacks-side")
        self.detail = StackDetail(runtime, shell, self.book, id="stack-detail")

    def compose(self) -> ComposeResult:
        """List with the stack under the cursor beside it, or one stack."""
        with Horizontal(id="stacks-main"):
            yield self.list
            yield self.side
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.book.look()
        self._known()
        if self.in_detail:
            self.detail.open(self.detail.name_shown)
        else:
            self.table.focus()

    def tick(self, changes: Changes) -> None:
        """Take in what changed."""
        self.book.tick(changes)
        self._known()

    def _known(self) -> None:
        if not self.list.is_mounted or not self.detail.is_mounted:
            return  # the next tick shows it
        rows = self.book.rows()
        self.table.set_rows(rows)
        self.table.recheck()
        self.list.told()
        self._show_side()
        if self._wanted and self.table.choose(self._wanted):
            self._wanted = ""
        if self.in_detail:
            row = rows.get(self.detail.name_shown)
            if row is None:
                self.close_detail()
            else:
                self.detail.tick(row)

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

    @property
    def in_detail(self) -> bool:
        """Whether one stack has the page."""
        return self.has_class("-detail")

    @on(VirtualTable.Selected, "#stacks-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.action_open("")

    def action_open(self, tab: str) -> None:
        """Show the stack from near."""
        row = self.current
        if row is not None:
            self.add_class("-detail")
            self.detail.open(row.definition.name, tab)
            self.refresh_bindings()

    def close_detail(self) -> None:
        """Give the page back to the list."""
        self.detail.close()
        self.remove_class("-detail")
        self.table.focus()
        self.refresh_bindings()

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self.book.read:
            return Text("reading")
        return Text.assemble(
            ("No stacks yet\n\n", style("title bold")),
            "A stack is a compose file with its environment and the servers it runs on.\n",
            "What runs already stands on the Deployments tab, and can be adopted there.\n\n",
            ("N", style("accent bold")), "  begins one, empty or from an example",
        )  # fmt: skip

    def back(self) -> bool:
        """Marks and filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.list.back()
        if not self.detail.back():
            self.close_detail()
        return True

    def reveal(self, target: Target) -> None:
        """Show the stack of this name."""
        self._wanted = target.name
        self._known()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.detail.restyle()
        self._show_side()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> StackRow | None:
        """The stack a key is meant for."""
        return self.detail.row if self.in_detail else self.table.current

    def action_deploy(self) -> None:
        """Show what a deploy would do; do it after a yes."""
        if self.current is not None:
            self._then(deploy(self.runtime, self.shell, self.current.definition))

    def action_roll_back(self) -> None:
        """Return to the revision under the cursor, or to the last good one that differs from what is deployed."""
        row = self.current
        if row is None:
            return
        picked = self.detail.revisions if self.in_detail else []
        if len(picked) == 1:
            server, revision = picked[0]
            self._then(roll_back(self.runtime, self.shell, row.definition, (server,), revision))
        else:
            self._then(roll_back(self.runtime, self.shell, row.definition))

    def action_menu(self) -> None:
        """Every act on the stack."""
        if self.current is not None:
            self._then(self._menu(self.current))

    async def _menu(self, row: StackRow) -> None:
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

    def action_new(self) -> None:
        """Make one."""
        self._named(new_stack(self.runtime, self.shell))

    def action_edit(self) -> None:
        """Edit it."""
        if self.current is not None:
            self._named(edit_stack(self.runtime, self.shell, self.current.definition.name))

    def action_copy(self) -> None:
        """Make another one of it."""
        if self.current is not None:
            self._named(copy_stack(self.runtime, self.shell, self.current.definition.name))

    def action_remove(self) -> None:
        """Forget its definition."""
        if self.current is not None:
            self._then(remove_stack(self.runtime, self.shell, self.current.definition.name))

    def _then(self, act: Coroutine[Any, Any, object]) -> None:
        """Run it, and look again whatever comes of it."""
        self.shell.work(self._looked_after(act))

    async def _looked_after(self, act: Coroutine[Any, Any, object]) -> None:
        try:
            await act
        finally:
            self.book.look()

    def _named(self, act: Coroutine[Any, Any, str | None]) -> None:
        self.shell.work(self._choose(act))

    async def _choose(self, act: Coroutine[Any, Any, str | None]) -> None:
        self._wanted = await act or ""
        self.book.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something."""
        if action in ("new", "remove") and self.in_detail:
            return False
        return not (action in _CHANGING and self.runtime.settings.read_only)

    def commands(self) -> Iterable[Command]:
        """Acts on the stack under the cursor, by name."""
        yield Command("new stack", self.action_new)
        row = self.current if self.is_mounted else None
        if row is not None:
            name = row.definition.name
            yield Command(f"deploy {name}", self.action_deploy, help="shows what would change first")
            yield Command(f"roll back {name}", self.action_roll_back, help="to the last good revision")
            yield Command(f"edit {name}", self.action_edit)
            yield Command(f"copy stack {name}", self.action_copy)
            yield Command(f"forget {name}", self.action_remove, help="what it deployed keeps running")
