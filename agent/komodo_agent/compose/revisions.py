"""What a row of revisions says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..wire.compose import Revision, StackFile
    from ..wire.compose_changes import Against


def last_good(revisions: Iterable[Revision]) -> Revision | None:
    """The newest revision that became healthy; ``revisions`` come newest first."""
    return next((revision for revision in revisions if revision.summary.outcome == "success"), None)


def defined_by(revision: Revision, definition: str) -> Revision:
    """The same, made by this definition: another one that means the same was deployed."""
    if not definition:
        return revision
    return msgspec.structs.replace(revision, summary=msgspec.structs.replace(revision.summary, definition=definition))


def against(good: Revision | None, service: str, *, config: str, hash: str, image: str) -> Against:
    """How a service as it is defined stands to the revision; ``config`` and ``hash`` are empty where unknown."""
    if good is None:
        return "unknown"
    if service not in good.summary.images and service not in good.hashes:
        return "new"
    if config and good.configs.get(service):
        same = config == good.configs[service]
    elif hash:
        same = hash == good.hashes.get(service)
    else:
        return "unknown"
    return "same" if same and good.references.get(service, image) == image else "changed"


def placed_files(revisions: Iterable[Revision]) -> tuple[StackFile, ...]:
    """The files that may be on disk of our making: newest first, one a path."""
    found: dict[str, StackFile] = {}
    for revision in revisions:
        if not revision.folder:
            for file in revision.files:
                found.setdefault(file.path, file)
    return tuple(found.values())
