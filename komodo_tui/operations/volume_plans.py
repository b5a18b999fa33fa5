"""What taking a volume's content to this side, or putting it back, would do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.units import bytes_text
from komodo_tui.operations.container_plans import Draft, server_of, stale

if TYPE_CHECKING:
    from komodo_tui.domain.volumes import VolumeOperation
    from komodo_tui.fleet.live import FleetState

_UNDO = {
    "backup": "delete the file",
    "download": "delete the file",
    "restore": "restore a backup of what is there now; take one first",
}


def draft_volume(operation: VolumeOperation, state: FleetState) -> Draft:
    """One step.

    Raises:
        UsageError: the file cannot be what it is to be.
        NotFoundError: an unknown server, or no such file to restore from.
    """
    server = server_of(state, operation.server)
    size = _check_file(operation)
    step = PlanStep(
        target=Target(server=operation.server, name=operation.volume),
        text=_text(operation, size),
        command=_command(operation),
        warning="; ".join(filter(None, [_warning(operation), stale(server)])),
    )
    titles = {"backup": "Back up volume", "restore": "Restore volume", "download": "Download from volume"}
    return Draft(f"{titles[operation.verb]} {step.target}", operation.verb, (step,), _UNDO[operation.verb])


def _check_file(operation: VolumeOperation) -> int:
    """The size of an archive to restore from; 0 for the other verbs."""
    file = operation.file
    if not os.path.isabs(file):
        raise UsageError(f"{operation.verb}: {file!r} is no absolute path")
    if operation.verb == "restore":
        if not os.path.isfile(file):
            raise NotFoundError(f"there is no file {file}", hint="name a tar archive")
        return os.path.getsize(file)
    if os.path.lexists(file):
        raise UsageError(f"{file} exists already", hint="choose another name, or delete it first")
    if not os.path.isdir(os.path.dirname(file)):
        raise UsageError(f"there is no folder {os.path.dirname(file)}", hint="make it first")
    return 0


def _text(operation: VolumeOperation, size: int) -> str:
    if operation.verb == "restore":
        return f"put {operation.file} ({bytes_text(size)}) into volume {operation.volume}"
    if operation.verb == "download":
        return f"write {operation.shown} of volume {operation.volume} to {operation.file}"
    return f"write all of volume {operation.volume} to {operation.file}"


def _command(operation: VolumeOperation) -> str:
    """What a person on the server would do for the same; the agent uses no shell and no helper container."""
    place = f"$(docker volume inspect -f '{{{{.Mountpoint}}}}' {operation.volume})"
    if operation.verb == "restore":
        return f"tar -x -C {place}"
    return f"cat {place}{operation.shown}" if operation.verb == "download" else f"tar -c -C {place} ."


def _warning(operation: VolumeOperation) -> str:
    users = ", ".join(operation.used_by[:3])
    if operation.verb == "restore":
        lost = "what is in it now is lost once the archive is unpacked" if operation.replace else ""
        refused = f"{users} uses it: refused while it runs" if users else ""
        return "; ".join(filter(None, [lost, refused]))
    if operation.verb == "backup" and users:
        return f"{users} uses it and may write meanwhile: a database's files may not fit each other"
    return ""
