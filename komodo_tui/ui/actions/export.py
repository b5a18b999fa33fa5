"""The history as JSON lines in a file. Blocks: it is for threads."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import RefusedError, StoreError
from komodo_tui.domain.text import clean_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.operations import ActionRecord


def default_path(now: float) -> Path:
    """Where they go unless somebody says otherwise: the home directory, named by this Unix time."""
    return Path.home() / time.strftime("komodo-actions-%Y%m%d-%H%M%S.jsonl", time.localtime(now))


def json_line(record: ActionRecord) -> bytes:
    """The whole record in one line, with nothing in it that a terminal would obey."""
    return msgspec.json.encode(clean_tree(msgspec.to_builtins(record), keep_newlines=True)) + b"\n"


def write_lines(path: Path, records: Iterable[ActionRecord], *, replace: bool) -> int:
    """Write them to a file that only its owner may read, and return how many.

    The file is there whole or not at all. ``replace`` takes the place of one that is there.

    Raises:
        RefusedError: there is a file of that name, and it is not to be replaced.
        StoreError: it cannot be written, or the history cannot be read.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    count = 0
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                for record in records:
                    file.write(json_line(record))
                    count += 1
                file.flush()
                os.fsync(file.fileno())
            if replace:
                os.replace(part, path)
            else:
                os.link(part, path)  # unlike a rename, it never takes the place of a file
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    except FileExistsError:
        raise RefusedError(f"{path} is there already", hint="choose another name, or agree to replace it") from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", hint="choose another folder, or free space there"
        ) from error
    return count
