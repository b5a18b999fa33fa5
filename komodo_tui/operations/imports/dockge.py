"""Dockge's stacks: a folder of folders, each with a compose file and perhaps a ``.env``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.imports.texts import mapping

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.operations.imports.found import Imported

_NAMES = ("compose.yaml", "docker-compose.yaml", "docker-compose.yml", "compose.yml")
"""In the order in which Dockge looks for them."""
_LARGEST = 1 << 20


def read_dockge(folder: Path, server: str, found: Imported) -> None:
    """Take in every stack of the folder; the files stay where they are and are not needed any more. Blocks.

    Raises:
        UsageError: the folder cannot be read.
    """
    folder = folder.absolute()
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from error
    for path in below:
        file = next((path / name for name in _NAMES if (path / name).is_file()), None)
        what = f"stack {path.name}"
        if file is None:
            continue
        try:
            if file.stat().st_size > _LARGEST:
                raise UsageError("its compose file is larger than a mebibyte")
            # blanks at the end of lines would have the whole text written in one quoted line
            compose = "\n".join(line.rstrip() for line in file.read_text().splitlines()) + "\n"
            environment = mapping((path / ".env").read_text()) if (path / ".env").is_file() else {}
        except (OSError, UnicodeDecodeError, UsageError) as error:
            found.note(what, f"left out: {error}")
            continue
        found.add("stacks", {
            "name": path.name, "servers": [server], "project": path.name, "compose": compose,
            "environment": environment,
        })  # fmt: skip
        found.note_secrets(what, environment)
        if re.search(r"^\s*(-\s*)?\.{1,2}/|:\s*\.{1,2}/|env_file", compose, re.MULTILINE):
            found.note(what, f"it names files beside it: define it with `folder: {path}` instead, or attach them")
    if not found.definitions and not found.notes:
        raise UsageError(
            f"{folder} has no folder with a compose file", hint="name the folder that has the stacks' folders"
        )
