"""New stacks, edited ones, copies, and those that are forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

import msgspec
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.stacks import DefineStackOperation, StackDefinition, check_stack, servers_of
from komodo_tui.domain.units import count_text
from komodo_tui.store.fleet_files import check_compose
from komodo_tui.ui.definitions.editing import Editing
from komodo_tui.ui.definitions.text import definition_text, read_one
from komodo_tui.ui.modals.base import button
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from komodo_tui.ui.stacks.examples import EXAMPLES, example_text
from komodo_tui.ui.stacks.planning import preview_text
from komodo_tui.ui.stacks.reading import TextDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.operations.stack_definitions import StackDefinitions
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


D = TypeVar("D", bound=msgspec.Struct)


class StackEditor(YamlEditor[D]):
    """An editor of what can be deployed; its result is the definition, once it could be kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,ctrl+t", "try", "what a deploy would change", key_display="^T", id="editor.try", priority=True),
    ]

    def __init__(
        self, runtime: Runtime, shell: Shell, title: str, text: str, check: Callable[[str], Checked[D]],
        stack_of: Callable[[D], StackDefinition],
    ) -> None:  # fmt: skip
        """``stack_of``: what would be deployed."""
        super().__init__(title, text, check)
        self._runtime = runtime
        self._shell = shell
        self._stack_of = stack_of

    def buttons(self) -> list[Button]:
        """Also what compose makes of it."""
        first, *others = super().buttons()
        return [first, button("try (^T)", "try"), *others]

    @on(Button.Pressed, "#try")
    def action_try(self) -> None:
        """Ask the servers what a deploy of what is typed would change; nothing is saved."""
        self.after_typing(lambda: self._shell.work(self._try()))

    async def _try(self) -> None:
        stack = self._stack_of(self.checked().value)
        servers = self._runtime.preparer.places(stack)
        asked = asyncio.gather(*(self._runtime.preparer.preview(stack, server) for server in servers))
        self.say(f"asking {', '.join(servers)}", "busy")
        try:
            previews = await asked
        finally:
            self.tell()
        if not self.is_current:
            return  # it was left meanwhile
        text = Text("\n").join(
            preview_text(server, preview, self.look_now) for server, preview in zip(servers, previews, strict=True)
        )
        await self._shell.ask(TextDialog(f"A deploy of {stack.name} would", text, self._shell.copy))


def read_stack(text: str, known: Mapping[str, ServerDefinition]) -> Checked[StackDefinition]:
    """The one stack of a text. Raises UsageError."""
    stack = check_compose(check_stack(read_one(text, "stacks", "name: …, servers: …, compose: …")))
    try:
        places = servers_of(stack, known)
    except UsageError as error:
        return Checked(stack, f"{stack.name} can be saved", str(error))
    where = places[0] if len(places) == 1 else count_text(len(places), "server")
    return Checked(stack, f"{stack.name} can be deployed to {where}; D shows what that would do")


def stack_text(stack: StackDefinition) -> str:
    """A definition as people write it: without what is as it is anyway."""
    # The shortest come first: a compose file or an attached one may be long.
    return definition_text(
        "stacks", stack, StackDefinition(name=""), shown=("name", "servers"),
        long=("environment", "per_server", "attached", "compose"),
    )  # fmt: skip


class StackEditing(Editing[StackDefinition]):
    """New stacks, edited ones, copies and forgotten ones. What a forgotten one deployed keeps running."""

    NOUN = "stack"

    @property
    def kept(self) -> StackDefinitions:
        """Where they are kept."""
        return self.runtime.stacks

    def text(self, definition: StackDefinition) -> str:
        """A definition as people write it."""
        return stack_text(definition)

    def editor(self, title: str, text: str) -> StackEditor[StackDefinition]:
        """The dialog."""
        known = {server: live.definition for server, live in self.runtime.fleet.state.servers.items()}
        return StackEditor(
            self.runtime, self.shell, title, text, lambda typed: read_stack(typed, known), lambda stack: stack
        )

    def operation(
        self, verb: Literal["add", "edit", "remove"], name: str, definition: StackDefinition | None, rev: int | None
    ) -> DefineStackOperation:
        """The change of a definition."""
        return DefineStackOperation(verb=verb, name=name, definition=definition, rev=rev)

    async def beginning(self) -> str | None:
        """An example, on the first server that is there."""
        items = [MenuItem(example.id, example.id, example.key, example.help) for example in EXAMPLES]
        picked = await self.shell.ask(MenuDialog("New stack from", items))
        if picked is None:
            return None
        servers = self.runtime.fleet.state.servers
        server = next((name for name, live in servers.items() if live.engine_live), next(iter(servers), "my-server"))
        return example_text(picked, server)

    def copied(self, definition: StackDefinition, name: str) -> StackDefinition:
        """A copy, with a project of its own."""
        return msgspec.structs.replace(definition, name=name, project="")
