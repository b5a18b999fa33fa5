"""What a branch is at the repository's own server: asked without a clone, and nothing is kept."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from ..compose.disk import disk_errors, write_whole
from ..wire.repos import RemoteHead
from .git import GitFailedError, HardGit
from .said import explained

if TYPE_CHECKING:
    from pathlib import Path

    from ..wire.repos import RepoSource

_TIMEOUT = 30.0
_REFS = "refs/heads/"


async def remote_head(root: Path, source: RepoSource) -> RemoteHead:
    """Ask ``git ls-remote``. A branch that is not there, or a repository without commits, is an empty commit.

    Raises:
        AgentError: the server cannot be reached, refuses, or does not answer in time.
    """
    hosts = await asyncio.to_thread(_hosts_file, root, source.host_keys)
    nowhere = root / ".nowhere"
    wanted = f"{_REFS}{source.branch}" if source.branch else "HEAD"
    try:
        out = await HardGit(nowhere, nowhere).network(
            "ls-remote", "--quiet", "--symref", "--end-of-options", source.url, wanted,
            source=source, known_hosts=hosts, timeout=_TIMEOUT,
        )  # fmt: skip
    except GitFailedError as error:
        raise explained(error, source) from error
    commit, branch = "", source.branch
    for line in out.decode("utf-8", "replace").splitlines():
        what, _, name = line.partition("\t")
        if name == wanted and what.startswith("ref: "):
            branch = what.removeprefix("ref: ").removeprefix(_REFS)
        elif name == wanted:
            commit = what
    return RemoteHead(commit=commit, branch=branch)


def _hosts_file(root: Path, lines: tuple[str, ...]) -> Path:
    """A known_hosts file of these lines, the same one for all who have the same. Raises AgentError."""
    text = "".join(f"{line}\n" for line in lines).encode()
    path = root / f".hosts-{hashlib.sha256(text).hexdigest()[:16]}"
    if not lines or path.exists():
        return path
    with disk_errors(path):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, text)
    return path
