"""Saving what is on the screen to a new file: its name, what may be wrong with it, and writing it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ActError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggested(stem: str, suffix: str, now: float) -> str:
    """``api-1-20261124-190000.log``, in the folder the program was started in; ``now`` is Unix time."""
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in stem).strip(".")
    return str(Path.cwd() / f"{safe or suffix}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}.{suffix}")


def path_of(text: str) -> Path:
    """Where a person means; ``~`` is theirs."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def wrong_path(text: str) -> str:
    """Why no new file can have this path; nothing where one can."""
    path = path_of(text)
    try:
        if not text or path.is_dir():
            return "name a file"
        if path.exists():
            return "exists already"
        return "" if path.parent.is_dir() else f"there is no folder {path.parent}"
    except (OSError, ValueError) as error:
        return str(error)


def write_new(path: Path, lines: Iterable[str], what: str) -> int:
    """Write a new file that only its owner can read (what is shown may hold secrets); returns how many lines. Blocks.

    ``lines`` have their line feeds; ``what`` names them in messages.

    Raises:
        RefusedError: the file exists already.
        ActError: it cannot be written; what was written of it stays.
    """
    count = 0
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", errors="replace", newline="") as file:
            for line in lines:
                file.write(line)
                count += 1
    except FileExistsError:
        raise RefusedError(f"{path} exists already", hint="choose another name") from None
    except OSError as error:
        raise ActError(
            f"the {what} was not written to {path}: {error.strerror or error}", hint="choose another place"
        ) from None
    return count
