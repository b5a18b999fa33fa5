"""The Stacks page: definitions, what a deploy of one would change, what was deployed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from komodo_tui.domain.filters import parse_text
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.stacks.book import StackBook
from komodo_tui.ui.stacks.columns import source_text, stack_columns
from komodo_tui.ui.stacks.editing import copy_stack, edit_stack, new_stack, remove_stack
from komodo_tui.ui.stacks.flows import deploy, roll_back
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
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
        Binding("X", "remove", "forget", id="stack.remove"),
    ]

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = StackBook(runtime, shell, self._known)
        self._wanted = ""
        self.table: VirtualTable[StackRow] = VirtualTable(
            stack_columns(shell.look.glyphs), order=lambda r: r.definition.name.lower(), id="stacks-table"
        )
        self.list: ListPane[StackRow] = ListPane(
            "Stacks", self.table, parse=_parser, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", id="stacks-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list."""
        yield self.list

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.book.look()
        self._known()
        self.table.focus()

    def tick(self, changes: Changes) -> None:
        """Take in what changed."""
        self.book.tick(changes)
        self._known()

    def _known(self) -> None:
        if not self.list.is_mounted:
            return  # the next tick shows it
        self.table.set_rows(self.book.rows())
        self.table.recheck()
        self.list.told()
        if self._wanted and self.table.choose(self._wanted):
            self._wanted = ""

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
        """Marks and filter."""
        return self.list.back()

    def reveal(self, target: Target) -> None:
        """Show the stack of this name."""
        self._wanted = target.name
        self._known()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> StackRow | None:
        """The stack a key is meant for."""
        return self.table.current

    def action_deploy(self) -> None:
        """Show what a deploy would do; do it after a yes."""
        if self.current is not None:
            self._then(deploy(self.runtime, self.shell, self.current.definition))

    def action_roll_back(self) -> None:
        """Return to the last good revision."""
        if self.current is not None:
            self._then(roll_back(self.runtime, self.shell, self.current.definition))

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


def _parser(line: str) -> Callable[[StackRow], bool]:
    test = parse_text(line)

    def fits(row: StackRow) -> bool:
        stack = row.definition
        states = " ".join(f"{place.deployment.state}" for place in row.places)
        words = (
            stack.name,
            stack.project_name,
            stack.description,
            *stack.servers,
            *stack.tags,
            source_text(stack),
            states,
        )
        return test("\n".join(words).lower())

    return fits
