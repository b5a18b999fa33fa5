"""Every act on a stack in a menu, and those that have no key of their own on its page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from komodo_tui.ui.deployments.acts import BY_ID
from komodo_tui.ui.deployments.flows import act_items, act_on
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.stacks.flows import deploy

if TYPE_CHECKING:
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.stacks.book import StackRow

OWN = frozenset({"deploy", "roll_back", "edit", "copy", "remove"})
"""Acts of the page itself."""


async def pick_act(shell: Shell, row: StackRow, *, read_only: bool) -> str | None:
    """The id of an act: one of :data:`OWN`, of a deployment, ``pull`` or ``one``."""
    one = "it runs on one server" if len(row.places) == 1 else "" if row.places else row.problem or "it runs nowhere"
    items = [
        MenuItem("deploy", "deploy", "D", "shows what would change first"),
        MenuItem("one", "deploy to one server…", "o", "", one),
        MenuItem("pull", "pull and deploy", "p", "new images of the same tags; shows what would change"),
        MenuItem("roll_back", "roll back", "Z", "to the last good revision"),
        *(replace(item, key="x") if item.key == "X" else item for item in act_items(row.places)),
        MenuItem("edit", "edit", "e"),
        MenuItem("copy", "copy…", "c", "another stack that begins as this one"),
        MenuItem("remove", "forget", "X", "the definition; what it deployed keeps running"),
    ]
    if read_only:
        items = [replace(item, disabled="read-only mode is on") for item in items]
    return await shell.ask(MenuDialog(row.definition.name, items))


async def menu_act(runtime: Runtime, shell: Shell, row: StackRow, picked: str) -> object:
    """Do what was picked and is no act of the page; returns what came of it, None for nothing.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    if picked == "pull":
        return await deploy(runtime, shell, row.definition, pull="always")
    if picked != "one":
        return await act_on(runtime, shell, BY_ID[picked], row.places)
    servers = [place.deployment.server for place in row.places]
    keys = "123456789abcdefghi"
    items = [MenuItem(name, name, keys[n] if n < len(keys) else "") for n, name in enumerate(servers)]
    server = await shell.ask(MenuDialog(f"Deploy {row.definition.name} to", items))
    return None if server is None else await deploy(runtime, shell, row.definition, (server,))
