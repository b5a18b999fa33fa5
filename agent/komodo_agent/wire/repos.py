"""Git repositories that an agent keeps clones of: what it is asked, and what it tells."""

from __future__ import annotations

from typing import Literal

import msgspec

ROUTE_REPOS = "/v1/repos"
"""GET: a :class:`RepoState` of each clone."""
ROUTE_REPO = "/v1/repos/{id}"
"""GET: a :class:`RepoDetail`."""
ROUTE_REPO_CHANGED = "/v1/repos/{id}/changed"
"""GET with ``before`` and ``after``, full ids of commits: a :class:`ChangedPaths`."""
ROUTE_REMOTE = "/v1/remotes"
"""POST of a :class:`RepoSource`: a :class:`RemoteHead`. No clone is needed and none is touched."""

ROUTE_REPO_FILES = "/v1/repos/{id}/files"
"""GET with ``path``: a :class:`~komodo_agent.wire.volumes.VolumeFolder` of the clone's files."""
ROUTE_REPO_FILE = "/v1/repos/{id}/file"
"""GET with ``path``: a :class:`RepoFile`."""
ROUTE_REPO_TEXTS = "/v1/repos/{id}/texts"
"""GET with ``path`` and ``every`` (``yes``: not YAML files alone): :class:`RepoTexts`."""

RepoVerb = Literal["clone", "pull", "fetch", "remove", "commit"]


class RepoSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a clone comes from, and how to get in."""

    url: str
    branch: str = ""
    """Empty = what the repository says is its main one."""
    commit: str = ""
    """Stay at this commit; empty = follow the branch."""
    ssh_key: str = ""
    """Path of a private key on the server; empty = what ssh there uses by itself (its agent, its usual keys)."""
    host_keys: tuple[str, ...] = ()
    """Lines of a known_hosts file; empty = the server's own file. An unknown host is never accepted."""
    username: str = ""
    """Of the token."""
    secret: str = ""
    """The name of the secret that is the token, for messages."""
    token: str = ""
    """A secret: never logged, never in a job's state."""
    key_secret: str = ""
    """The name of the secret that is the private key, for messages."""
    key: str = ""
    """A private key instead of ``ssh_key``. A secret, as the token is."""
    agent_socket: str = ""
    """Where who asks has an ssh-agent: used where that is a socket of the same user on the server, as on one's own."""
    ssh_agent: bool = False
    """The ssh-agent of who asks is lent to the server while git runs."""
    lent: str = ""
    """The id under which it is lent for this call, see :mod:`.lent`. A secret, as the token is."""

    @property
    def bare(self) -> RepoSource:
        """The same without its secrets."""
        return msgspec.structs.replace(self, token="", key="", lent="")


class RepoFile(msgspec.Struct, frozen=True, kw_only=True):
    """A text file of a clone."""

    path: str
    text: str
    digest: str
    """SHA-256 of its bytes, in hexadecimal digits."""


class RepoTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The text files of one commit below a path."""

    commit: str
    files: tuple[RepoFile, ...] = ()
    """In the order of their paths. No links, none whose path has a part that begins with a dot."""


class RepoChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is to be."""

    path: str
    """Below the clone's top."""
    text: str | None
    """None: it goes."""
    digest: str = ""
    """Of what it was made from; empty = there was no file."""


class RepoJob(msgspec.Struct, frozen=True, kw_only=True, tag="repo", tag_field="kind"):
    """Clone, pull, look for news (``fetch``), remove a clone, or commit changes and push them back.

    All but fetch change its files.
    """

    verb: RepoVerb
    name: str
    source: RepoSource
    discard: bool = False
    """Throw away what was changed in the clone. Files that git does not know are kept, but by remove."""
    make: bool = False
    """For pull: clone where there is no clone yet."""
    on_clone: tuple[tuple[str, ...], ...] = ()
    """Commands run in the folder of the files after it was cloned, as the user who asks."""
    on_pull: tuple[tuple[str, ...], ...] = ()
    """The same after a pull."""
    changes: tuple[RepoChange, ...] = ()
    """For commit; none = all files that git knows, as they stand in the clone."""
    message: str = ""
    """Of the commit."""
    author: str = ""
    """``Ana Lee <ana@example.com>``"""
    timeout: float = 3600.0
    """Seconds after which it is ended and counts as failed."""


class RepoCommit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit."""

    id: str
    when: float
    author: str
    subject: str


class DirtyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a clone that is not as committed."""

    path: str
    state: str
    """``M``, ``A``, ``D``… as git says, ``?`` = git does not know it."""


class RepoState(msgspec.Struct, frozen=True, kw_only=True):
    """A clone as it stands."""

    name: str
    path: str
    """Of its files, on the server."""
    url: str = ""
    branch: str = ""
    commit: RepoCommit | None = None
    """What is checked out; None = nothing is."""
    remote: RepoCommit | None = None
    """What the branch was when it was looked at last."""
    fetched: float = 0.0
    """When that was."""
    ahead: int = 0
    behind: int = 0
    dirty: tuple[DirtyFile, ...] = ()
    """The first of them."""
    dirty_count: int = 0
    warnings: tuple[str, ...] = ()
    problem: str = ""
    """Why nothing more is known."""


class RemoteHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a branch is at the repository's own server."""

    commit: str = ""
    """Empty: there is no such branch, or there are no commits at all."""
    branch: str = ""
    """The branch that was looked at; where none was named, the main one, as far as that is told."""


class ChangedPaths(msgspec.Struct, frozen=True, kw_only=True):
    """The files in which two commits differ."""

    known: bool = False
    """False: one of the commits is not in the clone, so nothing can be said."""
    paths: tuple[str, ...] = ()
    cut: bool = False
    """There are more than are told."""


class RepoDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A clone, its last commits, and how its files differ from the one checked out."""

    state: RepoState
    log: tuple[RepoCommit, ...] = ()
    coming: tuple[RepoCommit, ...] = ()
    """Those that a pull would bring, as far as it was looked for them."""
    diff: str = ""
    cut: bool = False
    """The diff is longer than what is told."""
