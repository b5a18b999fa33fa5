"""From a key to an operation on resources: what has to be asked before it can be planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.resources import ClearBuildCache, CreateNetwork, CreateVolume, PullImage
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.run_options import parse_image, parse_name, parse_variable
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.resources.acts import ACTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from komodo_tui.domain.operations import ActionRecord, Operation
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.ui.modals.form import Values
    from komodo_tui.ui.resources.acts import ResourceActKey
    from komodo_tui.ui.resources.columns import Row
    from komodo_tui.ui.shell import Shell

    Done = Callable[[ActionRecord], None]


async def remove(shell: Shell, rows: Sequence[Row], done: Done) -> None:
    """Remove these; force is asked about where it can make a difference."""
    rows = [row for row in rows if not row.resource.fixed]
    if not rows:
        shell.flash("the engine's own networks cannot be removed", "warn")
        return
    force = False
    used = [row for row in rows if row.resource.used_by]
    if used and any(row.resource.kind == "image" for row in used):
        picked = await shell.ask(MenuDialog(f"Remove {names(rows)}", _remove_items(rows, used)))
        if picked is None:
            return
        force = picked == "force"
    targets = tuple(row.wanted for row in rows)
    await _run(shell, ResourceOperation(verb="remove", targets=targets, force=force), done)


def _remove_items(rows: Sequence[Row], used: Sequence[Row]) -> list[MenuItem]:
    some = f"{len(used)} of {len(rows)} are in use, and stay" if len(rows) > 1 else ""
    refused = f"{used[0].resource.used_by[0]} uses it" if len(rows) == 1 else ""
    return [
        MenuItem("plain", "remove what nothing uses", "r", some, refused),
        MenuItem("force", "remove by force", "f", "also images of stopped containers"),
    ]


async def tag(shell: Shell, row: Row, done: Done) -> None:
    """Give an image one more tag."""
    form = FormDialog(
        f"Tag {row.label}", [Field("tag", "new tag", check=_tag_wrong, help="like shop/api:1.9")], verb="tag"
    )
    values = await shell.ask(form)
    if values is not None:
        await _run(shell, ResourceOperation(verb="tag", targets=(row.wanted,), tag=values["tag"]), done)


async def pull_again(shell: Shell, rows: Sequence[Row], done: Done) -> None:
    """Pull the tags of these images on the servers they are on."""
    servers: dict[str, list[str]] = {}
    for row in rows:
        for tag in row.resource.tags:
            servers.setdefault(tag, []).append(row.live.name)
    if not servers:
        shell.flash("it has no tag to pull", "warn")
        return
    for image, where in servers.items():
        operation = ResourceOperation(verb="pull", servers=tuple(where), spec=PullImage(image=image))
        await _run(shell, operation, done, follow=True)


async def clear_cache(shell: Shell, servers: Sequence[str], done: Done) -> None:
    """Remove what builds left on these servers."""
    operation = ResourceOperation(verb="clear_cache", servers=tuple(servers), spec=ClearBuildCache())
    await _run(shell, operation, done)


async def new(shell: Shell, state: FleetState, server: str, done: Done) -> None:
    """Pull an image, create a volume or a network."""
    items = [
        MenuItem("image", "pull an image", "i"), MenuItem("volume", "create a volume", "v"),
        MenuItem("network", "create a network", "n"),
    ]  # fmt: skip
    picked = await shell.ask(MenuDialog("New", items))
    if picked is None:
        return
    fields, build = {"image": _image_form, "volume": _volume_form, "network": _network_form}[picked]()
    where = Field("servers", "servers", value=server, suggestions=tuple(state.servers),
                  check=lambda text: servers_wrong(text, state),
                  help=f"one or more, parted by spaces: {' '.join(state.servers)[:60]}")  # fmt: skip
    verb = "pull" if picked == "image" else "create"
    title = "Pull an image" if picked == "image" else f"Create a {picked}"
    values = await shell.ask(FormDialog(title, [*fields, where], verb=verb))
    if values is None:
        return
    operation = build(values, tuple(str(values["servers"]).split()))
    await _run(shell, operation, done, follow=picked == "image")


def _image_form() -> tuple[list[Field], Callable[[Values, tuple[str, ...]], ResourceOperation]]:
    fields = [Field("image", "image", check=checker(parse_image), help="like nginx:1.27")]
    return fields, lambda values, servers: ResourceOperation(
        verb="pull", servers=servers, spec=PullImage(image=parse_image(values["image"]))
    )


def _volume_form() -> tuple[list[Field], Callable[[Values, tuple[str, ...]], ResourceOperation]]:
    fields = [
        Field("name", "name", check=_name_wrong), Field("driver", "driver", value="local"),
        Field("options", "options", "lines", check=_pairs_wrong, help="one name=value a line, as --opt takes them"),
        Field("labels", "labels", "lines", check=_pairs_wrong, help="one name=value a line"),
    ]  # fmt: skip
    return fields, lambda values, servers: ResourceOperation(
        verb="create", servers=servers,
        spec=CreateVolume(name=values["name"], driver=values["driver"] or "local", options=pairs(values["options"]),
                          labels=pairs(values["labels"])),
    )  # fmt: skip


def _network_form() -> tuple[list[Field], Callable[[Values, tuple[str, ...]], ResourceOperation]]:
    fields = [
        Field("name", "name", check=_name_wrong), Field("driver", "driver", value="bridge"),
        Field("subnet", "subnet", check=_subnet_wrong, help="empty: the engine chooses; like 10.10.0.0/24"),
        Field("internal", "internal", "bool", value=False, help="without a way out"),
        Field("labels", "labels", "lines", check=_pairs_wrong, help="one name=value a line"),
    ]  # fmt: skip
    return fields, lambda values, servers: ResourceOperation(
        verb="create", servers=servers,
        spec=CreateNetwork(name=values["name"], driver=values["driver"] or "bridge", subnet=values["subnet"],
                           internal=bool(values["internal"]), labels=pairs(values["labels"])),
    )  # fmt: skip


async def pick_act(shell: Shell, rows: Sequence[Row], *, read_only: bool) -> ResourceActKey | None:
    """The menu of every act, with its key and, where it cannot be done, why."""
    items = [MenuItem(act.id, act.label, act.key, act.help, act.refusal(rows, read_only=read_only)) for act in ACTS]
    picked = await shell.ask(MenuDialog(names(rows) or "Resources", items))
    return next((act for act in ACTS if act.id == picked), None)


async def copy_something(shell: Shell, row: Row) -> None:
    """The copy menu of a resource."""
    resource = row.resource
    texts = {"name": row.label, "id": resource.id, "target": str(row.target), "detail": resource.detail,
             "labels": "\n".join(f"{k}={v}" for k, v in sorted(resource.labels.items()))}  # fmt: skip
    items = [
        MenuItem("name", "name", "n", row.label), MenuItem("id", "id", "i", resource.id),
        MenuItem("target", "name@server", "t", texts["target"]),
        MenuItem("detail", "mount point or subnets", "d", resource.detail, "" if resource.detail else "it has none"),
        MenuItem("labels", "labels", "l", f"{len(resource.labels)} lines", "" if resource.labels else "it has none"),
    ]  # fmt: skip
    picked = await shell.ask(MenuDialog("Copy", items))
    if picked is not None:
        shell.copy(texts[picked], picked)


async def _run(shell: Shell, operation: Operation, done: Done, *, follow: bool = False) -> None:
    record = await shell.acts.run(operation, follow=follow)
    if record is not None:
        done(record)


def names(rows: Sequence[Row]) -> str:
    """``web:1@db-01``, ``3 resources``; empty for none."""
    return str(rows[0].target) if len(rows) == 1 else f"{len(rows)} resources" if rows else ""


def servers_wrong(text: str, state: FleetState) -> str:
    """What is wrong with a line of servers' names; empty when nothing is."""
    given = text.split()
    unknown = [name for name in given if name not in state.servers]
    if unknown:
        return f"there is no server {unknown[0]!r}"
    return "" if given else "name at least one server"


def pairs(text: str) -> dict[str, str]:
    """One ``name=value`` a line."""
    found = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value for name, _, value in found}


def checker(parse: Callable[[str], object]) -> Callable[[str], str]:
    """The check of a field out of a parser that raises UsageError."""

    def check(text: str) -> str:
        try:
            parse(text)
        except UsageError as error:
            message = error.message.partition(": ")[2] or error.message
            return f"{message}; {error.hint}" if error.hint else message
        return ""

    return check


def _pairs_wrong(text: str) -> str:
    check = checker(lambda line: parse_variable(line, "options"))
    lines: Iterable[str] = filter(str.strip, text.splitlines())
    return next((wrong for line in lines if (wrong := check(line))), "")


def _name_wrong(text: str) -> str:
    return checker(parse_name)(text) if text else "it needs a name"


def _tag_wrong(text: str) -> str:
    return checker(parse_image)(text) if text else "it needs a name"


def _subnet_wrong(text: str) -> str:
    import ipaddress

    try:
        if text:
            ipaddress.ip_network(text)
    except ValueError as error:
        return str(error)
    return ""
