"""Write a file so that a crash leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_TEMPORARY = ".tmp-"


def write_atomic(path: Path, data: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Replace the file's content: temporary file, fsync, rename, fsync of the folder.

    ``durable`` False leaves the fsyncs out: for what says nothing after a power cut.

    Raises:
        StoreError: it cannot be written (disk full, read-only…); the old content stands.
    """
    temporary = path.with_name(f"{path.name}{_TEMPORARY}{secrets.token_hex(6)}")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", hint="free space, or check the folder's rights"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder last through a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sweep(path: Path) -> None:
    """Remove what killed writers of this file left. Call it under the file's lock."""
    for stray in path.parent.glob(f"{path.name}{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            stray.unlink()
