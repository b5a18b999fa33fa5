"""One client of the feed: what it wants, what waits for it, and its socket."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSCloseCode, WSMsgType

from .wire.feed import FeedRequest, request_decoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from .wire.models import Filesystem, Process

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.5, 60.0
_QUEUE_LIMIT = 4 << 20
"""Bytes that may wait for a client that does not read."""


class FeedClient:
    """A socket and its bounded queue of encoded frames.

    A client that does not read is never waited for: when its queue is full the queue is dropped, and the client
    gets a new snapshot as soon as it reads again.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        snapshot: Callable[[FeedClient], bytes],
        on_request: Callable[[], None],
    ) -> None:
        """``snapshot`` encodes a frame of everything; ``on_request`` is called when the client wants something else."""
        self._socket = socket
        self._snapshot = snapshot
        self._on_request = on_request
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._needs_snapshot = True
        self._wake = asyncio.Event()
        self._wake.set()
        self.request = FeedRequest()
        """What it wants, its interval within what is allowed."""
        self.told_filesystems: tuple[Filesystem, ...] = ()
        self.told_processes: tuple[Process, ...] = ()

    def put(self, frames: list[bytes]) -> None:
        """Queue frames, unless a snapshot that holds all of it is due anyway."""
        if self._needs_snapshot:
            return
        self._queue.extend(frames)
        self._queued += sum(map(len, frames))
        if self._queued > _QUEUE_LIMIT:
            self._queue.clear()
            self._queued = 0
            self._needs_snapshot = True
        self._wake.set()

    async def write(self) -> None:
        """Send what is queued until cancelled.

        Raises:
            ConnectionError: the client is gone.
        """
        while True:
            await self._wake.wait()
            if self._needs_snapshot:
                self._needs_snapshot = False
                frame = self._snapshot(self)
            elif self._queue:
                frame = self._queue.popleft()
                self._queued -= len(frame)
            else:
                self._wake.clear()
                continue
            await self._socket.send_bytes(frame)

    async def read(self) -> None:
        """Take the client's requests until it goes. One that makes no sense ends the feed."""
        async for message in self._socket:
            try:
                if message.type is not WSMsgType.TEXT:
                    raise msgspec.DecodeError("a request is a text message")
                wanted = request_decoder.decode(message.data)
            except msgspec.DecodeError as error:
                await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=str(error).encode()[:120])
                return
            interval = min(max(wanted.interval, SHORTEST_INTERVAL), LONGEST_INTERVAL)
            self.request = msgspec.structs.replace(wanted, interval=interval)
            self._on_request()

    async def close(self, code: int, reason: str) -> None:
        """End the feed from our side."""
        await self._socket.close(code=code, message=reason.encode())
