"""A request to the engine whose body is files that still grow: sent by the kernel, out of the spool."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

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
_LOOK_UP = 1.0
"""Seconds a thread waits before it looks whether it is to stop."""
_AT_ONCE = 4 << 20
"""Bytes of a file sent in one go."""


class Upload:
    """One request. What is broken off leaves nothing in the engine: it makes images of whole bodies only."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        """A large file is sent from a thread: in the loop each piece would cost a turn of it."""
        self._more = threading.Event()
        self._stopped = False

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
        self._thread.shutdown(wait=False)

    def grown(self) -> None:
        """There is more of a file."""
        self._stirred.set()
        self._more.set()

    async def send(self, data: bytes) -> None:
        """Send these bytes.

        Raises:
            AgentError: the engine refused.
            OSError: the connection broke.
        """
        await self._sent(self._loop.sock_sendall(self._connection, b"%x\r\n%b\r\n" % (len(data), data)))

    async def send_file(self, held: Held, size: int) -> None:
        """Send a file as it arrives; it will have so many bytes. Raises as :meth:`send`.

        It is one chunk of the body: every few bytes sent apart would wake the engine.
        """
        if not size:
            return  # an empty chunk would end the body
        await self._sent(self._loop.sock_sendall(self._connection, b"%x\r\n" % size))
        self._stopped = False
        sending = self._loop.run_in_executor(self._thread, self._pump, held, size)
        try:
            await self._sent(asyncio.shield(sending))
        finally:
            self._stop()
            await asyncio.gather(sending, return_exceptions=True)  # it has the connection until then
        await self._sent(self._loop.sock_sendall(self._connection, b"\r\n"))

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

    def _stop(self) -> None:
        self._stopped = True
        self._more.set()

    def _pump(self, held: Held, size: int) -> None:
        """Send the file to its end, or until it is stopped. Blocks, a second at a time."""
        poll = select.poll()
        poll.register(self._connection, select.POLLOUT)
        sent = 0
        with held.path.open("rb", 0) as file:
            while sent < size and not self._stopped:
                ready = held.size - sent
                if ready <= 0:
                    self._more.wait(_LOOK_UP)
                    self._more.clear()
                    continue
                try:
                    sent += os.sendfile(self._connection.fileno(), file.fileno(), sent, min(ready, _AT_ONCE))
                except BlockingIOError:
                    poll.poll(_LOOK_UP * 1000)

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
