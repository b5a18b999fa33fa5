"""One worker process as this process sees it: requests go out, replies come back in order, and it may die."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from komodo_tui.ui.terminal import protocol
from komodo_tui.ui.terminal.core import CoreLostError

START_LIMIT = 20.0
"""Seconds a worker may take to start on a loaded machine."""
REPLY_LIMIT = 5.0
"""Seconds without a reply after which a worker counts as hung. The longest honest request takes about 0.3."""


class WorkerGoneError(Exception):
    """The process died, hung or answered nonsense. ``culprit`` is the request it was at."""

    def __init__(self, culprit: protocol.Request | None) -> None:
        super().__init__("the terminal worker is gone")
        self.culprit = culprit


class WorkerProcess(asyncio.Protocol):
    """A started worker. Make one with :meth:`start`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._pending: deque[tuple[protocol.Request | None, asyncio.Future[bytes]]] = deque()
        self._buffer = bytearray()
        self._gone: WorkerGoneError | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @classmethod
    async def start(cls) -> WorkerProcess:
        """Start one and wait until it is ready; raises :class:`CoreLostError`."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(_spawn, theirs.fileno())
        except OSError as error:
            ours.close()
            raise CoreLostError(f"the terminal worker cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        worker = cls(process)
        ours.setblocking(False)
        ready: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        worker._pending.append((None, ready))
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)
        try:
            async with asyncio.timeout(START_LIMIT):
                await ready
        except (WorkerGoneError, TimeoutError) as error:
            await worker.stop()
            raise CoreLostError("the terminal worker ended while starting") from error
        return worker

    async def ask(self, request: protocol.Request) -> Any:
        """The reply; raises :class:`WorkerGoneError`."""
        if self._gone is not None or self._transport is None:
            raise WorkerGoneError(self._gone.culprit if self._gone else None)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending.append((request, reply))
        self._transport.write(protocol.pack(request))
        try:
            async with asyncio.timeout(REPLY_LIMIT):
                body = await reply
            return protocol.reply_decoders[type(request)].decode(body)
        except (TimeoutError, msgspec.DecodeError) as error:
            self._fail(WorkerGoneError(self._pending[0][0] if self._pending else request))
            raise WorkerGoneError(self._gone.culprit if self._gone else request) from error

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        head = protocol.LENGTH.size
        while len(buffer) >= head:
            size = protocol.LENGTH.unpack_from(buffer)[0]
            if size > protocol.MAX_MESSAGE or not self._pending:
                self._fail(WorkerGoneError(self._pending[0][0] if self._pending else None))
                return
            if len(buffer) < head + size:
                return
            body = bytes(memoryview(buffer)[head : head + size])
            del buffer[: head + size]
            _, reply = self._pending.popleft()
            if not reply.done():
                reply.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(WorkerGoneError(self._pending[0][0] if self._pending else None))

    def _fail(self, gone: WorkerGoneError) -> None:
        """It is over: kill what may still run and tell everyone who waits."""
        if self._gone is not None:
            return
        self._gone = gone
        self._process.kill()
        if self._transport is not None:
            self._transport.abort()
        for _, reply in self._pending:
            if not reply.done():
                reply.set_exception(WorkerGoneError(gone.culprit))
        self._pending.clear()

    async def stop(self) -> None:
        """End it and wait for its end."""
        self._fail(WorkerGoneError(None))
        await asyncio.to_thread(self._process.wait)


def _spawn(fd: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: a module of the directory the user happens to be in must not be imported.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "komodo_tui.ui.terminal.worker", str(fd)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[fd],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
