"""From a key to an operation: what has to be asked before an act on containers can be planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.run_options import parse_name
from komodo_tui.ui.containers.acts import ACTS, BY_ID, operations_for
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.ui.containers.acts import ContainerActKey
    from komodo_tui.ui.containers.columns import Row
    from komodo_tui.ui.shell import Shell

_SIGNALS = (
    ("SIGKILL", "k", "end at once; nothing is saved"), ("SIGTERM", "t", "ask to end"),
    ("SIGINT", "i", "as ^C would"), ("SIGHUP", "h", "often: read the configuration again"),
    ("SIGQUIT", "q", "end, with a core dump or a trace"), ("SIGUSR1", "1", "what the program makes of it"),
    ("SIGUSR2", "2", "what the program makes of it"),
)  # fmt: skip


async def act_on(shell: Shell, act: ContainerActKey, rows: Sequence[Row], done: Callable[[], None]) -> None:
    """Ask what the act needs to know, then plan, confirm and run it; ``done`` is called when it was run."""
    if not any(row.container.state in act.states for row in rows):
        shell.flash(f"nothing to {act.label.rstrip('…')} here: {_states(rows)}", "warn")
        return
    options: dict[str, object] | None = {}
    if act.verb == "remove":
        options = await _remove_options(shell, rows)
    elif act.verb == "kill":
        options = await _kill_options(shell, rows)
    elif act.verb == "rename":
        options = await _rename_options(shell, rows)
    if options is None:
        return
    ran = False
    for operation in operations_for(act, rows, **options):
        ran = await shell.acts.run(operation) is not None or ran
    if ran:
        done()


def _states(rows: Sequence[Row]) -> str:
    states = sorted({row.container.state for row in rows})
    return f"{'it is' if len(rows) == 1 else 'they are'} {' and '.join(states)}" if rows else "no container is chosen"


def _names(rows: Sequence[Row]) -> str:
    return str(rows[0].target) if len(rows) == 1 else f"{len(rows)} containers"


async def _remove_options(shell: Shell, rows: Sequence[Row]) -> dict[str, object] | None:
    """The flags of the removal; anonymous volumes are kept unless asked for."""
    alive = [row for row in rows if row.container.state in ("running", "restarting", "paused")]
    refused = f"{rows[0].container.state}: stop it, or f" if len(rows) == 1 and alive else ""
    some = f"{len(alive)} of them run, and stay" if alive else ""
    items = [
        MenuItem("keep", "remove, keep all volumes", "r", some, refused),
        MenuItem("force", "stop by force and remove, keep all volumes", "f"),
        MenuItem("volumes", "remove with its anonymous volumes", "v", some or "their data is lost", refused),
        MenuItem("all", "by force, with its anonymous volumes", "a", "their data is lost"),
    ]
    picked = await shell.ask(MenuDialog(f"Remove {_names(rows)}", items))
    if picked is None:
        return None
    return {"force": picked in ("force", "all"), "volumes": picked in ("volumes", "all")}


async def _kill_options(shell: Shell, rows: Sequence[Row]) -> dict[str, object] | None:
    items = [MenuItem(name, name, key, help) for name, key, help in _SIGNALS]
    signal = await shell.ask(MenuDialog(f"Signal to {_names(rows)}", items))
    return None if signal is None else {"signal": signal}


async def _rename_options(shell: Shell, rows: Sequence[Row]) -> dict[str, object] | None:
    if len(rows) != 1:
        raise UsageError("rename takes one container", hint="clear the marks with Esc and rename them one by one")
    row = rows[0]
    taken = {c.name for c in row.live.containers.values()} - {row.container.name}

    def check(text: str) -> str:
        try:
            name = parse_name(text)
        except UsageError as error:
            return f"{error.message} ({error.hint})" if error.hint else error.message
        return "it needs a name" if not name else f"{name} exists there already" if name in taken else ""

    from komodo_tui.ui.modals.form import Field, FormDialog  # late: it loads the input fields

    form = FormDialog(f"Rename {row.target}", [Field("name", "new name", value=row.container.name, check=check)],
                      verb="rename")  # fmt: skip
    values = await shell.ask(form)
    return None if values is None or values["name"] == row.container.name else {"new_name": values["name"]}


async def pick_act(
    shell: Shell, rows: Sequence[Row], *, read_only: bool, more: Sequence[MenuItem] = ()
) -> ContainerActKey | str | None:
    """The menu of every act on these rows, with its key, and of ``more``, of which the id comes back."""
    items = []
    for act in ACTS:
        reason = "read-only mode is on" if read_only else ""
        if not reason and not act.applies_to(row.container for row in rows):
            reason = _states(rows)
        if not reason and act.single and len(rows) != 1:
            reason = "for one container only"
        items.append(MenuItem(act.id, act.label, act.key, act.help, reason))
    picked = await shell.ask(MenuDialog(_names(rows), [*items, *more]))
    return None if picked is None else BY_ID.get(picked, picked)


async def copy_something(shell: Shell, row: Row) -> None:
    """The copy menu of a container."""
    container = row.container
    texts = {
        "name": container.name, "id": container.id, "image": container.image,
        "target": str(row.target), "labels": "\n".join(f"{k}={v}" for k, v in sorted(container.labels.items())),
    }  # fmt: skip
    items = [
        MenuItem("name", "name", "n", container.name), MenuItem("id", "id", "i", container.id[:12]),
        MenuItem("image", "image", "m", container.image), MenuItem("target", "name@server", "t", texts["target"]),
        MenuItem("labels", "labels", "l", f"{len(container.labels)} lines", "" if container.labels else "it has none"),
    ]  # fmt: skip
    picked = await shell.ask(MenuDialog("Copy", items))
    if picked is not None:
        shell.copy(texts[picked], picked)
