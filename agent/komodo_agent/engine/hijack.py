"""A connection of the engine taken over for raw bytes both ways (exec, attach).

Written on asyncio's public streams because aiodocker's stream cannot close one direction alone: half-closing
standard input is what lets ``cat`` and ``tar`` in a container see its end.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from aiodocker import DockerError

from .availability import error_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .client import Engine

STDOUT, STDERR = 1, 2
_HEADER = struct.Struct(">BxxxL")
_PIECE = 1 << 16
_CONNECT_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 60.0
_CLOSE_TIMEOUT = 0.5


class Hijacked:
    """The bytes of a process in a container. ``tty`` output is one stream; otherwise it is tagged."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tty: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._tty = tty
        self._buffer = bytearray()
        self._ready: list[tuple[int, bytes]] = []

    async def read(self) -> tuple[int, bytes]:
        """The next output and its stream (1 or 2); empty bytes at the end. Not reading holds the process back."""
        while not self._ready:
            try:
                piece = await self._reader.read(_PIECE)
            except ConnectionError:
                piece = b""
            if not piece:
                return STDOUT, b""
            if self._tty:
                return STDOUT, piece
            self._buffer += piece
            self._ready = list(reversed(_split(self._buffer)))
        return self._ready.pop()

    async def write(self, data: bytes) -> None:
        """Send input; waits while the process does not take it. Does nothing after the end."""
        with suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    def end_input(self) -> None:
        """Close standard input; output still comes. A terminal gets ^D, which says the same."""
        with suppress(OSError, RuntimeError):
            if self._tty:
                self._writer.write(b"\x04")
            elif self._writer.can_write_eof():
                self._writer.write_eof()

    async def close(self) -> None:
        """Give the connection up. Input that the process still does not take is dropped."""
        self._writer.close()
        with suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), _CLOSE_TIMEOUT)
        self._writer.transport.abort()


async def hijack(engine: Engine, path: str, body: object, *, tty: bool) -> Hijacked:
    """POST and take the connection over.

    Args:
        path: below the API version, with its leading slash.
        body: encoded as JSON.

    Raises:
        aiodocker.DockerError: the engine refused.
        OSError, asyncio.TimeoutError: there is no connection.
    """
    headers = [("Content-Type", "application/json")]
    reader, writer = await upgrade(engine, path, "tcp", headers=headers, content=msgspec.json.encode(body))
    return Hijacked(reader, writer, tty=tty)


async def upgrade(
    engine: Engine, path: str, protocol: str, *, headers: Sequence[tuple[str, str]] = (), content: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """POST and take the connection over, for another protocol; whoever gets it closes it.

    Args:
        path: below the API version, with its leading slash.
        protocol: as ``Upgrade`` has it.
        headers: no value may have a line's end in it.

    Raises:
        aiodocker.DockerError: the engine refused.
        OSError, asyncio.TimeoutError: there is no connection.
    """
    major, minor = engine.api_version
    lines = [
        f"POST /v{major}.{minor}{path} HTTP/1.1", "Host: engine", "Connection: Upgrade", f"Upgrade: {protocol}",
        *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(content)}", "", "",
    ]  # fmt: skip
    reader, writer = await asyncio.wait_for(
        asyncio.open_unix_connection(engine.path, limit=_PIECE // 2), _CONNECT_TIMEOUT
    )
    try:
        writer.write("\r\n".join(lines).encode("ascii") + content)
        status = await asyncio.wait_for(_answer(reader), _ANSWER_TIMEOUT)
        if status not in (101, 200):
            raise DockerError(status, await _refusal(reader))
    except BaseException:  # also when cancelled: nobody else would close it
        writer.close()
        raise
    return reader, writer


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read the head of the answer; returns its status."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ConnectionResetError("the engine's answer makes no sense") from error
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError("the engine's answer makes no sense")
    return int(words[1])


async def _refusal(reader: asyncio.StreamReader) -> str:
    """The engine's words: one small JSON object, maybe in a chunk."""
    body = b""
    with suppress(asyncio.TimeoutError, ConnectionError):
        body = await asyncio.wait_for(reader.read(_PIECE), _CONNECT_TIMEOUT)
    start, end = body.find(b"{"), body.rfind(b"}")
    return error_words(body[start : end + 1] if 0 <= start < end else body)


def _split(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Take the whole frames out of the buffer; neighbours of one stream become one."""
    found: list[tuple[int, bytes]] = []
    start = 0
    while len(buffer) - start >= _HEADER.size:
        stream, size = _HEADER.unpack_from(buffer, start)
        end = start + _HEADER.size + size
        if end > len(buffer):
            break
        data = bytes(memoryview(buffer)[start + _HEADER.size : end])
        if found and found[-1][0] == stream:
            found[-1] = (stream, found[-1][1] + data)
        elif data:
            found.append((stream, data))
        start = end
    del buffer[:start]
    return found
