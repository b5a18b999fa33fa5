"""Files that change under containers which stay: what those do not see by themselves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ..wire.compose_changes import FileChange, ServiceChange
    from .model import Service


def unseen(
    folder: str,
    files: Iterable[FileChange],
    compose_files: Collection[str],
    services: Mapping[str, Service],
    changes: Iterable[ServiceChange],
) -> Iterator[str]:
    """A warning for each file that a service mounts and that changes while the service is kept.

    A file that is mounted by itself stays the old one for a container that runs; of a folder it may be read anew.
    """
    kept = {change.service for change in changes if change.verb == "keep" and change.containers}
    for file in files:
        path = f"{folder}/{file.path}"
        if file.path in compose_files:
            continue
        for name, service in services.items():
            if name in kept and any(path == bind or path.startswith(f"{bind.rstrip('/')}/") for bind in service.binds):
                yield f"{file.path} changes, and {name}, which mounts it, goes on as it is: restart it afterwards"
