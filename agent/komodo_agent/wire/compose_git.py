"""Stacks whose files come from a git repository: what an agent is told of it, and what it tells."""

from __future__ import annotations

import msgspec

from .repos import RepoCommit, RepoSource


class GitOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """A repository, and the folder of it that has a stack's files."""

    repo: RepoSource
    """Its token travels in requests alone: it is never kept."""
    folder: str = ""
    """Relative, below the repository's top; empty = the top itself."""


class GitNews(msgspec.Struct, frozen=True, kw_only=True):
    """Which commit a deploy goes to, and how that stands to what is deployed and to the branch."""

    target: RepoCommit
    deployed: str = ""
    """The commit of the newest good revision; empty = it came from no repository."""
    tip: RepoCommit | None = None
    """The branch's last commit, as it was looked at now or last."""
    coming: tuple[RepoCommit, ...] = ()
    """Commits from the deployed one to the target, newest first; the first of them."""
    behind: int = 0
    """How many commits of the branch the target does not hold."""
    edited: tuple[str, ...] = ()
    """Files that were changed on the server since they were checked out."""
