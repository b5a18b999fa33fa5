"""All text files of a clone's commit at once.

What is taken for the source of definitions must not be half of one commit and half of another, nor what somebody left
lying in the clone's folder: a file that seems to be gone is a reason to remove something.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from ..engine.volume_tree import decode_path, root_of
from ..problems import AgentError
from ..wire.repos import RepoFile, RepoTexts
from .files import LARGEST, bytes_of, text_of
from .git import GitFailedError
from .look import git_of, status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .folder import Folder
    from .git import HardGit

MOST_FILES, MOST_BYTES = 500, 4 << 20
YAML = (".yaml", ".yml")
_LISTED = 16 << 20


async def texts(clone: Folder, path: str, *, every: bool) -> RepoTexts:
    """Those below a path (in hexadecimal digits; a folder, a file, or empty for all). The clone's lock is held.

    Files that were changed in the clone are as they were committed.

    Raises:
        AgentError: nothing is checked out or is there, a file is no text, or there are too many.
    """
    git = git_of(clone)
    below = decode_path(path)
    try:
        head, dirty = await status(git)
        if not head:
            raise AgentError("failed", f"nothing is checked out in the clone of {clone.name}", hint="pull it")
        where = [below.decode("utf-8", "surrogateescape")] if below else []
        listed = await git.read("ls-tree", "-r", "-z", head, "--", *where, limit=_LISTED)
        if len(listed) >= _LISTED:
            raise AgentError("bad_request", f"{clone.name} has too many files", hint="name a folder in it")
        if below and not listed:
            raise AgentError("not_found", f"there is no {where[0]} in {clone.name}, commit {head[:12]}")
        names = _wanted(listed, every)
        changed = {file.path for file in dirty if file.state != "?"}
        committed = {name: await _committed(git, head, name) for name in names if name in changed}
    except GitFailedError as error:
        raise AgentError("failed", f"git cannot read the clone of {clone.name}: {error.words[:200]}") from error
    return RepoTexts(commit=head, files=tuple(await asyncio.to_thread(_read, clone, names, committed)))


def _wanted(listed: bytes, every: bool) -> list[str]:
    """The plain files of a tree, in order. Raises AgentError where there are too many, or a name is no text."""
    found = []
    for entry in listed.split(b"\0"):
        facts, _, raw = entry.partition(b"\t")
        if not facts.startswith(b"100"):  # a link, or a submodule
            continue
        try:
            name = raw.decode()
        except UnicodeDecodeError as error:
            raise AgentError("bad_request", f"the name of {raw!r} is no text (UTF-8)") from error
        if (every or name.endswith(YAML)) and not any(part.startswith(".") for part in name.split("/")):
            found.append(name)
    if len(found) > MOST_FILES:
        raise AgentError("bad_request", f"there are more than {MOST_FILES} files", hint="name a folder among them")
    return sorted(found)


async def _committed(git: HardGit, commit: str, name: str) -> bytes:
    return await git.read("cat-file", "blob", f"{commit}:{name}", limit=LARGEST + 1)


def _read(clone: Folder, names: Iterable[str], committed: dict[str, bytes]) -> list[RepoFile]:
    found, size = [], 0
    with root_of(str(clone.files)) as root:
        for name in names:
            data = committed[name] if name in committed else bytes_of(root, name.encode())
            size += len(data)
            if len(data) > LARGEST or size > MOST_BYTES:
                raise AgentError("bad_request", f"{name}: too much text: 1 MiB a file, {MOST_BYTES >> 20} MiB in all")
            found.append(RepoFile(path=name, text=text_of(data, name), digest=hashlib.sha256(data).hexdigest()))
    return found
