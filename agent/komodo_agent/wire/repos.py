"""Git repositories that an agent keeps clones of: what it is asked, what it tells, and what a name or URL may be."""

from __future__ import annotations

import re
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

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9a-fA-F:.]+\])"
_USER = r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?"
_WEB = re.compile(rf"(?P<site>https?://(?P<user>{_USER})(?P<host>{_HOST})(?::\d{{1,5}})?)/.+")
_SSH = re.compile(rf"ssh://{_USER}{_HOST}(?::\d{{1,5}})?/.+")
_SCP = re.compile(rf"{_USER}{_HOST}:(?!:)(?!-).+")
_BAD_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[/.]$|^[-./]|^@$")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_LONGEST = 1000
_LONGEST_KEY = 64 << 10
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


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

    @property
    def bare(self) -> RepoSource:
        """The same without its secrets."""
        return msgspec.structs.replace(self, token="", key="")


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


def wrong_name(name: str) -> str:
    """Why this cannot be a repo's name; empty = it can."""
    return "" if _NAME.fullmatch(name) else f"{name[:80]!r} is no name for a repo"


def wrong_source(source: RepoSource) -> str:
    """Why nothing can be cloned from this; empty = it can be tried."""
    return (
        wrong_url(source.url)
        or (wrong_branch(source.branch) if source.branch else "")
        or _wrong_commit(source.commit)
        or _wrong_login(source)
    )


def wrong_url(url: str) -> str:
    """Why this is no URL of a repository; empty = it is one."""
    shown = repr(url[:120])
    if not url or len(url) > _LONGEST or any(ord(c) <= 0x20 or 0x7F <= ord(c) < 0xA0 for c in url):
        return f"{shown} is no URL of a repository"
    if url.startswith("-"):
        return f"the URL {shown} begins with a dash: git would take it for an option"
    if _HELPER.match(url):
        return f"the URL {shown} names a helper program of git: only https, ssh and file are used"
    if is_file(url):
        path = file_path(url)
        return "" if path.startswith("/") and ".." not in path.split("/") else f"{shown} is no absolute path"
    scheme, slashes, rest = url.partition("://")
    if slashes and scheme in ("http", "https") and ":" in rest.partition("/")[0].rpartition("@")[0]:
        return "the URL has a password in it: keep that as a secret, and name the secret as the token"
    if slashes and scheme not in ("http", "https", "ssh"):
        return f"the protocol {scheme[:20]!r} is not used: give https, ssh or file"
    good = (_WEB.fullmatch(url) or _SSH.fullmatch(url)) if slashes else _SCP.fullmatch(url)
    return "" if good else f"{shown} is no URL of a repository"


def wrong_branch(branch: str) -> str:
    """Why this is no branch; empty = it is one."""
    if branch.startswith("-"):
        return f"the branch {branch[:80]!r} begins with a dash: git would take it for an option"
    if len(branch) > 200 or _BAD_BRANCH.search(branch):
        return f"{branch[:80]!r} is no name for a branch"
    return ""


def wrong_path(path: str) -> str:
    """Why this is no path of a file in a clone; empty = it is one."""
    parts = path.split("/")
    bad = any(part.lower() in ("", ".", "..", ".git", "git~1") for part in parts)
    if bad or len(path) > _LONGEST or any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in path):
        return f"{path[:80]!r} is no path of a file in a clone"
    return ""


def is_file(url: str) -> bool:
    """Whether the repository is a folder of the server."""
    return url.startswith(("/", "file:"))


def file_path(url: str) -> str:
    """That folder."""
    return url.removeprefix("file://") if url.startswith("file://") else url


def site_of(url: str) -> str:
    """``https://host:port`` of a web URL, without the user; empty for all others."""
    found = _WEB.fullmatch(url)
    return found["site"].replace(f"://{found['user']}", "://", 1) if found else ""


def _wrong_commit(commit: str) -> str:
    return "" if not commit or _COMMIT.fullmatch(commit) else f"{commit[:80]!r} is no commit: give 7 to 64 hex digits"


def _wrong_login(source: RepoSource) -> str:
    if source.ssh_key and (not source.ssh_key.startswith("/") or not source.ssh_key.isprintable()):
        return f"ssh_key {source.ssh_key[:80]!r} is no absolute path"
    for line in source.host_keys:
        if not line.isprintable() or len(line.split()) < 3:
            return "host_keys: each is a line of a known_hosts file, as ssh-keyscan prints them"
    wrong = _wrong_key(source)
    if wrong:
        return wrong
    if not source.username.isprintable() or "\n" in source.token or "\0" in source.token:
        return "the token or its user's name has a line end or a control character"
    if source.secret or source.token:
        found = _WEB.fullmatch(source.url)
        if found is None:
            return "a token is for https URLs; ssh uses keys"
        if source.url.startswith("http://") and found["host"] not in _LOOPBACK:
            return "a token would cross the network in the clear: use https"
    return ""


def _wrong_key(source: RepoSource) -> str:
    if not (source.key_secret or source.key):
        return ""
    if source.ssh_key:
        return "give the ssh key either as a path on the servers (ssh_key) or as a secret (key)"
    if is_file(source.url) or _WEB.fullmatch(source.url):
        return "an ssh key is for ssh URLs; https uses a token"
    if source.key and ("PRIVATE KEY-----" not in source.key or "\0" in source.key or len(source.key) > _LONGEST_KEY):
        return f"the secret {source.key_secret} is no private key as ssh-keygen writes them"
    return ""
