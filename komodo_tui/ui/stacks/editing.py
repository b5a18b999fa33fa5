"""New stacks, edited ones, copies, and those that are forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.stacks import DefineStackOperation, StackDefinition, check_stack, servers_of
from komodo_tui.domain.units import count_text
from komodo_tui.store.fleet_files import FleetFile, check_compose
from komodo_tui.store.yaml_files import parse_yaml
from komodo_tui.store.yaml_text import yaml_text
from komodo_tui.ui.modals.base import button
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from komodo_tui.ui.stacks.examples import EXAMPLES, example_text
from komodo_tui.ui.stacks.planning import preview_text
from komodo_tui.ui.stacks.reading import TextDialog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class StackEditor(YamlEditor["StackDefinition"]):
    """Its result is the definition, once it could be kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,ctrl+t", "try", "what a deploy would change", key_display="^T", id="editor.try", priority=True),
    ]

    def __init__(self, runtime: Runtime, shell: Shell, title: str, text: str) -> None:
        known = {server: live.definition for server, live in runtime.fleet.state.servers.items()}
        super().__init__(title, text, lambda typed: read_stack(typed, known))
        self._runtime = runtime
        self._shell = shell

    def buttons(self) -> list[Button]:
        """Also what compose makes of it."""
        first, *others = super().buttons()
        return [first, button("try (^T)", "try"), *others]

    @on(Button.Pressed, "#try")
    def action_try(self) -> None:
        """Ask the servers what a deploy of what is typed would change; nothing is saved."""
        self._shell.work(self._try())

    async def _try(self) -> None:
        stack = self.checked().value
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
    found = parse_yaml(text.encode("utf-8", "surrogateescape"), FleetFile, name="text").stacks
    if len(found) != 1:
        raise UsageError(f"there are {len(found)} stacks", hint="one: stacks: [{name: …, servers: …, compose: …}]")
    stack = check_compose(check_stack(found[0]))
    try:
        places = servers_of(stack, known)
    except UsageError as error:
        return Checked(stack, f"{stack.name} can be saved", str(error))
    where = places[0] if len(places) == 1 else count_text(len(places), "server")
    return Checked(stack, f"{stack.name} can be deployed to {where}; D shows what that would do")


def stack_text(stack: StackDefinition) -> str:
    """A definition as people write it: without what is as it is anyway."""
    plain: dict[str, Any] = msgspec.to_builtins(stack)
    usual: dict[str, Any] = msgspec.to_builtins(StackDefinition(name=""))
    # The shortest come first: a compose file or an attached one may be long.
    kept = {key: value for key, value in plain.items() if key in ("name", "servers") or value != usual[key]}
    long = {key: kept.pop(key) for key in ("environment", "per_server", "attached", "compose") if key in kept}
    return yaml_text({"stacks": [{**kept, **long}]})


async def new_stack(runtime: Runtime, shell: Shell) -> str | None:
    """Choose where to begin, edit, save; returns the name."""
    items = [MenuItem(example.id, example.id, example.key, example.help) for example in EXAMPLES]
    picked = await shell.ask(MenuDialog("New stack from", items))
    if picked is None:
        return None
    servers = runtime.fleet.state.servers
    server = next((name for name, live in servers.items() if live.engine_live), next(iter(servers), "my-server"))
    return await _edit(runtime, shell, "New stack", example_text(picked, server), "")


async def edit_stack(runtime: Runtime, shell: Shell, name: str) -> str | None:
    """Edit one; returns its name, which may be another one then: that makes a copy."""
    stored = await asyncio.to_thread(runtime.stacks.stored, name)
    return await _edit(runtime, shell, f"Edit {name}", stack_text(stored.value), name, stored.rev)


async def copy_stack(runtime: Runtime, shell: Shell, name: str) -> str | None:
    """Make another one of it, under another name and project."""
    stored = await asyncio.to_thread(runtime.stacks.stored, name)
    copy = msgspec.structs.replace(stored.value, name=f"{name}-copy", project="")
    return await _edit(runtime, shell, f"Copy of {name}", stack_text(copy), "")


async def _edit(runtime: Runtime, shell: Shell, title: str, text: str, name: str, rev: int | None = None) -> str | None:
    stack = await shell.ask(StackEditor(runtime, shell, title, text))
    if stack is None:
        return None
    same = stack.name == name
    verb: Any = "edit" if same else "add"
    operation = DefineStackOperation(verb=verb, name=stack.name, definition=stack, rev=rev if same else None)
    record = await shell.acts.run(operation)
    return stack.name if record is not None and record.outcome == "success" else None


async def remove_stack(runtime: Runtime, shell: Shell, name: str) -> None:
    """Forget one; what it deployed keeps running."""
    stored = await asyncio.to_thread(runtime.stacks.stored, name)
    await shell.acts.run(DefineStackOperation(verb="remove", name=name, rev=stored.rev))
