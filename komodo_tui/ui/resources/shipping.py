"""Bringing an image to other servers, and pushing it to registries, from the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.operations.push_plans import check_registry, prepare_push
from komodo_tui.operations.ship_plans import prepare_ship
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.resources.flows import checker, servers_wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.ui.resources.columns import Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

    Done = Callable[[ActionRecord], None]


async def bring(act: str, shell: Shell, runtime: Runtime, rows: Sequence[Row], done: Done) -> None:
    """``resource.ship`` or ``resource.push``."""
    if act == "resource.ship":
        await ship(shell, runtime, rows, done)
    else:
        await push(shell, runtime, rows[0], done)


async def ship(shell: Shell, runtime: Runtime, rows: Sequence[Row], done: Done) -> None:
    """Ask where to, look at both sides, show the plan and do it; one act for each image."""
    state = runtime.fleet.state
    here = {row.live.name for row in rows}
    others = [name for name, live in state.servers.items() if name not in here and live.engine_live]
    if not others:
        shell.flash("ship: no other server with an engine is connected", "warn")
        return
    what = rows[0].label if len(rows) == 1 else f"{len(rows)} images"
    field = Field(
        "servers", "to servers", value=others[0] if len(others) == 1 else "", suggestions=tuple(others),
        check=lambda text: servers_wrong(text, state), help=f"one or more, parted by spaces: {' '.join(others)[:60]}",
    )  # fmt: skip
    intro = "Only the layers that a server lacks are sent, through the tunnels; no registry is needed."
    values = await shell.ask(FormDialog(f"Ship {what}", [field], verb="ship", intro=intro))
    if values is None:
        return
    servers = str(values["servers"]).split()
    for row in rows:
        shell.flash(f"looking what {' '.join(servers)[:40]} lacks of {row.label}", "busy")
        # where it would not run the plan says so, and asks, whatever the policy
        operation = await prepare_ship(runtime.fleet, row.resource.id, servers, row.live.name, any_platform=True)
        record = await shell.acts.run(operation, follow=True)
        if record is not None:
            done(record)


async def push(shell: Shell, runtime: Runtime, row: Row, done: Done) -> None:
    """Ask which registries, show the plan and do it."""
    if not row.resource.tags:
        shell.flash("push: it has no name; tag it first (E)", "warn")
        return
    name = Field(
        "name", "image", "choice", value=row.resource.tags[0], choices=tuple((tag, tag) for tag in row.resource.tags)
    )
    to = Field(
        "registries",
        "registries",
        check=_registries_wrong,
        help="host[:port][/path] …; empty: the one in its name",
    )
    intro = "With the logins kept under Variables (komodo-tui registry login); nothing of them stays on the server."
    values = await shell.ask(FormDialog(f"Push {row.label}", [name, to], verb="push", intro=intro))
    if values is None:
        return
    registries = str(values["registries"]).split()
    operation = await prepare_push(runtime.fleet, str(values["name"]), registries, row.live.name)
    record = await shell.acts.run(operation, follow=True)
    if record is not None:
        done(record)


def _registries_wrong(text: str) -> str:
    check = checker(check_registry)
    return next((wrong for word in text.split() if (wrong := check(word))), "")
