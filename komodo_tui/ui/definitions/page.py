"""The page of a kind of definitions: a list, one from near, and the keys that every kind has."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from rich.text import Text
from textual.binding import Binding

from komodo_tui.ui.definitions.detail import DefinitionDetail
from komodo_tui.ui.definitions.levels import Book, ListAndDetail
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.page import Command
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from typing import Any

    from komodo_tui.ui.definitions.detail import RowDetail
    from komodo_tui.ui.definitions.editing import Editing
    from komodo_tui.ui.render.columns import Column
    from komodo_tui.ui.render.reason import Reason
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class DefinitionBook(Book, Protocol):
    """One of definitions."""

    read: bool
    """Whether they were read."""


class DefinitionRow(Protocol):
    """A definition joined with its live state."""

    @property
    def definition(self) -> Any:
        """It has a ``name``, which is the key of the row."""
        ...


Defined = TypeVar("Defined", bound=DefinitionRow)


def keys_of(kind: str) -> tuple[Binding, ...]:
    """The keys that every kind of definitions has; their ids (``stack.new``) are what a keymap names."""
    return (
        Binding("N", "new", "new", id=f"{kind}.new"),
        Binding("e", "edit", "edit", id=f"{kind}.edit"),
        Binding("m", "menu", "acts", id=f"{kind}.menu"),
        Binding("y", "text", "definition", id=f"{kind}.text"),
        Binding("X", "remove", "forget", id=f"{kind}.remove"),
    )


class DefinitionPage(ListAndDetail[Defined]):
    """The page of a kind of definitions: makes, edits, copies and forgets them.

    Its keys are those of :func:`keys_of`, and the acts of its kind.
    """

    NOUN: ClassVar[str] = ""
    """The kind in a word, for the palette: ``stack``."""
    ABOUT: ClassVar[str] = ""
    """What it is and is good for, for who has none yet."""
    MAKES: ClassVar[str] = "makes one"
    """What ``N`` does."""
    FORGET_HELP: ClassVar[str] = ""
    """What becomes of what it made."""
    CHANGING: ClassVar[tuple[str, ...]] = ("new", "edit", "copy", "remove")
    """Actions that read-only mode takes away."""
    book: DefinitionBook
    detail: RowDetail[Defined]
    editing: Editing[Any]

    def __init__(self, runtime: Runtime, shell: Shell, columns: Sequence[Column[Defined]],
                 parse: Callable[[str], Callable[[Defined], bool]], *, id: str | None = None) -> None:  # fmt: skip
        """``parse`` reads a filter."""
        super().__init__(runtime, shell, id=id)
        name = self.TITLE.lower()
        self.table = VirtualTable(columns, order=lambda row: row.definition.name.lower(), id=f"{name}-table")
        self.list = ListPane(
            self.TITLE, self.table, parse=parse, empty=self.teach, help="words, !not, ~fuzzy, /regex/",
            natural="by name", about=self.reason, id=f"{name}-list",
        )  # fmt: skip

    def reason(self, row: Defined) -> Reason:
        """What is wrong with it, in full, below the list; nothing where no cell is too narrow for that."""
        return "", ""

    def teach(self) -> Text:
        """What is said where none is defined."""
        if not self.book.read:
            return Text("reading")
        style = self.shell.look.palette.style
        return Text.assemble(
            (f"No {self.TITLE.lower()} yet\n\n", style("title bold")),
            f"{self.ABOUT}\n\n", ("N", style("accent bold")), f"  {self.MAKES}",
        )  # fmt: skip

    def action_new(self) -> None:
        """Make one."""
        self.then(self._named(self.editing.new()))

    def action_edit(self) -> None:
        """Edit it."""
        if self.current is not None:
            self.then(self._named(self.editing.edit(self.current.definition.name)))

    def action_copy(self) -> None:
        """Make another one of it."""
        if self.current is not None:
            self.then(self._named(self.editing.copy(self.current.definition.name)))

    def action_remove(self) -> None:
        """Forget its definition."""
        if self.current is not None:
            self.then(self.editing.remove(self.current.definition.name))

    def action_text(self) -> None:
        """Its definition, as YAML."""
        if not self.in_detail:
            self.action_open_detail()
        if self.in_detail and isinstance(self.detail, DefinitionDetail):
            self.detail.show_text()

    def action_menu(self) -> None:
        """Every act on it."""
        if self.current is not None:
            self.then(self.menu(self.current))

    async def menu(self, row: Defined) -> None:
        """Every act on it: here, those that have a key."""
        items = [
            MenuItem(b.action, b.description, b.key, shown=b.key_display or "")
            for b in (binding for bindings in self._bindings.key_to_bindings.values() for binding in bindings)
            if b.show and b.action != "menu" and self.check_action(b.action, ())
        ]  # fmt: skip
        if self.check_action("copy", ()):
            items.append(MenuItem("copy", "copy the definition", "c"))
        picked = await self.shell.ask(MenuDialog(row.definition.name, items))
        if picked is not None:
            await self.run_action(picked)

    async def _named(self, act: Coroutine[Any, Any, str | None]) -> None:
        """Go to what was made."""
        self._wanted = await act

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; what is meant for the list works there alone.

        Where there is no row, only what needs none is offered.
        """
        if action in ("new", "remove") and self.in_detail:
            return False
        if action != "new" and self.table.is_mounted and self.current is None:
            return False
        return not (action in self.CHANGING and self.runtime.settings.read_only)

    def commands(self) -> Iterable[Command]:
        """Acts on the definition under the cursor, by name."""
        yield Command(f"new {self.NOUN}", self.action_new)
        row = self.current if self.is_mounted else None
        if row is not None:
            name = row.definition.name
            yield from self.own_commands(name)
            yield Command(f"edit {self.NOUN} {name}", self.action_edit)
            yield Command(f"copy {self.NOUN} {name}", self.action_copy)
            yield Command(f"forget {self.NOUN} {name}", self.action_remove, help=self.FORGET_HELP)

    def own_commands(self, name: str) -> Iterable[Command]:
        """Those that only this kind has."""
        return ()
