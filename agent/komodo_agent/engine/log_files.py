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
import time
from collections import deque
from pathlib import Path

from .. import timestamps
from .log_json import first_time, last_time

HELD_LIMIT = 256 << 20
"""Bytes of deleted files that may be held for a reader who does not keep up."""
_FASTEST = 500 << 20
"""Bytes per second that no engine writes."""
_COPY = 1 << 20
_HEAD = 4096
_TAIL = 256 << 10


class LogFile:
    """One file of a log."""

    __slots__ = ("compressed", "fd", "follows_unseen", "inode", "lost_lines", "lost_size", "size", "truncated")

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
        self.follows_unseen = False
        """Whether the one before it is not known for sure: it was deleted before it was looked for."""
        self.lost_lines: int | None = 0
        """Lines between the file before and this one that cannot be had any more (None = unknown)…"""
        self.lost_size = 0
        """…and their bytes."""

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

    def tail(self) -> bytes:
        """Its last bytes; none of a compressed file."""
        return b"" if self.compressed else os.pread(self.fd, _TAIL, max(0, os.fstat(self.fd).st_size - _TAIL))

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
        self.rotated = float("-inf")
        """Monotonic time of the last rotation that was seen."""
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
        self.rotated = time.monotonic()
        newer = [*reversed(self._older(current, until=newest)), current]
        with self._lock:
            newest.size = os.fstat(newest.fd).st_size
            if newer[0].follows_unseen:
                _estimate_loss(newest, newer[0])
            self._files.extend(newer)
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
                if until is not None:  # it was deleted already, and who knows what with it
                    (found[-1] if found else current).follows_unseen = True
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
        while True:
            with self._lock:
                deleted = [file for file in list(self._files)[:-1] if os.fstat(file.fd).st_nlink == 0]
                victim = self._files[1] if len(self._files) > 2 else None
                if victim not in deleted or sum(file.size for file in deleted) <= self._held_limit:
                    return
                copy = os.dup(victim.fd)
            try:
                lines = None if victim.compressed else _count_lines(copy)
            finally:
                os.close(copy)
            with self._lock:
                if self._files[0] is victim or victim not in self._files:
                    return  # the reader got there meanwhile
                follower = self._files[self._files.index(victim) + 1]
                counts = (victim.lost_lines, follower.lost_lines, lines)
                follower.lost_lines = None if None in counts else sum(count or 0 for count in counts)
                follower.lost_size += victim.lost_size + victim.size
                self._files.remove(victim)
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


def _count_lines(fd: int) -> int:
    count = offset = 0
    while block := os.pread(fd, _COPY, offset):
        count += block.count(b"\n")
        offset += len(block)
    return count


def _estimate_loss(last: LogFile, following: LogFile) -> None:
    """Whether files came and went between these two, and about how much was in them.

    Their times tell: what was lost was written between the last line of one and the first line of the other. When no
    engine could have filled a file in that time, nothing was.
    """
    times = [first_time(last.head()), last_time(last.tail()), first_time(following.head())]
    if not all(times):
        following.lost_lines, following.lost_size = None, last.size
        return
    began, ended, resumed = (timestamps.parse(each.decode()) / 1e9 for each in times)
    hole = max(0.0, resumed - ended)
    if hole * _FASTEST < last.size:
        return
    following.lost_lines = None
    following.lost_size = max(last.size, int(last.size * hole / max(ended - began, 1e-3)))
