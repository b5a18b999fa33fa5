"""The files of one container's json-file log, held open from the one that is read to the one that is written.

The engine renames ``x-json.log`` to ``.1``, ``.1`` to ``.2`` and so on, and deletes the last. A file is known by its
inode, which a held descriptor keeps from being used again; so a rotation is followed however often it renames.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import threading
from collections import deque
from pathlib import Path

HELD_LIMIT = 256 << 20
"""Bytes of deleted files that may be held for a reader who does not keep up."""
_COPY = 1 << 20
_HEAD = 4096


class LogFile:
    """One file of a log."""

    __slots__ = ("compressed", "fd", "inode", "lost_lines", "lost_size", "size", "truncated")

    def __init__(self, path: str, *, compressed: bool = False) -> None:
        """Open it.

        Raises:
            OSError: it does not exist, or may not be read.
        """
        self.fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        stat = os.fstat(self.fd)
        self.inode = stat.st_ino
        self.size = stat.st_size
        """As last seen; of a compressed file the compressed one until :meth:`decompress`."""
        self.compressed = compressed
        self.truncated = 0
        """Bytes it had when it was emptied, since the reader last asked."""
        self.lost_lines: int | None = 0
        """Lines between the file before and this one that cannot be had any more (None = unknown)…"""
        self.lost_size = 0
        """…and their bytes."""

    def refresh(self) -> os.stat_result:
        """Look at its size again."""
        stat = os.fstat(self.fd)
        if not self.compressed:
            self.size = stat.st_size
        return stat

    def decompress(self) -> None:
        """Put the contents of a compressed file in place of it; blocks.

        Raises:
            OSError: it is damaged (also ``EOFError``), or there is no room in the temporary folder.
        """
        if not self.compressed:
            return
        with tempfile.TemporaryFile() as plain:
            with gzip.open(os.fdopen(os.dup(self.fd), "rb"), "rb") as packed:
                shutil.copyfileobj(packed, plain, _COPY)
            plain.flush()
            os.dup2(plain.fileno(), self.fd, inheritable=False)
        self.compressed = False
        self.size = os.fstat(self.fd).st_size

    def head(self) -> bytes:
        """Its first bytes, which tell one log file from another: they hold a time in nanoseconds."""
        if not self.compressed:
            return os.pread(self.fd, _HEAD, 0)
        with gzip.open(os.fdopen(os.dup(self.fd), "rb"), "rb") as packed:
            return packed.read(_HEAD)

    def count_lines(self) -> int | None:
        """How many lines it has; blocks. None of a compressed file."""
        if self.compressed:
            return None
        count = offset = 0
        while block := os.pread(self.fd, _COPY, offset):
            count += block.count(b"\n")
            offset += len(block)
        return count

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


class LogFiles:
    """All files of a log, oldest first. The reader takes from the front; the watcher's thread adds at the end."""

    def __init__(self, path: str, *, held_limit: int = HELD_LIMIT) -> None:
        """Open every file there is.

        Raises:
            OSError: there is no log, or it may not be read.
        """
        self.path = path
        self._held_limit = held_limit
        self._lock = threading.Lock()
        self.removed = False
        """Whether the log is gone from the disk; what is held can still be read."""
        newest = LogFile(path)
        try:
            self._files = deque([*reversed(self._older(newest)), newest])
        except BaseException:
            newest.close()
            raise

    def files(self) -> list[LogFile]:
        """Those held now, oldest first; never empty."""
        with self._lock:
            return list(self._files)

    def drop_before(self, wanted: LogFile) -> None:
        """Close the files older than this one: the reader begins there."""
        with self._lock:
            while self._files[0] is not wanted:
                self._files.popleft().close()

    def next(self, current: LogFile) -> LogFile | None:
        """Close a file that was read to its end and give the one after; None when it is the newest."""
        with self._lock:
            if self._files[0] is not current or len(self._files) < 2:
                return None
            self._files.popleft().close()
            return self._files[0]

    def has_next(self, current: LogFile) -> bool:
        """Whether a file is not the newest any more: then nothing is written to it."""
        return self._files[-1] is not current

    def close(self) -> None:
        """Give all descriptors back."""
        with self._lock:
            for file in self._files:
                file.close()

    def scan(self) -> bool:
        """Look for growth and rotation; whether there is any news for the reader. Called by the watcher only."""
        newest = self._files[-1]
        try:
            stat = os.stat(self.path)
        except OSError:
            if not self.removed and not Path(self.path).parent.is_dir():
                self.removed = True
                return True
            # between two renames, or deleted by hand: the engine goes on writing to the file it has open
            stat = os.fstat(newest.fd)
        if stat.st_ino != newest.inode:
            return self._scan_rotated(newest)
        if stat.st_size == newest.size:
            return False
        with self._lock:
            if stat.st_size < newest.size:
                newest.truncated += newest.size
            newest.size = stat.st_size
        return True

    def take_truncated(self, file: LogFile, offset: int) -> int | None:
        """Bytes that could not be read of a file that was emptied since the last call; None if it was not.

        Args:
            offset: up to where the reader is; it begins anew at 0 then.
        """
        with self._lock:
            size = os.fstat(file.fd).st_size
            if not file.truncated and size >= offset:
                return None
            lost = max(0, file.truncated - offset)
            file.truncated, file.size = 0, size
            return lost

    def _scan_rotated(self, newest: LogFile) -> bool:
        try:
            current = LogFile(self.path)
        except OSError:  # between two renames; the next look tells
            return False
        newer = self._older(current, until=newest)
        newest.refresh()
        with self._lock:
            self._files.extend(reversed(newer))
            self._files.append(current)
        self._enforce_limit()
        return True

    def _older(self, current: LogFile, until: LogFile | None = None) -> list[LogFile]:
        """The files before ``current``, newest first, opened; down to but without ``until``, or to the oldest.

        From new to old, since a rotation meanwhile moves files the same way: one may be met twice, none is missed.
        """
        found: list[LogFile] = []
        seen = {current.inode}
        for number in range(1, 10_000):
            file = _open_rotated(f"{self.path}.{number}")
            if file is None:
                if until is not None:  # it was deleted, and who knows what with it
                    oldest = found[-1] if found else current
                    oldest.lost_lines = None
                    oldest.lost_size = max(each.size for each in [current, *found])
                break
            if until is not None and _same(file, until):
                file.close()
                break
            if file.inode in seen:
                file.close()
                continue
            seen.add(file.inode)
            found.append(file)
        return found

    def _enforce_limit(self) -> None:
        """Let go of the oldest deleted files when too much is held, but never of the one that is being read."""
        while len(self._files) > 2:
            deleted = [file for file in self.files()[:-1] if os.fstat(file.fd).st_nlink == 0]
            if sum(file.size for file in deleted) <= self._held_limit:
                return
            with self._lock:
                if len(self._files) <= 2 or self._files[1] not in deleted:
                    return
                victim = self._files[1]
                del self._files[1]
                follower = self._files[1]
            counts = (victim.lost_lines, follower.lost_lines, victim.count_lines())
            follower.lost_lines = None if None in counts else sum(count or 0 for count in counts)
            follower.lost_size += victim.lost_size + victim.size
            victim.close()


def _open_rotated(path: str) -> LogFile | None:
    for name, compressed in ((path, False), (path + ".gz", True)):
        try:
            return LogFile(name, compressed=compressed)
        except OSError:
            continue
    return None


def _same(file: LogFile, known: LogFile) -> bool:
    """Whether two are one log file; a compressed copy has another inode but begins alike."""
    if not file.compressed:
        return file.inode == known.inode
    try:
        return file.head() == known.head()
    except (OSError, EOFError):
        return False
