"""The form that creates a container, in the notation of ``docker run``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.operations import CreateOperation
from komodo_tui.domain.run_options import (
    RunOptions,
    parse_bind,
    parse_command,
    parse_image,
    parse_name,
    parse_port,
    parse_restart,
    parse_run_options,
    parse_variable,
)
from komodo_tui.ui.modals.form import Field, FormDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.ui.modals.form import Values
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 1.5
"""Seconds to wait for the names of images and networks; the form works without."""
_PULLS = (("missing", "if it is not there"), ("always", "always"), ("never", "never"))


async def create_container(runtime: Runtime, shell: Shell, server: str, done: Callable[[ActionRecord], None]) -> None:
    """Fill in the form, then plan, confirm and run it with the pull's progress on screen.

    ``server`` is proposed; ``done`` is called with the record when it was run.
    """
    images, networks = await offers(runtime, server)
    form = FormDialog(
        "Create a container", run_fields(runtime.fleet.state, server, images, networks), verb="create", check=_check_all
    )
    values = await shell.ask(form)
    if values is None:
        return
    operation = CreateOperation(
        servers=tuple(str(values["servers"]).split()), container=parse_run_options(_read(values))
    )
    record = await shell.acts.run(operation, follow=True)
    if record is not None:
        done(record)


async def offers(runtime: Runtime, server: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the images and networks on the server, as far as it says them at once."""
    try:
        async with asyncio.timeout(_PATIENCE):
            client = await runtime.fleet.link(server).client(_PATIENCE)
            images, networks = await asyncio.gather(client.images(), client.networks())
    except (TimeoutError, KomodoError):
        return (), ()
    tags = sorted({tag for image in images for tag in image.tags if "<none>" not in tag})
    return tuple(tags), tuple(sorted(network.name for network in networks))


def run_fields(state: FleetState, server: str, images: tuple[str, ...], networks: tuple[str, ...]) -> list[Field]:
    """The fields, with what a server has to offer."""
    names = tuple(state.servers)
    return [
        Field("image", "image", suggestions=images, check=_checker(parse_image),
              help=f"{len(images)} on {server}, → takes the one offered" if images else "like nginx:1.27"),
        Field("name", "name", check=_checker(parse_name), help="empty: the engine chooses one"),
        Field("servers", "servers", value=server, suggestions=names, check=lambda text: _servers(text, state),
              help=f"one or more, parted by spaces: {' '.join(names)[:60]}"),
        Field("command", "command", check=_checker(parse_command), help="empty: the image's own"),
        Field("ports", "ports", check=_each(parse_port, words=True), help="8080:80 127.0.0.1:53:53/udp"),
        Field("volumes", "volumes", "lines", check=_each(parse_bind),
              help="one a line: data:/var/lib/data or /srv/www:/www:ro"),
        Field("environment", "environment", "lines", check=_each(lambda line: parse_variable(line, "environment")),
              help="one NAME=value a line"),
        Field("network", "network", suggestions=networks, help="empty: the default bridge"),
        Field("restart", "restart policy", value="unless-stopped", check=_checker(parse_restart),
              suggestions=("no", "always", "unless-stopped", "on-failure"),
              help="no, always, unless-stopped, on-failure[:times]"),
        Field("labels", "labels", "lines", check=_each(lambda line: parse_variable(line, "labels")),
              help="one name=value a line"),
        Field("pull", "pull", "choice", value="missing", choices=_PULLS),
        Field("tty", "terminal", "bool", value=False, help="give it a terminal, as -t does"),
        Field("start", "start", "bool", value=True, help="start it at once"),
    ]  # fmt: skip


def _servers(text: str, state: FleetState) -> str:
    names = text.split()
    unknown = [name for name in names if name not in state.servers]
    if unknown:
        return f"there is no server {unknown[0]!r}"
    return "" if names else "name at least one server"


def _checker(parse: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parse(text)
        except UsageError as error:
            message = error.message.partition(": ")[2] or error.message
            return f"{message}; {error.hint}" if error.hint else message
        return ""

    return check


def _each(parse: Callable[[str], object], *, words: bool = False) -> Callable[[str], str]:
    one = _checker(parse)

    def check(text: str) -> str:
        entries: Iterable[str] = text.replace(",", " ").split() if words else filter(str.strip, text.splitlines())
        return next((wrong for entry in entries if (wrong := one(entry))), "")

    return check


def _read(values: Values) -> RunOptions:
    given: dict[str, Any] = {name: value for name, value in values.items() if name != "servers"}
    return RunOptions(**given)


def _check_all(values: Values) -> dict[str, str]:
    try:
        parse_run_options(_read(values))
    except UsageError as error:
        return {error.message.partition(":")[0]: error.message}
    return {}
