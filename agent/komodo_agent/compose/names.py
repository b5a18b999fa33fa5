"""What a project and its files may be called: names that are safe as folders and stay below them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..wire.compose import StackFile

PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What compose takes as a project's name; safe as a folder's."""
_PART = re.compile(r"[A-Za-z0-9._ @+=-][A-Za-z0-9._ @+=,-]{0,127}")
_LONGEST_PATH = 512
_FILES_LIMIT = 700 << 10


def check_project(name: str) -> str:
    """Return the name, or raise AgentError ``bad_request``."""
    if not PROJECT.fullmatch(name):
        raise AgentError(
            "bad_request",
            f"{name[:80]!r} is no name for a compose project",
            hint="small letters, digits, dash and underscore, the first a letter or digit",
        )
    return name


def check_path(path: str) -> str:
    """Return a relative path that stays below its folder, or raise AgentError ``bad_request``."""
    parts = path.split("/")
    good = len(path) <= _LONGEST_PATH and all(part not in (".", "..") and _PART.fullmatch(part) for part in parts)
    if not good:
        raise AgentError(
            "bad_request",
            f"{path[:80]!r} is no path for a stack's file",
            hint="relative, below the stack's folder, of letters, digits and . _ - + = @",
        )
    return path


def check_files(files: Iterable[StackFile]) -> None:
    """Raise AgentError ``bad_request`` unless these files can be placed."""
    size, seen = 0, set()
    for file in files:
        check_path(file.path)
        size += len(file.content.encode("utf-8", "surrogatepass"))
        if file.path in seen:
            raise AgentError("bad_request", f"{file.path} is given twice")
        seen.add(file.path)
    if size > _FILES_LIMIT:
        raise AgentError("bad_request", f"the stack's files are larger than {_FILES_LIMIT >> 10} KiB together")
