"""What a row of revisions says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..wire.compose import Revision, StackFile


def last_good(revisions: Iterable[Revision]) -> Revision | None:
    """The newest revision that became healthy; ``revisions`` come newest first."""
    return next((revision for revision in revisions if revision.summary.outcome == "success"), None)


def placed_files(revisions: Iterable[Revision]) -> tuple[StackFile, ...]:
    """The files that may be on disk of our making: newest first, one a path."""
    found: dict[str, StackFile] = {}
    for revision in revisions:
        if not revision.folder:
            for file in revision.files:
                found.setdefault(file.path, file)
    return tuple(found.values())
