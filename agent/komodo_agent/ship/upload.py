"""A request to the engine whose body is files that still grow: sent by the kernel, out of the spool."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import msgspec
from aiodocker import DockerError

from ..engine.availability import error_words
from ..problems import AgentError

if TYPE_CHECKING:
    from typing import Self

    from ..engine.client import Engine
    from .spool import Held

_CONNECT_TIMEOUT = 5.0
_SILENCE = 1800.0
"""Seconds the engine may unpack without a word."""
_ANSWER_LIMIT = 1 << 20
_AT_ONCE = 4 << 20
"""Bytes of a file sent as one chunk."""


class Upload:
    """One request. What is broken off leaves nothing in the engine: it makes images of whole bodies only."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()

    @classmethod
    async def begin(cls, engine: Engine, path: str) -> Self:
        """Open it: a ``POST`` to this path, query included, below the API version.

        Raises:
            OSError, asyncio.TimeoutError: there is no connection.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        upload = cls(connection)
        major, minor = engine.api_version
        head = (
            f"POST /v{major}.{minor}{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
            "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            await asyncio.wait_for(upload._loop.sock_connect(connection, engine.path), _CONNECT_TIMEOUT)
            await upload._loop.sock_sendall(connection, head.encode("ascii"))
        except BaseException:
            upload.abort()
            raise
        return upload

    def abort(self) -> None:
        """Break it off, or give up what has ended."""
        self._connection.close()

    def grown(self) -> None:
        """There is more of a file."""
        self._stirred.set()

    async def send(self, data: bytes) -> None:
        """Send these bytes.

        Raises:
            AgentError: the engine refused.
            OSError: the connection broke.
        """
        await self._sent(self._loop.sock_sendall(self._connection, b"%x\r\n%b\r\n" % (len(data), data)))

    async def send_file(self, held: Held, size: int) -> None:
        """Send a file as it arrives; it will have so many bytes. Raises as :meth:`send`."""
        file = await asyncio.to_thread(held.path.open, "rb", 0)
        try:
            sent = 0
            while sent < size:
                ready = min(held.size - sent, _AT_ONCE)
                if ready > 0:
                    await self._sent(self._part(file, sent, ready))
                    sent += ready
                else:
                    await self.more()
        finally:
            file.close()

    async def more(self) -> None:
        """Wait until something is told."""
        await self._stirred.wait()
        self._stirred.clear()

    async def answer(self) -> list[Any]:
        """End the body, and wait until the engine has done its work: the lines of its answer.

        Raises:
            AgentError, aiodocker.DockerError: the engine refused.
            OSError, asyncio.TimeoutError: the connection broke, or the engine is stuck.
        """
        await self._loop.sock_sendall(self._connection, b"0\r\n\r\n")
        return await self._read_answer()

    async def _part(self, file: IO[bytes], offset: int, count: int) -> None:
        await self._loop.sock_sendall(self._connection, b"%x\r\n" % count)
        await self._loop.sock_sendfile(self._connection, file, offset, count)
        await self._loop.sock_sendall(self._connection, b"\r\n")

    async def _sent(self, sending: Any) -> None:
        try:
            await sending
        except (BrokenPipeError, ConnectionResetError):
            await self._read_answer()  # it says why
            raise

    async def _read_answer(self) -> list[Any]:
        answer = bytearray()
        with suppress(ConnectionResetError):
            while piece := await asyncio.wait_for(self._loop.sock_recv(self._connection, 1 << 16), _SILENCE):
                answer += piece
                if len(answer) > _ANSWER_LIMIT:
                    raise ConnectionResetError("the engine's answer is too long")
        status, body = parse_answer(bytes(answer))
        if status >= 400:
            raise DockerError(status, error_words(body))
        lines = [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
        for line in lines:
            refuse_error(line)
        return lines


def parse_answer(answer: bytes) -> tuple[int, bytes]:
    """Status and body of a whole HTTP answer, plain or chunked. Pure.

    Raises:
        ConnectionResetError: that is none.
    """
    head, end, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not end or len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError("the engine's answer makes no sense")
    if b"transfer-encoding: chunked" not in head.lower():
        return int(words[1]), body
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        try:
            count = int(size.partition(b";")[0], 16)
        except ValueError as error:
            raise ConnectionResetError("the engine's answer makes no sense") from error
        if not count:
            break
        parts.append(body[:count])
        body = body[count + 2 :]
    return int(words[1]), b"".join(parts)


def refuse_error(message: Any) -> None:
    """Raise AgentError where a line of the engine's answer tells of one."""
    if isinstance(message, dict) and (message.get("error") or message.get("errorDetail")):
        detail = message.get("errorDetail")
        words = (detail.get("message") if isinstance(detail, dict) else None) or message.get("error")
        raise AgentError("failed", f"the engine does not take the image: {str(words)[:2000]}")
