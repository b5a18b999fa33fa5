"""The files of a folder in the order and form in which BuildKit takes them. Blocks; links are never followed.

Source: ``types/stat.proto``, ``send.go`` and ``filter.go`` of tonistiigi/fsutil. Modes are Go's ``os.FileMode``.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from .patterns import Patterns
from .protobuf import block, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GO_MODES = {
    stat.S_IFDIR: 1 << 31, stat.S_IFLNK: 1 << 27, stat.S_IFBLK: 1 << 26, stat.S_IFCHR: 1 << 26 | 1 << 21,
    stat.S_IFIFO: 1 << 25, stat.S_IFREG: 0,
}  # fmt: skip
_GO_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}
_DEEPEST = 255
_WILD = frozenset("*?[\\")


class Wanted(NamedTuple):
    """Which files of a folder are asked for."""

    includes: tuple[str, ...] = ()
    """Empty = all."""
    excludes: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    """More of ``includes``, whose links are to be there with what they lead to."""


class Entry(NamedTuple):
    """One file, folder or link."""

    path: bytes
    status: os.stat_result
    link: bytes = b""

    @property
    def plain(self) -> bool:
        """Whether it has content that can be asked for."""
        return stat.S_ISREG(self.status.st_mode)

    def packed(self) -> bytes:
        """As a ``Stat`` message. Owners are left out: an image should not depend on who checked the files out."""
        status = self.status
        kind = stat.S_IFMT(status.st_mode)
        mode = status.st_mode & 0o777 | _GO_MODES[kind]
        mode |= sum(bit for mine, bit in _GO_BITS.items() if status.st_mode & mine)
        parts = [block(1, self.path), number(2, mode)]
        if kind != stat.S_IFDIR:
            parts.append(number(5, status.st_size))
        parts.append(number(6, status.st_mtime_ns))
        if self.link:
            parts.append(block(7, self.link))
        if kind in (stat.S_IFBLK, stat.S_IFCHR):
            parts += [number(8, os.major(status.st_rdev)), number(9, os.minor(status.st_rdev))]
        return b"".join(parts)


def walk(top: str, wanted: Wanted) -> Iterator[Entry]:
    """All that is wanted, each folder before what is in it, names in the order of their bytes.

    Raises:
        OSError: something wanted cannot be read.
        ValueError: a pattern makes no sense.
    """
    includes = [*wanted.includes]
    if wanted.follow:
        followed = _followed(top, wanted.follow)
        includes = [*includes, *followed] if followed else []
    yield from _Walk(Patterns(includes), Patterns(wanted.excludes)).folder(os.fsencode(top), b"", (), (), ())


class _Walk:
    def __init__(self, includes: Patterns, excludes: Patterns) -> None:
        self._includes = includes
        self._excludes = excludes
        self._shown: set[bytes] = set()

    def folder(
        self, top: bytes, path: bytes, included: tuple[bool, ...], excluded: tuple[bool, ...], above: tuple[Entry, ...]
    ) -> Iterator[Entry]:
        """What is wanted in one folder; ``above`` are the folders that lead to it."""
        if len(above) > _DEEPEST:
            raise OSError(0, f"the files are more than {_DEEPEST} folders deep", os.fsdecode(path[:80]))
        with os.scandir(top + b"/" + path if path else top) as found:
            names = sorted(entry.name for entry in found)
        for name in names:
            inner = path + b"/" + name if path else name
            yield from self._one(top, inner, included, excluded, above)

    def _one(
        self, top: bytes, path: bytes, included: tuple[bool, ...], excluded: tuple[bool, ...], above: tuple[Entry, ...]
    ) -> Iterator[Entry]:
        words = os.fsdecode(path)
        taken, deeper = True, True
        if self._includes:
            taken, included = self._includes.match(words, included)
            deeper = taken or self._includes.may_begin_in(words, exception=False)
        if self._excludes:
            left_out, excluded = self._excludes.match(words, excluded)
            taken = taken and not left_out
            deeper = deeper and (not left_out or self._excludes.may_begin_in(words, exception=True))
        if not taken and not deeper:
            return
        entry = _entry(top, path)
        if entry is None:
            return
        if taken:
            yield from (folder for folder in above if folder.path not in self._shown)
            self._shown |= {folder.path for folder in above}
            if stat.S_ISDIR(entry.status.st_mode):
                self._shown.add(path)
            yield entry
        if deeper and stat.S_ISDIR(entry.status.st_mode):
            yield from self.folder(top, path, included, excluded, (*above, entry))


def _entry(top: bytes, path: bytes) -> Entry | None:
    """None where it went meanwhile, or is of use to a running process only."""
    full = top + b"/" + path
    try:
        status = os.lstat(full)
        if stat.S_IFMT(status.st_mode) not in _GO_MODES:
            return None
        return Entry(path, status, os.readlink(full) if stat.S_ISLNK(status.st_mode) else b"")
    except FileNotFoundError:
        return None


def _followed(top: str, paths: Iterable[str]) -> Sequence[str]:
    """The same paths, normal; none at all where one is the top, or leads over a link: then everything is sent."""
    found = []
    for path in paths:
        normal = os.path.normpath("/" + path).lstrip("/")
        if not normal:
            return ()
        parts = normal.split("/")
        if any(os.path.islink(os.path.join(top, *parts[: index + 1])) for index in range(len(parts))):
            return ()
        wild = next((index for index, part in enumerate(parts) if _WILD.intersection(part)), len(parts))
        if wild < len(parts) and _has_links(os.path.join(top, *parts[:wild])):
            return ()
        found.append(normal)
    return found


def _has_links(folder: str) -> bool:
    """Whether a name that a sign stands for may be a link."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.is_symlink() for entry in entries)
    except OSError:
        return False
