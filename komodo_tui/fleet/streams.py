"""The agent's WebSockets: live feed, logs, and processes in containers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire import exec as wire_exec
from komodo_agent.wire import feed as wire_feed
from komodo_agent.wire import logs as wire_logs
from komodo_agent.wire.protocol import CLOSE_FORBIDDEN, CLOSE_GONE, CLOSE_STOPPING
from komodo_tui.domain.errors import (
    ActError,
    AgentMismatchError,
    AgentTimeoutError,
    HostUnreachableError,
    KomodoError,
    NotFoundError,
    RefusedError,
)
from komodo_tui.domain.text import clean
from komodo_tui.fleet.cleaning import clean_message, clean_value
from komodo_tui.fleet.plain_http import aiohttp
from komodo_tui.fleet.sessions import SessionEnd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from komodo_agent.wire.exec import ExecRequest
    from komodo_agent.wire.feed import FeedMessage, FeedRequest
    from komodo_agent.wire.logs import LogEvent, LogRequest

START_TIMEOUT = 20.0
"""Seconds a process in a container may take to start."""
_WRITE_CHUNK = 32 << 10
_WRITE_TIMEOUT = 30.0


class Stream:
    """A WebSocket whose end is never silent."""

    def __init__(self, server: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._server = server
        self._socket = socket

    async def close(self) -> None:
        """Close it. Safe to call twice."""
        await self._socket.close()

    async def _send(self, message: msgspec.Struct) -> None:
        async with self._translated(), asyncio.timeout(_WRITE_TIMEOUT):
            await self._socket.send_str(msgspec.json.encode(message).decode())

    async def _receive(self) -> bytes | str | None:
        """The next message; None after a proper end.

        Raises:
            KomodoError: the connection was lost, or the agent says why it ended.
        """
        async with self._translated():
            message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            data: bytes | str = message.data
            return data
        # The socket's own code is 1006 where its answer to the end came too late to be sent.
        code = message.data if message.type is aiohttp.WSMsgType.CLOSE else self._socket.close_code
        if code == aiohttp.WSCloseCode.OK:
            return None
        raise self._reason(message, code)

    def _reason(self, message: aiohttp.WSMessage, code: int | None) -> KomodoError:
        said = clean(message.extra)[:500] if isinstance(message.extra, str) else ""
        if code == CLOSE_GONE:
            return NotFoundError(said or "the container is gone", server=self._server)
        if code == CLOSE_FORBIDDEN:
            return RefusedError(said or "the agent does not allow it", server=self._server)
        if code == CLOSE_STOPPING:
            return HostUnreachableError("the agent is stopping", server=self._server)
        if code in (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, aiohttp.WSCloseCode.PROTOCOL_ERROR):
            return self._nonsense()
        if said:
            return ActError(said, server=self._server)
        return HostUnreachableError("the connection to the agent was lost", server=self._server)

    def _nonsense(self) -> AgentMismatchError:
        hint = "install the agent again from here"
        return AgentMismatchError("the agent sent something that is not understood", hint=hint, server=self._server)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except TimeoutError as error:
            hint = "it is frozen, or the server is overloaded"
            raise AgentTimeoutError("the agent does not answer in time", hint=hint, server=self._server) from error
        except (aiohttp.ClientError, OSError) as error:
            raise HostUnreachableError("the connection to the agent was lost", server=self._server) from error


class Feed(Stream):
    """The live feed; iterate over it for lists of cleaned messages."""

    async def want(self, request: FeedRequest) -> None:
        """Change what it carries from now on."""
        await self._send(request)

    def __aiter__(self) -> AsyncIterator[list[FeedMessage]]:
        return self._frames()

    async def _frames(self) -> AsyncIterator[list[FeedMessage]]:
        while (data := await self._receive()) is not None:
            try:
                messages = wire_feed.frame_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._nonsense() from error
            yield [clean_message(message) for message in messages]


class LogStream(Stream):
    """Log frames (bytes, as in :mod:`komodo_agent.wire.logs`, not cleaned) and events (cleaned).

    Ends when the agent has sent everything; raises ``HostUnreachableError`` when the connection is lost.
    """

    async def begin(self, request: LogRequest) -> None:
        """Say which logs to send (called by the client)."""
        await self._send(request)

    def __aiter__(self) -> AsyncIterator[bytes | LogEvent]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[bytes | LogEvent]:
        while (data := await self._receive()) is not None:
            if isinstance(data, bytes):
                yield data
                continue
            try:
                event = wire_logs.event_decoder.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._nonsense() from error
            yield clean_value(event)


class ExecSession(Stream):
    """A process in a container: a :class:`~komodo_tui.fleet.sessions.ByteSession` that can tell its two outputs apart.

    One reader at a time. Reading is what takes in the end, so :meth:`wait` throws unread output away.
    """

    def __init__(self, server: str, socket: aiohttp.ClientWebSocketResponse, title: str) -> None:
        super().__init__(server, socket)
        self.title = title
        self.command: tuple[str, ...] = ()
        """What was started, e.g. the shell that was found."""
        self._end: SessionEnd | None = None
        self._reading = asyncio.Lock()

    async def begin(self, request: ExecRequest) -> None:
        """Start the process (called by the client)."""
        await self._send(request)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                answer = await self._receive()
        except TimeoutError as error:
            raise AgentTimeoutError("the process does not start in time", server=self._server) from error
        event = self._decode(answer)
        if isinstance(event, wire_exec.ExecStarted):
            self.command = tuple(clean(word) for word in event.command)
            return
        raise ActError(clean(event.reason) or "the process could not be started", server=self._server)

    async def read(self) -> bytes:
        """The next output of either kind; empty at the end."""
        return (await self.read_tagged())[1]

    async def read_tagged(self) -> tuple[int, bytes]:
        """The next output as (1 standard output or 2 standard error, bytes); the bytes are empty at the end."""
        async with self._reading:
            while self._end is None:
                output = self._take(await self._next())
                if output is not None:
                    return output
        return wire_exec.STDOUT, b""

    async def _next(self) -> bytes | str | None:
        try:
            return await self._receive()
        except KomodoError as error:
            self._end = SessionEnd(code=None, reason=error.message)
            return b""

    def _take(self, message: bytes | str | None) -> tuple[int, bytes] | None:
        if isinstance(message, bytes):
            return (message[0], message[1:]) if len(message) > 1 else None
        if message is None:
            self._end = self._end or SessionEnd(code=None, reason="the agent closed the session")
            return None
        event = self._decode(message)
        if isinstance(event, wire_exec.ExecExit):
            self._end = SessionEnd(code=event.code, reason=clean(event.reason))
        return None

    async def write(self, data: bytes) -> None:
        """Send input; waits while the process does not take it. Does nothing after the end."""
        view = memoryview(data)
        try:
            while view and self._end is None:
                await self._socket.send_bytes(bytes(view[:_WRITE_CHUNK]))
                view = view[_WRITE_CHUNK:]
        except (aiohttp.ClientError, OSError):
            return  # the reader learns of the end, and why

    async def end_of_input(self) -> None:
        """Close the process's standard input; its output still comes."""
        await self._control(wire_exec.EndOfInput())

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the process its window's size in cells."""
        await self._control(wire_exec.Resize(rows=rows, cols=cols))

    async def wait(self) -> SessionEnd:
        """Wait for the end, throwing away what is not read."""
        while self._end is None:
            await self.read_tagged()
        return self._end

    async def close(self) -> None:
        """End the process. Safe to call twice."""
        self._end = self._end or SessionEnd(code=None, reason="closed")
        await super().close()

    async def _control(self, message: msgspec.Struct) -> None:
        if self._end is None:
            try:
                await self._send(message)
            except KomodoError:
                return  # the reader learns of the end, and why

    def _decode(self, message: Any) -> wire_exec.ExecEvent:
        try:
            event: wire_exec.ExecEvent = wire_exec.event_decoder.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            raise self._nonsense() from error
        return event
