"""The build's files handed to BuildKit: it is told what there is, and asks for what it has not from the last time.

Source: ``send.go`` and ``types/wire.proto`` of tonistiigi/fsutil. Both sides send packets: this one a ``STAT`` of each
file, numbered as they come, and an empty one at the end; the engine a ``REQ`` for each file it lacks, which is
answered by ``DATA`` until an empty one; at last ``FIN`` both ways.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from .grpc import NOT_FOUND, UNKNOWN, CallError, framed
from .protobuf import block, fields, number, raw, text
from .tree import Wanted, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .grpc import Call
    from .tree import Entry

_STAT, _REQ, _DATA, _FIN, _ERR = range(5)
_PIECE = 1 << 18
"""Bytes of a file in one packet."""
_BATCH = 1 << 20
"""Bytes that are made ready at once, in a thread."""
_MOST_FILES = 2_000_000


class FileSync:
    """Answers ``/moby.filesync.v1.FileSync/DiffCopy`` for the folders of one build, by BuildKit's names of them."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders

    async def diff_copy(self, call: Call) -> None:
        """One folder, once. Raises CallError."""
        (name,) = call.header("dir-name")[:1] or ("",)
        folder = self._folders.get(name)
        if folder is None:
            raise CallError(NOT_FOUND, f"no folder {name[:80]!r} belongs to this build")
        wanted = Wanted(call.header("include-patterns"), call.header("exclude-patterns"), call.header("followpaths"))
        await _Sending(call, folder, wanted).run()


class _Sending:
    def __init__(self, call: Call, folder: str, wanted: Wanted) -> None:
        self._call = call
        self._folder = folder
        self._wanted = wanted
        self._known: dict[int, bytes] = {}
        self._asked: deque[tuple[int, bytes]] = deque()
        self._news = asyncio.Event()
        self._finished = False

    async def run(self) -> None:
        """Tell, and listen meanwhile. Raises CallError."""
        listening = asyncio.create_task(self._listen(), name="what BuildKit asks for")
        telling = asyncio.create_task(self._tell(), name="files for BuildKit")
        try:
            await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_EXCEPTION)
            for task in (telling, listening):
                if task.done():
                    task.result()
        finally:
            for task in (listening, telling):
                task.cancel()
            await asyncio.wait({listening, telling})
        await self._call.send(number(1, _FIN))

    async def _listen(self) -> None:
        while (message := await self._call.receive()) is not None:
            kind, index, data = _packet(message)
            if kind == _REQ:
                path = self._known.pop(index, None)
                if path is None:
                    raise CallError(UNKNOWN, f"file {index} has not been offered")
                self._asked.append((index, path))
            elif kind == _ERR:
                raise CallError(UNKNOWN, text(data)[:500])
            elif kind == _FIN:
                break
            self._news.set()
        self._finished = True
        self._news.set()

    async def _tell(self) -> None:
        """What there is, and what has been asked for by then in between."""
        entries = walk(self._folder, self._wanted)
        count = 0
        with _Reader(self._folder) as reader:
            try:
                while batch := await asyncio.to_thread(_some, entries):
                    for entry in batch:
                        if entry.plain:
                            self._known[count] = entry.path
                        count += 1
                    if count > _MOST_FILES:
                        raise CallError(UNKNOWN, f"the build's folder has more than {_MOST_FILES} files")
                    await self._call.send_framed(b"".join(framed(block(2, entry.packed())) for entry in batch))
                await self._call.send(b"")
                await self._answer(reader)
            except OSError as error:
                raise CallError(UNKNOWN, _unreadable(error)) from error
            except ValueError as error:
                raise CallError(UNKNOWN, f".dockerignore: {error}") from error

    async def _answer(self, reader: _Reader) -> None:
        while not self._finished or self._asked:
            self._news.clear()
            if not self._asked:
                await self._news.wait()
                continue
            reading = asyncio.ensure_future(asyncio.to_thread(reader.some, self._asked))
            try:
                data = await asyncio.shield(reading)
            finally:
                # also when cancelled: closed under the thread, its descriptor might be another file's by now
                await asyncio.gather(reading, return_exceptions=True)
            await self._call.send_framed(data)


class _Reader:
    """Reads files that were asked for, in their order, as packets. Blocks; one call at a time."""

    def __init__(self, folder: str) -> None:
        self._folder = os.fsencode(folder)
        self._open = -1
        self._index = 0

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open >= 0:
            os.close(self._open)

    def some(self, asked: deque[tuple[int, bytes]]) -> bytes:
        """About a batch. Takes away from ``asked`` what has been read to its end. Raises OSError."""
        out = bytearray()
        while asked and len(out) < _BATCH:
            index, path = asked[0]
            if self._open < 0:
                self._begin(path)
            data = os.read(self._open, _PIECE)
            out += framed(number(1, _DATA) + number(3, index) + (block(4, data) if data else b""))
            if not data:
                os.close(self._open)
                self._open = -1
                asked.popleft()
        return bytes(out)

    def _begin(self, path: bytes) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self._open = os.open(self._folder + b"/" + path, flags)
        if not stat.S_ISREG(os.fstat(self._open).st_mode):
            raise OSError(0, "it is no file any more", path)


def _some(entries: Iterator[Entry]) -> list[Entry]:
    """The next few hundred. Blocks."""
    found: list[Entry] = []
    for entry in entries:
        found.append(entry)
        if len(found) == 500:
            break
    return found


def _packet(message: bytes) -> tuple[int, int, bytes]:
    kind = index = 0
    data = b""
    try:
        for key, value in fields(message):
            if key == 1 and isinstance(value, int):
                kind = value
            elif key == 3 and isinstance(value, int):
                index = value
            elif key == 4:
                data = raw(value)
    except ValueError as error:
        raise CallError(UNKNOWN, f"a packet makes no sense: {error}") from error
    return kind, index, data


def _unreadable(error: OSError) -> str:
    name = ""
    with suppress(TypeError):
        name = os.fsdecode(error.filename)
    return f"{name or 'a file'} cannot be read: {error.strerror or error}"
