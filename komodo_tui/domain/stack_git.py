"""The git repository that a stack's files come from: one of the repos that are defined, or a URL. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.compose_git import GitOrigin
from komodo_agent.wire.repo_checks import wrong_source
from komodo_agent.wire.repos import RepoSource
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.values import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.repos import RepoDefinition


class StackGit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in git a stack's files are."""

    repo: str = ""
    """The name of a repo that is defined: its URL and login count, and its branch and commit where none are here."""
    url: str = ""
    """Instead of ``repo``."""
    branch: str = ""
    commit: str = ""
    """Stay at this commit; empty = what the branch is at each deploy."""
    folder: str = ""
    """Below the repository's top."""
    token: str = ""
    """With ``url``: the name of the secret that is the token, for https."""
    username: str = ""
    ssh_key: str = ""
    host_keys: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """``shop main deploy``: what a person needs to know it by."""
        pinned = f"at {self.commit[:10]}" if self.commit else ""
        return " ".join(filter(None, (self.repo or self.url, self.branch, pinned, self.folder)))


def check_git(git: StackGit, name: str) -> None:
    """Raise :class:`UsageError` saying which field is wrong; ``name`` is the stack's, as messages call it."""
    if bool(git.repo) == bool(git.url):
        raise UsageError(f"{name}: git: give either repo (the name of one that is defined) or url")
    if git.repo and (git.token or git.username or git.ssh_key or git.host_keys):
        raise UsageError(f"{name}: git: the login is that of repo {git.repo}", hint="leave it out here, or give url")
    source = _own_source(git) if git.url else RepoSource(url="/-", branch=git.branch, commit=git.commit)
    wrong = wrong_source(source)
    if wrong:
        raise UsageError(f"{name}: git: {wrong}")
    if git.token:
        check_name(git.token)


def origin_of(git: StackGit, name: str, repos: Mapping[str, RepoDefinition]) -> GitOrigin:
    """What an agent is told, without the token.

    Raises:
        NotFoundError: it names a repo that is not defined.
    """
    if not git.repo:
        return GitOrigin(repo=_own_source(git), folder=git.folder)
    repo = repos.get(git.repo)
    if repo is None:
        known = ", ".join(sorted(repos)) or "none is defined"
        raise NotFoundError(f"{name}: there is no repo {git.repo!r}", hint=f"known: {known}")
    source = repo.source
    if git.branch or git.commit:
        source = msgspec.structs.replace(source, branch=git.branch or source.branch, commit=git.commit)
    return GitOrigin(repo=source, folder=git.folder)


def _own_source(git: StackGit) -> RepoSource:
    return RepoSource(
        url=git.url, branch=git.branch, commit=git.commit, ssh_key=git.ssh_key, host_keys=git.host_keys,
        username=git.username, secret=git.token,
    )  # fmt: skip
