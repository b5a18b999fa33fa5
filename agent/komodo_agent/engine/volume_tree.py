"""The files of a volume. Its content belongs to containers and may be hostile: no link in it is ever followed.

Every path is walked folder by folder on descriptors, without following links, so that a link put there meanwhile
cannot lead out of the volume. All of it blocks.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.volumes import VolumeFile, VolumeFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..wire.volumes import FileKind

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_SHOWN = 5000
"""Entries one answer holds."""
DEEPEST = 200
"""Folders within folders that are gone into."""


@contextmanager
def root_of(mountpoint: str) -> Iterator[int]:
    """A descriptor of the volume's top folder.

    Raises:
        AgentError: ``forbidden`` where this user may not look into it.
    """
    try:
        root = os.open(mountpoint, FOLDER)
    except OSError as error:
        raise AgentError(
            "forbidden",
            f"the agent runs as uid {os.getuid()} and cannot look into {mountpoint}: {error.strerror}",
            hint="run the agent as root to look into volumes",
        ) from error
    try:
        yield root
    finally:
        os.close(root)


def decode_path(text: str) -> bytes:
    """A path out of its hexadecimal digits.

    Raises:
        AgentError: ``bad_request``: it is none, or leads upwards.
    """
    try:
        path = bytes.fromhex(text)
    except ValueError:
        raise AgentError("bad_request", "a path is written in hexadecimal digits") from None
    if any(part in (b"", b".", b"..") for part in path.split(b"/")) and path:
        raise AgentError("bad_request", f"{path[:80]!r} is no path below the volume's top")
    if b"\0" in path:
        raise AgentError("bad_request", "a path has no zero byte")
    return path


@contextmanager
def inside(root: int, path: bytes, flags: int) -> Iterator[int]:
    """A descriptor of what lies at this path.

    Raises:
        AgentError: ``not_found``, or it cannot be opened; a link on the way counts as not there.
    """
    parts = path.split(b"/") if path else []
    if len(parts) > DEEPEST:
        raise AgentError("bad_request", f"more than {DEEPEST} folders deep")
    held = os.dup(root)
    try:
        for number, part in enumerate(parts):
            deeper = os.open(part, flags if number == len(parts) - 1 else FOLDER, dir_fd=held)
            os.close(held)
            held = deeper
        yield held
    except OSError as error:
        raise AgentError("not_found", f"/{show(path)} cannot be opened: {error.strerror}") from error
    finally:
        os.close(held)


def folder(root: int, path: bytes) -> VolumeFolder:
    """What is in a folder.

    Raises:
        AgentError: ``not_found``, or it cannot be read.
    """
    with inside(root, path, FOLDER) as held:
        # At most so many are looked at, however many there are.
        names = [os.fsencode(name) for name in os.listdir(held)]
        files = [entry for name in sorted(names)[:_SHOWN] if (entry := _entry(held, path, name)) is not None]
    files.sort(key=lambda file: file.kind != "folder")
    return VolumeFolder(
        path=path.hex(), shown=f"/{show(path)}", files=tuple(files), left_out=max(0, len(names) - _SHOWN)
    )


def _entry(held: int, path: bytes, name: bytes) -> VolumeFile | None:
    try:
        status = os.stat(name, dir_fd=held, follow_symlinks=False)
        link = os.readlink(name, dir_fd=held) if stat.S_ISLNK(status.st_mode) else b""
    except OSError:
        return None  # it went while we looked
    return VolumeFile(
        name=show(name),
        path=(path + b"/" + name if path else name).hex(),
        kind=_kind(status.st_mode),
        size=status.st_size,
        changed=status.st_mtime,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        link=show(link),
    )


def _kind(mode: int) -> FileKind:
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "other"


def show(path: bytes) -> str:
    """A path as text, whatever its bytes are."""
    return path.decode("utf-8", "replace")
