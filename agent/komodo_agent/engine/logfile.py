"""A container's log out of the json-file driver's own files: nothing is lost however fast they rotate."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ..wire.logs import LogEnded, LogEvent
from .log_json import JsonLines
from .log_lines import Resume, frames
from .log_seek import find_start
from .log_watcher import watcher

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from .log_cursor import Cursor
    from .log_files import LogFiles

_PIECE = 64 << 10
"""Bytes parsed at once: some 0.4 ms."""
_BULK = 256 << 10
"""Bytes read at once, in a thread, while far behind."""
_GATHER = 0.03
"""Seconds to wait after a small piece, so that a chatty program makes frames and not lines."""
_UNTIL_LOOK = 1.0
_ROTATED_OUT = "the log rotated faster than it could be read"
_EMPTIED = "the log file was emptied"
_DAMAGED = "damaged entries in the log file"
_NOT_HELD = "the log no longer reaches back to the last line"


class FileLog:
    """Reads one source from its files. Closes them at the end.

    Args:
        files: the log, opened.
        cursor: where the client is.
        follow: whether to go on until the container is removed.
    """

    def __init__(self, files: LogFiles, cursor: Cursor, *, follow: bool) -> None:
        self._files = files
        self._cursor = cursor
        self._follow = follow
        self._json = JsonLines(cursor.tag.encode())
        self._window = cursor.window()
        self._resume = Resume(cursor.last, cursor.count) if cursor.last else None
        self._gaps: list[tuple[int | None, int, str]] = []
        self._wake = asyncio.Event()
        self._file = self._newest = files.files()[-1]
        self._past = os.fstat(self._newest.fd).st_size
        """Where the newest file ended when it was opened: up to there is the past."""
        self._offset = 0
        self._caught_up = self._drained = False

    async def read(self) -> AsyncGenerator[bytes | LogEvent, None]:
        """Frames and events; the last one is a :class:`~..wire.logs.LogEnded`.

        Raises:
            OSError: the disk cannot be read.
        """
        loop = asyncio.get_running_loop()
        if self._follow:
            watcher.add(self._files, lambda: loop.call_soon_threadsafe(self._wake.set))
        try:
            await self._seek()
            while not (self._drained or self._window.over):
                data = await self._read_some()
                for start in range(0, len(data), _PIECE):
                    for item in self._emit(self._json.feed(data[start : start + _PIECE])):
                        yield item
                if not self._caught_up and self._past_is_read():
                    self._caught_up = True
                    for item in self._emit([], settle=True):
                        yield item
                    for event in self._cursor.catch_up():
                        yield event
                    self._drained = not self._follow
                elif not data:
                    for item in self._emit(await self._move_on()):
                        yield item
                elif self._caught_up and len(data) < _PIECE:
                    await asyncio.sleep(_GATHER)
            for item in self._emit(self._json.flush()):
                yield item
            yield LogEnded(tag=self._cursor.tag, reason="removed" if self._files.removed else "complete")
        finally:
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        watcher.remove(self._files)
        self._files.close()

    async def _seek(self) -> None:
        start = await asyncio.to_thread(find_start, self._files.files(), self._cursor)
        self._files.drop_before(start.file)
        self._file, self._offset = start.file, start.offset
        if self._resume is not None and start.reaches_back:
            self._resume.covered = True

    async def _read_some(self) -> bytes:
        """The next bytes of the file being read; none at its end."""
        lost = self._files.take_truncated(self._file, self._offset)
        if lost is not None:
            self._offset = self._past = 0
            self._lost(None, lost, _EMPTIED)
        size = os.fstat(self._file.fd).st_size
        if not self._follow and self._file is self._newest:
            size = min(size, self._past)
        available = min(size - self._offset, _BULK)
        if available <= 0:
            return b""
        if available <= _PIECE:  # just written, so in memory
            data = os.pread(self._file.fd, available, self._offset)
        else:
            data = await asyncio.to_thread(os.pread, self._file.fd, available, self._offset)
        self._offset += len(data)
        return data

    def _past_is_read(self) -> bool:
        if self._file is self._newest:
            return self._offset >= self._past
        return self._newest not in self._files.files()

    async def _move_on(self) -> list[bytes]:
        """At the end of a file: go to the next one, or wait for news. Gives the last line if it has no line feed."""
        if self._has_more():
            return []
        following = self._files.next(self._file)
        if following is not None:
            lines = self._json.finish()
            self._file, self._offset = following, 0
            if following.lost_size:
                self._lost(following.lost_lines, following.lost_size, _ROTATED_OUT)
            if following.compressed:
                await asyncio.to_thread(following.decompress)
            return lines
        if self._files.removed or self._cursor.past_until():
            self._drained = True
            return []
        self._wake.clear()
        if not (self._has_more() or self._files.removed or self._files.has_next(self._file)):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _UNTIL_LOOK if self._cursor.until else None)
        return []

    def _has_more(self) -> bool:
        return os.fstat(self._file.fd).st_size > self._offset

    def _lost(self, lines: int | None, size: int, reason: str) -> None:
        self._gaps.append((lines, size, reason))

    def _emit(self, lines: list[bytes], *, settle: bool = False) -> Iterator[bytes | LogEvent]:
        """Frames of what is to be sent of these lines, after the holes before them.

        Args:
            settle: nothing older comes any more: what was held back to compare is new.
        """
        damaged, size = self._json.take_damage()
        if damaged:
            self._lost(damaged, size, _DAMAGED)
        resume = self._resume
        if resume is not None:
            lines = resume.admit(lines)
            if settle:
                lines = resume.give_up() + lines
            if resume.decided:
                self._resume = None
                if not resume.covered:
                    self._lost(None, 0, _NOT_HELD)
        gaps, self._gaps = self._gaps, []
        for gap in gaps:
            yield self._cursor.gap(*gap)
        lines = self._window.admit(lines)
        self._cursor.note(lines)
        yield from frames(lines)
