"""What the name, URL, branch and login of a repository may be; both sides check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .repos import RepoSource

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


def user_of(url: str) -> str:
    """Whom ssh logs in as, of an ssh URL of either form; empty where it names nobody."""
    user, at, _ = url.removeprefix("ssh://").partition("@")
    return user if at and "/" not in user and ":" not in user else ""


def _wrong_commit(commit: str) -> str:
    return "" if not commit or _COMMIT.fullmatch(commit) else f"{commit[:80]!r} is no commit: give 7 to 64 hex digits"


def _wrong_login(source: RepoSource) -> str:
    if source.ssh_key and (not source.ssh_key.startswith("/") or not source.ssh_key.isprintable()):
        return f"ssh_key {source.ssh_key[:80]!r} is no absolute path"
    for line in source.host_keys:
        if not line.isprintable() or len(line.split()) < 3:
            return "host_keys: each is a line of a known_hosts file, as ssh-keyscan prints them"
    wrong = _wrong_key(source) or _wrong_agent(source)
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


def _wrong_agent(source: RepoSource) -> str:
    if not source.ssh_agent:
        return ""
    if is_file(source.url) or _WEB.fullmatch(source.url):
        return "ssh_agent is for ssh URLs; https uses a token"
    if source.ssh_key or source.key_secret or source.key:
        return "give either a key (ssh_key, key) or ssh_agent"
    return "" if user_of(source.url) else "ssh_agent: the URL names the user to log in as, as in git@host:path"


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
