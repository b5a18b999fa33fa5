"""Small files on disk, whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator


def content_of(path: Path) -> str | None:
    """The text of a file; None where there is none that can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file, whole or not at all; on disk when this returns. Raises AgentError when the disk refuses."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with disk_errors(path):
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into an AgentError that names the path."""
    try:
        yield
    except OSError as error:
        raise AgentError(
            "failed", f"{path} cannot be written: {error.strerror}", hint="look at the disk of the server"
        ) from error


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, as far as that can be done; links are not followed."""
    for root, folders, names in os.walk(folder, topdown=False):
        for name in names:
            with suppress(OSError):
                Path(root, name).unlink()
        for name in folders:
            with suppress(OSError):
                path = Path(root, name)
                path.unlink() if path.is_symlink() else path.rmdir()
    with suppress(OSError):
        folder.rmdir()
