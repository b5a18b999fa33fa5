"""An archive given to the engine while its layers still arrive: by the kernel, out of the spool's files."""

from __future__ import annotations

import asyncio
import socket
import tarfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import msgspec
from aiodocker import DockerError

from ..engine.availability import error_words
from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..engine.client import Engine
    from .spool import Held

_BLOCK = 512
_END_OF_TAR = b"\0" * 1024
_CONNECT_TIMEOUT = 5.0
_SILENCE = 1800.0
"""Seconds the engine may unpack without a word."""
_ANSWER_LIMIT = 1 << 20
_AT_ONCE = 4 << 20
"""Bytes of a file sent as one chunk."""


class Loading:
    """One ``POST /images/load``. What is broken off leaves nothing in the engine: it unpacks only whole archives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._layers: list[tuple[str, Held, int]] = []
        self._stirred = asyncio.Event()
        self._ended = False

    @classmethod
    async def begin(cls, engine: Engine) -> Loading:
        """Open it.

        Raises:
            OSError, asyncio.TimeoutError: there is no connection.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        loading = cls(connection)
        major, minor = engine.api_version
        head = (
            f"POST /v{major}.{minor}/images/load?quiet=1 HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
            "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            await asyncio.wait_for(loading._loop.sock_connect(connection, engine.path), _CONNECT_TIMEOUT)
            await loading._loop.sock_sendall(connection, head.encode("ascii"))
        except BaseException:
            loading.abort()
            raise
        return loading

    def abort(self) -> None:
        """Break it off, or give up what has ended."""
        self._connection.close()

    def add(self, name: str, held: Held, size: int) -> None:
        """A file of the archive begins to arrive; it will have so many bytes."""
        self._layers.append((name, held, size))
        self._stirred.set()

    def grown(self) -> None:
        """There is more of a layer."""
        self._stirred.set()

    def end(self) -> None:
        """No more layers come."""
        self._ended = True
        self._stirred.set()

    async def feed(self) -> None:
        """Send the layers as they arrive, until :meth:`end`.

        Raises:
            AgentError: the engine refused.
            OSError: the connection broke.
        """
        at = 0
        while at < len(self._layers) or not self._ended:
            if at < len(self._layers):
                await self._layer(*self._layers[at])
                at += 1
            else:
                await self._more()

    async def finish(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Send what makes an image of the layers, and wait until the engine has it.

        Raises:
            AgentError, aiodocker.DockerError: the engine refused.
            OSError, asyncio.TimeoutError: the connection broke, or the engine is stuck.
        """
        for path, body in files:
            await self._send(_entry(path, len(body)) + body + b"\0" * (-len(body) % _BLOCK))
        await self._send(_END_OF_TAR)
        await self._loop.sock_sendall(self._connection, b"0\r\n\r\n")
        await self._read_answer()

    async def _layer(self, name: str, held: Held, size: int) -> None:
        await self._send(_entry(name, size))
        file = await asyncio.to_thread(held.path.open, "rb", 0)
        try:
            sent = 0
            while sent < size:
                ready = min(held.size - sent, _AT_ONCE)
                if ready > 0:
                    await self._send_file(file, sent, ready)
                    sent += ready
                else:
                    await self._more()
        finally:
            file.close()
        if padding := -size % _BLOCK:
            await self._send(b"\0" * padding)

    async def _more(self) -> None:
        await self._stirred.wait()
        self._stirred.clear()

    async def _send(self, data: bytes) -> None:
        await self._sent(self._loop.sock_sendall(self._connection, b"%x\r\n%b\r\n" % (len(data), data)))

    async def _send_file(self, file: IO[bytes], offset: int, count: int) -> None:
        async def chunk() -> None:
            await self._loop.sock_sendall(self._connection, b"%x\r\n" % count)
            await self._loop.sock_sendfile(self._connection, file, offset, count)
            await self._loop.sock_sendall(self._connection, b"\r\n")

        await self._sent(chunk())

    async def _sent(self, sending: Any) -> None:
        try:
            await sending
        except (BrokenPipeError, ConnectionResetError):
            await self._read_answer()  # it says why
            raise

    async def _read_answer(self) -> None:
        answer = bytearray()
        with suppress(ConnectionResetError):
            while piece := await asyncio.wait_for(self._loop.sock_recv(self._connection, 1 << 16), _SILENCE):
                answer += piece
                if len(answer) > _ANSWER_LIMIT:
                    raise ConnectionResetError("the engine's answer is too long")
        status, body = parse_answer(bytes(answer))
        if status >= 400:
            raise DockerError(status, error_words(body))
        for line in body.splitlines():
            refuse_error(msgspec.json.decode(line) if line.strip() else None)


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


def _entry(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.PAX_FORMAT)
