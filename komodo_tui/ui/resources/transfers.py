"""From a key to a transfer between a volume and this side."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.ui.modals.form import Field, FormDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.volumes import VolumeFile
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.ui.resources.columns import Row
    from komodo_tui.ui.shell import Shell

    Done = Callable[[ActionRecord], None]


async def keep(shell: Shell, row: Row, file: VolumeFile | None, done: Done) -> None:
    """Write this file of a volume to a file here; without one, all of it to a tar file."""
    if file is not None and file.kind == "file":
        await download(shell, row, file, done)
    else:
        await back_up(shell, row, done)


async def back_up(shell: Shell, row: Row, done: Done) -> None:
    """Ask where to, and write all of the volume there."""
    day = time.strftime("%Y%m%d-%H%M%S", time.localtime(shell.now()))
    name = f"{row.resource.name}-{row.live.name}-{day}.tar"
    file = await _ask_file(shell, f"Back up {row.target}", name, "write")
    if file:
        await _run(shell, _operation(row, "backup", file), done)


async def download(shell: Shell, row: Row, chosen: VolumeFile, done: Done) -> None:
    """Ask where to, and write one file of the volume there."""
    name = chosen.name.replace("/", "_")
    file = await _ask_file(shell, f"Download {chosen.name} of {row.target}", name, "write")
    if file:
        shown = "/" + bytes.fromhex(chosen.path).decode("utf-8", "replace")
        operation = VolumeOperation(
            verb="download", server=row.live.name, volume=row.resource.id, file=file, path=chosen.path, shown=shown
        )
        await _run(shell, operation, done)


async def restore(shell: Shell, row: Row, done: Done) -> None:
    """Ask which archive, and put it into the volume."""
    fields = [
        Field("file", "archive", check=_readable, help="a tar file on this side, plain or compressed"),
        Field("replace", "replace", "bool", value=False, help="also when it is not empty: what is in it is lost"),
    ]
    values = await shell.ask(FormDialog(f"Restore into {row.target}", fields, verb="restore"))
    if values is not None:
        await _run(shell, _operation(row, "restore", absolute(values["file"]), bool(values["replace"])), done)


def _operation(row: Row, verb: str, file: str, replace: bool = False) -> VolumeOperation:
    return VolumeOperation(
        verb="restore" if verb == "restore" else "backup", server=row.live.name, volume=row.resource.id, file=file,
        replace=replace, used_by=row.resource.used_by,
    )  # fmt: skip


async def _ask_file(shell: Shell, title: str, name: str, verb: str) -> str:
    field = Field("file", "file here", value=os.path.join("~", name), check=_writable)
    values = await shell.ask(FormDialog(title, [field], verb=verb))
    return absolute(values["file"]) if values is not None else ""


async def _run(shell: Shell, operation: VolumeOperation, done: Done) -> None:
    record = await shell.acts.run(operation, follow=True)
    if record is not None:
        done(record)


def absolute(text: str) -> str:
    """A path as people type it, in full."""
    return os.path.abspath(os.path.expanduser(text))


def _writable(text: str) -> str:
    path = absolute(text)
    if not text or os.path.isdir(path):
        return "it needs the name of a file"
    if os.path.lexists(path):
        return "it exists already"
    return "" if os.path.isdir(os.path.dirname(path)) else f"there is no folder {os.path.dirname(path)}"


def _readable(text: str) -> str:
    return "" if text and os.path.isfile(absolute(text)) else "there is no such file"
