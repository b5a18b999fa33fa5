"""The files of a deploy: put where compose reads them, and put back while no container has seen them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .checkout import Checkout
from .revisions import placed_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..jobs import JobContext
    from ..wire.compose import ComposeSource, Revision, StackFile
    from .folder import StackFolder


class Placing:
    """The files of one project in one deploy. Everything raises AgentError when the disk or git refuses."""

    def __init__(self, kept: StackFolder, context: JobContext, fd: int, before: Sequence[Revision]) -> None:
        """``before``: the revisions there were; ``fd``: the project's lock, which git holds on to."""
        self._kept = kept
        self._context = context
        self._fd = fd
        self._before = before
        self._overwritten: tuple[StackFile, ...] | None = None
        """What was on disk before files were placed; None until then."""
        self._came_from = ""
        """The commit that was checked out before another one was."""

    async def place(self, source: ComposeSource) -> None:
        """Those of what is to be deployed."""
        if source.git is not None:
            self._context.log(f"files of {source.git.repo.url} at {source.commit[:12]}")
            checkout = Checkout(self._kept, source.git)
            self._came_from = await checkout.head()
            await checkout.check_out(source.commit, self._fd)
        if source.folder:
            self._kept.place_returned(source.files)
        else:
            placed = placed_files(self._before)
            self._overwritten = self._kept.snapshot((*source.files, *placed))
            self._kept.place(source.files, placed)

    async def put_back(self, source: ComposeSource) -> None:
        """The files that were there before those of ``source``."""
        if source.git is not None and self._came_from:
            await Checkout(self._kept, source.git).check_out(self._came_from, self._fd)
        if self._overwritten is not None:
            self._kept.place(self._overwritten, source.files)

    async def bring_back(self, old: ComposeSource, source: ComposeSource) -> ComposeSource:
        """Those of a revision, in the place of ``source``'s; returns the old source as it lies now."""
        if old.git is not None:
            checkout = Checkout(self._kept, old.git)
            await checkout.check_out(old.commit, self._fd)
            old = msgspec.structs.replace(old, folder=str(checkout.folder))
        if old.folder:
            self._kept.place_returned(old.files)
        else:
            self._kept.place(old.files, source.files)
        return old
