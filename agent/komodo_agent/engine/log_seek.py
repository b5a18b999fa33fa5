"""Where to begin in the files of a json-file log. Everything here blocks on the disk: call it in a thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from .log_json import decode, entry_time, first_time
from .log_lines import before

if TYPE_CHECKING:
    from .log_cursor import Cursor
    from .log_files import LogFile

_CLOSE_ENOUGH = 64 << 10
"""Bytes within which reading on is cheaper than searching on."""
_BLOCK = 64 << 10
_LONGEST_ENTRY = 4 << 20


class Start(NamedTuple):
    """Where to begin."""

    file: LogFile
    offset: int
    """Of the beginning of an entry."""
    reaches_back: bool
    """Whether the log holds older lines."""


def find_start(files: list[LogFile], cursor: Cursor) -> Start:
    """Where the first line that a client wants is, or a little before it.

    Raises:
        OSError: a compressed file is damaged or cannot be unpacked.
    """
    if cursor.last:
        return _first_from(files, before(cursor.last))
    starts = [Start(files[0], 0, reaches_back=False)]
    if cursor.since:
        starts.append(_first_from(files, before(cursor.since)))
    if cursor.tail is not None:
        starts.append(_last_lines(files, cursor.tail, cursor.until))
    return max(starts, key=lambda start: (files.index(start.file), start.offset))


def _first_from(files: list[LogFile], time: bytes) -> Start:
    """The first line not earlier than this time, or up to 64 KiB before it."""
    for file in reversed(files):
        first = first_time(file.head())
        if first and first < time:
            file.decompress()
            return Start(file, find_time(file, time)[0], reaches_back=True)
    files[0].decompress()
    return Start(files[0], 0, reaches_back=False)


def find_time(file: LogFile, time: bytes) -> tuple[int, int]:
    """Offsets around the first entry not earlier than this time: entries before the first of them are earlier, those
    after the second are not. The first is the beginning of an entry."""
    low, high = 0, os.fstat(file.fd).st_size
    while high - low > _CLOSE_ENOUGH:
        middle = (low + high) // 2
        found = _entry_from(file, middle, high)
        if found is None or found[1] >= time:
            high = middle
        else:
            low = found[0]
    return low, high


def _last_lines(files: list[LogFile], count: int, until: bytes) -> Start:
    """Just after the line before the last ``count`` ones; of those not after ``until`` if that is given."""
    wanted = count + 1
    for file in reversed(files):
        file.decompress()
        end = os.fstat(file.fd).st_size
        if until:
            _, end = find_time(file, until)
            end = _line_start(file, end) or end
        while end > 0:
            start, entries = _entries_before(file, end)
            for begin, raw in reversed(entries):
                if _ends_line(raw, until):
                    wanted -= 1
                    if not wanted:
                        return Start(file, begin + len(raw) + 1, reaches_back=True)
            end = start
    files[0].decompress()
    return Start(files[0], 0, reaches_back=False)


def _entries_before(file: LogFile, end: int) -> tuple[int, list[tuple[int, bytes]]]:
    """Whole entries that end at ``end`` with their offsets, and the offset where they begin."""
    size = _BLOCK
    while True:
        start = max(0, end - size)
        block = os.pread(file.fd, end - start, start)
        if start and size < _LONGEST_ENTRY:
            feed = block.find(b"\n")
            if feed < 0 or feed == len(block) - 1:
                size *= 2
                continue
            start += feed + 1
            block = block[feed + 1 :]
        break
    entries, offset = [], start
    for raw in block.split(b"\n"):
        if raw:
            entries.append((offset, raw))
        offset += len(raw) + 1
    return start, entries


def _ends_line(raw: bytes, until: bytes) -> bool:
    try:
        entry = decode(raw)
        return entry.log.endswith("\n") and not (until and entry_time(entry) > until)
    except (msgspec.DecodeError, ValueError):
        return False


def _entry_from(file: LogFile, offset: int, end: int) -> tuple[int, bytes] | None:
    """Offset and time of the first readable entry that begins at or after ``offset`` and before ``end``."""
    start = _line_start(file, offset)
    while start is not None and start < end:
        raw = _line_at(file, start)
        try:
            return start, entry_time(decode(raw))
        except (msgspec.DecodeError, ValueError):
            start += len(raw) + 1
    return None


def _line_start(file: LogFile, offset: int) -> int | None:
    """Where the first entry at or after ``offset`` begins; None behind the last line feed."""
    if offset == 0:
        return 0
    at = offset - 1
    while block := os.pread(file.fd, _BLOCK, at):
        feed = block.find(b"\n")
        if feed >= 0:
            return at + feed + 1
        at += len(block)
    return None


def _line_at(file: LogFile, offset: int) -> bytes:
    size = 4096
    while True:
        block = os.pread(file.fd, size, offset)
        feed = block.find(b"\n")
        if feed >= 0:
            return block[:feed]
        if len(block) < size or size >= _LONGEST_ENTRY:
            return block
        size *= 8
