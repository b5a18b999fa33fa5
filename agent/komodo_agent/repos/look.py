"""A clone as it stands, read by git; the network is not used."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.repos import ChangedPaths, DirtyFile, RepoCommit, RepoDetail, RepoState
from .git import GitFailedError, HardGit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .folder import Folder

REMOTE = "refs/komodo/remote"
"""What the branch was at the repository's own server, when it was looked at last."""
_FORMAT = "--format=%H%x00%ct%x00%an%x00%s"
_LOG = 50
_DIRTY_SHOWN = 100
_DIFF_LIMIT = 256 << 10
_LINKS = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def git_of(folder: Folder) -> HardGit:
    """git on a clone."""
    return HardGit(folder.git_dir, folder.files)


async def state(folder: Folder, *, busy: bool = False) -> RepoState:
    """How it stands; what cannot be read is told as its ``problem``. ``busy``: an act on it is under way."""
    record = folder.record()
    plain = RepoState(name=folder.name, path=str(folder.files))
    if record is None or not folder.git_dir.is_dir():
        words = "it is being cloned" if busy else "it was not cloned to its end: clone it again"
        return msgspec.structs.replace(plain, problem=words)
    plain = msgspec.structs.replace(
        plain, url=record.url, branch=record.branch, fetched=record.fetched, warnings=record.warnings
    )
    git = git_of(folder)
    try:
        head, dirty = await status(git)
        remote = await resolved(git, REMOTE)
        commits = {c.id: c for c in await commits_of(git, "--no-walk=unsorted", *filter(None, (head, remote)))}
        ahead, behind = await _apart(git, head, remote) if head and remote and head != remote else (0, 0)
    except GitFailedError as error:
        return msgspec.structs.replace(plain, problem=f"git cannot read it: {error.words[-200:]}")
    except AgentError as error:
        return msgspec.structs.replace(plain, problem=error.sentence())
    return msgspec.structs.replace(
        plain, commit=commits.get(head), remote=commits.get(remote), ahead=ahead, behind=behind,
        dirty=tuple(dirty[:_DIRTY_SHOWN]), dirty_count=len(dirty),
    )  # fmt: skip


async def detail(folder: Folder) -> RepoDetail:
    """The same with the last commits, those to come, and the changes of its files.

    Raises:
        AgentError: git cannot read it.
    """
    now = await state(folder)
    if now.commit is None:
        return RepoDetail(state=now)
    git = git_of(folder)
    try:
        log = await commits_of(git, f"--max-count={_LOG}", "HEAD")
        coming = await commits_of(git, f"--max-count={_LOG}", f"HEAD..{REMOTE}") if now.behind else []
        diff = await git.read(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "HEAD", "--",
            limit=_DIFF_LIMIT,
        )  # fmt: skip
    except GitFailedError as error:
        raise AgentError("failed", f"git cannot read the clone of {folder.name}: {error.words[:200]}") from error
    return RepoDetail(
        state=now, log=tuple(log), coming=tuple(coming), diff=diff.decode("utf-8", "replace"),
        cut=len(diff) >= _DIFF_LIMIT,
    )  # fmt: skip


async def changed(folder: Folder, before: str, after: str) -> ChangedPaths:
    """The files in which two commits differ; unknown where one of them is not here (any more).

    Raises:
        AgentError: these are no commits, or git cannot read the clone.
    """
    if not (_COMMIT.fullmatch(before) and _COMMIT.fullmatch(after)):
        raise AgentError("bad_request", "give two commits, all their digits")
    if not await asyncio.to_thread(folder.git_dir.is_dir):
        return ChangedPaths()
    git = git_of(folder)
    if not (await resolved(git, before) and await resolved(git, after)):
        return ChangedPaths()
    try:
        out = await git.read("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after, limit=_DIFF_LIMIT)
    except GitFailedError as error:
        raise AgentError("failed", f"git cannot read the clone of {folder.name}: {error.words[:200]}") from error
    paths = out.decode("utf-8", "replace").split("\0")[:-1]
    return ChangedPaths(known=True, paths=tuple(paths), cut=len(out) >= _DIFF_LIMIT)


async def status(git: HardGit) -> tuple[str, list[DirtyFile]]:
    """The commit checked out (empty: none), and the files that are not as committed. Raises GitFailedError."""
    out = await git.read(
        "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--ignore-submodules=all"
    )
    head = ""
    dirty = []
    fields = iter(out.decode("utf-8", "replace").split("\0"))
    for field in fields:
        if field.startswith("# branch.oid "):
            head = field.removeprefix("# branch.oid ").replace("(initial)", "")
        elif field[:2] in ("1 ", "2 ", "u "):
            words = field.split(" ", {"1": 8, "2": 9, "u": 10}[field[0]])
            dirty.append(DirtyFile(path=words[-1], state=words[1].replace(".", "")))
            if field[0] == "2":
                next(fields, None)  # where it was before
        elif field.startswith("? "):
            dirty.append(DirtyFile(path=field[2:], state="?"))
    return head, dirty


async def resolved(git: HardGit, name: str) -> str:
    """The full id of a commit; empty where there is none of this name."""
    with suppress(GitFailedError):
        out = await git.read("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return out.decode("ascii", "replace").strip()
    return ""


async def is_ancestor(git: HardGit, old: str, new: str) -> bool:
    """Whether ``new`` holds all of ``old``."""
    try:
        await git.read("merge-base", "--is-ancestor", old, new)
    except GitFailedError:
        return False
    return True


async def warnings(folder: Folder, git: HardGit) -> tuple[str, ...]:
    """What the files hold that leads out of the clone, or was left out. Raises GitFailedError."""
    links: list[str] = []
    modules = 0
    for mode, path in _entries(await git.read("ls-files", "--stage", "-z")):
        modules += mode == "160000"
        if mode == "120000" and len(links) < _LINKS:
            links.append(path)
    out = await asyncio.to_thread(folder.outside, links)
    found = [f"the link {_shown(path)} leads out of the clone" for path in out[:5]]
    found += [f"{len(out) - 5} more links lead out of the clone"] if len(out) > 5 else []
    found += [f"{modules} submodule{'s' if modules > 1 else ''} left out: they are never fetched"] if modules else []
    return tuple(found)


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _entries(out: bytes) -> Iterator[tuple[str, str]]:
    for entry in out.decode("utf-8", "surrogateescape").split("\0"):
        facts, tab, path = entry.partition("\t")
        if tab:
            yield facts.split(" ", 1)[0], path


async def _apart(git: HardGit, head: str, remote: str) -> tuple[int, int]:
    out = await git.read("rev-list", "--left-right", "--count", f"{head}...{remote}", "--")
    ahead, behind = out.split()
    return int(ahead), int(behind)


async def commits_of(git: HardGit, *words: str) -> list[RepoCommit]:
    """Of ``git log``; the words are options and names made here, never from outside. Raises GitFailedError."""
    if not any(not word.startswith("-") for word in words):
        return []
    out = await git.read("log", "--no-show-signature", "-z", _FORMAT, *words, "--")
    fields = out.decode("utf-8", "replace").rstrip("\0").split("\0")
    return [
        RepoCommit(id=fields[n], when=float(fields[n + 1]), author=fields[n + 2], subject=fields[n + 3])
        for n in range(0, len(fields) - 3, 4)
    ]
