"""The files of one resolution: blocks appended to numbered files, the oldest files dropped, one open block aside.

Files are named by the first slot of the stretch they cover, so which of them to read is known without opening any.
All calls block; they are made from one thread at a time.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from . import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .blocks import Block, Extent

_OPEN = "open"
_SUFFIX = ".blocks"


class Shelf:
    """Blocks of ``step`` seconds a slot, on disk.

    Args:
        folder: made when something is first written.
        slots: slots of one file; a multiple of a block's.
        keep: files that are kept.
        most: bytes all of them may take; older ones go before their time when they are more.
    """

    def __init__(self, folder: Path, *, step: int, slots: int, keep: int, most: int) -> None:
        self.step = step
        self._folder = folder
        self._slots = slots
        self._keep = keep
        self._most = most
        self._checked: set[str] = set()
        """Files whose end has been seen to be whole since this process began."""

    def append(self, block: Block) -> None:
        """Add a block and drop what is too old.

        Raises:
            OSError: it could not be written; the file is then as it was.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{block.first // self._slots * self._slots}{_SUFFIX}"
        if path.name not in self._checked:
            self._cut_damage(path)
            self._checked.add(path.name)
        data = blocks.dump(block)
        with path.open("ab") as file:
            before = file.tell()
            try:
                file.write(data)
                file.flush()
            except OSError:
                with suppress(OSError):
                    os.truncate(path, before)
                raise
        self._drop_old(block.first)

    def keep_open(self, block: Block) -> None:
        """Keep what a block that is still filling has so far, instead of what it had before.

        Raises:
            OSError: it could not be written; the former one is still there.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._folder / f".{_OPEN}"
        aside.write_bytes(blocks.dump(block))
        aside.replace(self._folder / _OPEN)

    def left_open(self) -> Block | None:
        """The block that was filling when the last process ended, if it is whole."""
        try:
            data = (self._folder / _OPEN).read_bytes()
            found, _ = blocks.extents(data)
            return blocks.load(data, found[0]) if found else None
        except (OSError, ValueError):
            return None

    def covering(self, first: int, last: int) -> Iterator[tuple[bytes, Extent]]:
        """Files' contents and the blocks in them that touch these slots, in the order of writing."""
        for start, path in self._files():
            if start > last or start + self._slots <= first:
                continue
            try:
                data = path.read_bytes()
            except OSError:
                continue  # dropped meanwhile
            for extent in blocks.extents(data)[0]:
                if extent.step == self.step and extent.first <= last and extent.first + extent.length > first:
                    yield data, extent

    def oldest(self) -> int | None:
        """The first slot that any file may have."""
        return next((start for start, _ in self._files()), None)

    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):
                    total += path.stat().st_size
        return total

    def _files(self) -> list[tuple[int, Path]]:
        try:
            names = [path for path in self._folder.iterdir() if path.suffix == _SUFFIX]
        except OSError:
            return []
        return sorted((int(path.stem), path) for path in names if path.stem.lstrip("-").isdigit())

    def _cut_damage(self, path: Path) -> None:
        """Cut what a write that was interrupted left: blocks after it could not be found."""
        with suppress(FileNotFoundError):
            data = path.read_bytes()
            _, end = blocks.extents(data)
            if end < len(data):
                os.truncate(path, end)

    def _drop_old(self, newest: int) -> None:
        """Drop the oldest while there are too many or they are too large.

        Not by the clock: one that is wrong for a while (a board without a battery starts in 1970) would drop all.
        """
        current = newest // self._slots * self._slots
        sizes = [(start, path, _size(path)) for start, path in self._files()]
        count, total = len(sizes), sum(size for _, _, size in sizes)
        for start, path, size in sizes:
            if count <= self._keep and total <= self._most:
                return
            if start != current:
                with suppress(OSError):
                    path.unlink()
                count, total = count - 1, total - size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
