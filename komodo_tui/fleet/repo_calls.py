"""The part of the agent's client that is about clones of git repositories."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.repos import (
    ROUTE_REMOTE,
    ROUTE_REPO,
    ROUTE_REPO_CHANGED,
    ROUTE_REPO_FILE,
    ROUTE_REPO_FILES,
    ROUTE_REPO_TEXTS,
    ROUTE_REPOS,
    ChangedPaths,
    RemoteHead,
    RepoDetail,
    RepoFile,
    RepoState,
    RepoTexts,
)
from komodo_agent.wire.volumes import VolumeFolder
from komodo_tui.domain.errors import ActError
from komodo_tui.fleet.lending import LendCalls

if TYPE_CHECKING:
    from komodo_agent.wire.repos import RepoSource

READ_TIMEOUT = 60.0
"""A clone with very many files takes its time to be compared."""
TEXTS_TIMEOUT = 120.0
"""Longer than an act waits for another one on the same clone."""
LOOK_TIMEOUT = 90.0
"""Longer than the agent gives git, and looks before this one."""


class RepoCalls(LendCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def repos(self) -> list[RepoState]:
        """The clones there are."""
        return await self._get(ROUTE_REPOS, list[RepoState], timeout=READ_TIMEOUT)

    async def repo(self, name: str) -> RepoDetail:
        """One, with its log and its changes."""
        return await self._get(ROUTE_REPO, RepoDetail, id=name, timeout=READ_TIMEOUT)

    async def changed_paths(self, name: str, before: str, after: str) -> ChangedPaths:
        """The files in which two commits of a clone differ."""
        return await self._get(
            ROUTE_REPO_CHANGED, ChangedPaths, {"before": before, "after": after}, id=name, timeout=READ_TIMEOUT
        )

    async def repo_folder(self, name: str, path: str = "") -> VolumeFolder:
        """A folder of a clone; ``path`` as the entries of the folder above have it."""
        return await self._get(ROUTE_REPO_FILES, VolumeFolder, {"path": path}, id=name, timeout=READ_TIMEOUT)

    async def repo_file(self, name: str, path: str) -> RepoFile:
        """A text file of a clone, every character of it.

        Raises:
            ActError: it has characters that cannot be shown: what was saved would not be what was read.
        """
        file = await self._get(ROUTE_REPO_FILE, RepoFile, {"path": path}, id=name, timeout=READ_TIMEOUT)
        return _whole(file)

    async def repo_texts(self, name: str, path: str, *, every: bool) -> RepoTexts:
        """The text files (or the YAML files alone) of what is checked out, below a path, every character of them.

        Raises:
            ActError: one has characters that cannot be shown.
        """
        query = {"path": path.encode().hex(), "every": "yes" if every else ""}
        found = await self._get(ROUTE_REPO_TEXTS, RepoTexts, query, id=name, timeout=TEXTS_TIMEOUT)
        for file in found.files:
            _whole(file)
        return found

    async def remote_head(self, source: RepoSource) -> RemoteHead:
        """What the branch is at the repository's own server now, as seen from this server."""
        async with self.lending(source):
            body, _ = await self._call("POST", ROUTE_REMOTE, body=msgspec.json.encode(source), timeout=LOOK_TIMEOUT)
        return self._decode(body, RemoteHead)


def _whole(file: RepoFile) -> RepoFile:
    if hashlib.sha256(file.text.encode()).hexdigest() != file.digest:
        raise ActError(
            f"{file.path} has control characters or line ends that cannot be edited here", hint="edit it there"
        )
    return file
