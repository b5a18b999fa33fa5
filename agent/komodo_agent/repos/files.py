"""The files of a clone: looked at, read, written. What is in them comes from others: no link is ever followed.

All of it blocks. Paths are walked folder by folder on descriptors, as those of volumes are.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..engine.volume_tree import FOLDER, PLAIN, decode_path, inside, root_of, show
from ..engine.volume_tree import folder as listed
from ..problems import AgentError
from ..wire.repo_checks import wrong_path
from ..wire.repos import RepoFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..wire.repos import RepoChange
    from ..wire.volumes import VolumeFolder
    from .folder import Folder

LARGEST = 1 << 20
"""Bytes of a file that is read or written as text."""


def tree(clone: Folder, path: str) -> VolumeFolder:
    """A folder of the clone; ``path`` in hexadecimal digits. Raises AgentError."""
    with root_of(str(clone.files)) as root:
        return listed(root, decode_path(path))


def read(clone: Folder, path: str) -> RepoFile:
    """A file as text. Raises AgentError where it is none."""
    with root_of(str(clone.files)) as root:
        where = decode_path(path)
        data = bytes_of(root, where)
        text = text_of(data, show(where))
        return RepoFile(path=show(where), text=text, digest=hashlib.sha256(data).hexdigest())


def check(clone: Folder, changes: Sequence[RepoChange]) -> None:
    """Refuse changes that were not made to what is there now. Raises AgentError ``conflict`` or ``bad_request``."""
    with root_of(str(clone.files)) as root:
        for change in changes:
            wrong = wrong_path(change.path)
            if wrong:
                raise AgentError("bad_request", wrong)
            if change.text is not None and len(change.text.encode()) > LARGEST:
                raise AgentError("bad_request", f"{change.path} would be larger than {LARGEST >> 20} MiB")
            if _digest(root, change.path.encode()) != change.digest:
                raise AgentError(
                    "conflict", f"{change.path} was changed in the clone since you read it",
                    hint="nothing was written; read it again",
                )  # fmt: skip


def write(clone: Folder, change: RepoChange) -> None:
    """Put a new text in the place of a file, whole or not at all, or remove it. Raises AgentError."""
    path = change.path.encode()
    above, _, name = path.rpartition(b"/")
    try:
        with root_of(str(clone.files)) as root, _made(root, above) as held:
            if change.text is None:
                os.unlink(name, dir_fd=held)
                return
            try:
                mode = stat.S_IMODE(os.stat(name, dir_fd=held, follow_symlinks=False).st_mode)
            except FileNotFoundError:
                mode = 0o644
            new = b"." + name[:200] + b".komodo-new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(new, flags, 0o600, dir_fd=held), "wb") as file:
                file.write(change.text.encode())
                os.fchmod(file.fileno(), mode)
            os.rename(new, name, src_dir_fd=held, dst_dir_fd=held)
    except OSError as error:
        raise AgentError("failed", f"{change.path} cannot be written: {error.strerror}") from error


@contextmanager
def _made(root: int, path: bytes) -> Iterator[int]:
    """A folder, made where it is not there."""
    held = os.dup(root)
    try:
        for part in path.split(b"/") if path else []:
            try:
                deeper = os.open(part, FOLDER, dir_fd=held)
            except FileNotFoundError:
                os.mkdir(part, 0o755, dir_fd=held)
                deeper = os.open(part, FOLDER, dir_fd=held)
            os.close(held)
            held = deeper
        yield held
    finally:
        os.close(held)


def bytes_of(root: int, path: bytes) -> bytes:
    """A file's content. Raises AgentError where it is none, or too large."""
    with inside(root, path, PLAIN) as held:
        status = os.fstat(held)
        if not stat.S_ISREG(status.st_mode):
            raise AgentError("bad_request", f"{show(path)} is no file")
        if status.st_size > LARGEST:
            raise AgentError("bad_request", f"{show(path)} is larger than {LARGEST >> 20} MiB")
        with open(os.dup(held), "rb") as file:
            return file.read(LARGEST + 1)


def _digest(root: int, path: bytes) -> str:
    """Of a file; empty where there is none."""
    try:
        return hashlib.sha256(bytes_of(root, path)).hexdigest()
    except AgentError as error:
        if error.code != "not_found" or _is_there(root, path):
            raise
        return ""


def _is_there(root: int, path: bytes) -> bool:
    """Whether something lies there that cannot be opened as a file: a link."""
    above, _, name = path.rpartition(b"/")
    with suppress(AgentError, OSError), inside(root, above, FOLDER) as held:
        os.stat(name, dir_fd=held, follow_symlinks=False)
        return True
    return False


def text_of(data: bytes, name: str) -> str:
    """The same as text. Raises AgentError where it is none."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise AgentError("bad_request", f"{name} is no text (UTF-8)", hint="edit it on the server") from error
    if "\0" in text:
        raise AgentError("bad_request", f"{name} is no text", hint="edit it on the server")
    return text
