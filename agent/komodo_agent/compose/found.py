"""Compose files in the folders where servers keep such things, found by a short look now and then."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .names import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOTS = "KOMODO_AGENT_STACK_ROOTS"
_USUAL_ROOTS = "/srv:/opt"
_DEEP = 2
"""Levels of folders below a root."""
_MOST_FOLDERS = 2000
_MOST_FOUND = 200
_AGAIN = 30.0
"""Seconds for which a look is good enough."""
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which compose looks for them."""
_OVERRIDES = ("compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml",
              "docker-compose.override.yml")  # fmt: skip
_NAME = re.compile(r"^name:[ \t]*[\"']?([a-z0-9][a-z0-9_-]{0,62})[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
_HEAD = 64 << 10
_SKIPPED = ("node_modules", "lost+found")


class FoundFiles(NamedTuple):
    """A folder with compose files in it."""

    project: str
    """What compose would call it."""
    folder: str
    files: tuple[str, ...]


class FoundFolders:
    """Looks below its roots, in a thread and not too often."""

    def __init__(self, roots: Sequence[Path] | None = None) -> None:
        """``roots``: None = as the environment says."""
        if roots is None:
            roots = [Path(word) for word in os.environ.get(ROOTS, _USUAL_ROOTS).split(":") if word.startswith("/")]
        self._roots = roots
        self._looked = -_AGAIN
        self.known: tuple[FoundFiles, ...] = ()

    async def look(self) -> None:
        """Bring what is known up to date."""
        now = time.monotonic()
        if now - self._looked >= _AGAIN:
            self._looked = now
            self.known = await asyncio.to_thread(find, self._roots)


def find(roots: Sequence[Path]) -> tuple[FoundFiles, ...]:
    """The folders with compose files below these. Links are not followed. Blocks."""
    found: dict[str, FoundFiles] = {}
    budget = _MOST_FOLDERS
    for root in roots:
        for folder, names in _folders(root, _DEEP):
            budget -= 1
            if budget < 0 or len(found) >= _MOST_FOUND:
                return tuple(found.values())
            files = tuple(name for names_of_kind in (_NAMES, _OVERRIDES) for name in names_of_kind if name in names)
            main = next((name for name in files if name in _NAMES), "")
            override = next((name for name in files if name in _OVERRIDES), "")
            name = _project(folder, main) if main else ""
            if name:
                found.setdefault(str(folder), FoundFiles(name, str(folder), (main, *([override] if override else []))))
    return tuple(found.values())


def _folders(folder: Path, deep: int) -> Iterator[tuple[Path, set[str]]]:
    files, below = set(), []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    files.add(entry.name)
                elif entry.is_dir(follow_symlinks=False) and entry.name not in _SKIPPED and entry.name[0] != ".":
                    below.append(entry.name)
    except OSError:
        return  # not ours to read, or gone
    yield folder, files
    if deep > 0:
        for name in sorted(below):
            yield from _folders(folder / name, deep - 1)


def _project(folder: Path, main: str) -> str:
    """The name that compose would give it: the file's own, else the folder's."""
    try:
        with (folder / main).open(encoding="utf-8", errors="replace") as file:
            own = _NAME.search(file.read(_HEAD))
    except OSError:
        return ""
    name = own[1] if own else re.sub(r"[^a-z0-9_-]", "", folder.name.lower()).lstrip("_-")
    return name if PROJECT.fullmatch(name) else ""
