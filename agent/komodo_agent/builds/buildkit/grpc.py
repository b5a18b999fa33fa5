"""A gRPC server on one connection, for the few calls that an engine makes to whoever asked it to build.

Sources: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md; HTTP/2 itself is the ``h2`` library's. One
task reads; each call has a task of its own. What the engine sends is held back by HTTP/2's flow control until it is
read, and what is sent waits until the engine takes it: neither side can fill the other's memory.
"""

from __future__ import annotations

import asyncio
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from h2.events import Event

    Handler = Callable[["Call"], Awaitable[None]]

_PIECE = 1 << 16
_HEAD = struct.Struct(">BL")
_LARGEST_MESSAGE = 1 << 20
"""Bytes of one that the engine sends: it asks for names and files, no more."""
_MOST_CALLS = 64
OK, UNKNOWN, NOT_FOUND, UNIMPLEMENTED = 0, 2, 5, 12


class CallError(Exception):
    """A call that is answered with a status of gRPC's and words, and nothing else."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Call:
    """One call, in the hands of whoever answers it."""

    def __init__(self, server: GrpcServer, stream: int, headers: Mapping[str, tuple[str, ...]]) -> None:
        self._server = server
        self.stream = stream
        self._headers = headers
        self._buffer = bytearray()
        self._more = asyncio.Event()
        self.held = 0
        """Bytes of HTTP/2's window that have come and are not given back."""
        self.ended = False
        self.answered = False
        self.task: asyncio.Task[None] | None = None

    def header(self, name: str) -> tuple[str, ...]:
        """All values of a header of the call's own; without those marks that BuildKit puts on what is not ASCII."""
        values = self._headers.get(name, ())
        return tuple(map(unquote_plus, values)) if self._headers.get(f"{name}-encoded") == ("1",) else values

    async def receive(self) -> bytes | None:
        """The next message; None after the last.

        Raises:
            CallError: it is none, or too large.
        """
        while True:
            if len(self._buffer) >= _HEAD.size:
                packed, size = _HEAD.unpack_from(self._buffer)
                if packed or size > _LARGEST_MESSAGE:
                    raise CallError(UNKNOWN, "a message is too large, or packed in a way that was not agreed on")
                if len(self._buffer) >= _HEAD.size + size:
                    data = bytes(memoryview(self._buffer)[_HEAD.size : _HEAD.size + size])
                    del self._buffer[: _HEAD.size + size]
                    return data
            if self.ended:
                return None
            self._more.clear()
            held, self.held = self.held, 0
            await self._server.acknowledge(self.stream, held)
            await self._more.wait()

    async def send(self, message: bytes) -> None:
        """One message."""
        await self._server.send(self.stream, framed(message))

    async def send_framed(self, messages: bytes) -> None:
        """Messages that :func:`framed` made."""
        await self._server.send(self.stream, messages)

    def feed(self, data: bytes, held: int) -> None:
        """What the engine sent; ``held`` bytes of the window are the engine's again once this has been read."""
        self._buffer += data
        self.held += held
        self._more.set()

    def end(self) -> None:
        """The engine has sent all it will."""
        self.ended = True
        self._more.set()


def framed(message: bytes) -> bytes:
    """A message as it goes over the line."""
    return _HEAD.pack(0, len(message)) + message


class _Connection(H2Connection):
    """One that takes long headers: the patterns of a ``.dockerignore`` come as such."""

    DEFAULT_MAX_HEADER_LIST_SIZE = 4 << 20


class GrpcServer:
    """Answers calls by their path, as long as the connection stands."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, methods: Mapping[str, Handler]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._methods = methods
        self._h2 = _Connection(H2Configuration(client_side=False, header_encoding=None))
        self._calls: dict[int, Call] = {}
        self._window = asyncio.Event()

    async def serve(self) -> None:
        """Until the engine ends it, or this is cancelled."""
        self._h2.initiate_connection()
        try:
            await self._flush()
            while data := await self._reader.read(_PIECE):
                for event in self._h2.receive_data(data):
                    self._take(event)
                self._window.set()
                await self._flush()
        except (ProtocolError, ConnectionError):
            return  # the build says itself what becomes of it without its session
        finally:
            await self._end_calls()

    async def send(self, stream: int, data: bytes) -> None:
        """Bytes of a call's answer, in frames, as fast as the engine takes them. Raises ConnectionError."""
        view = memoryview(data)
        while view:
            self._window.clear()
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(view))
            if size <= 0:
                await self._window.wait()
                continue
            self._h2.send_data(stream, bytes(view[:size]))
            view = view[size:]
            await self._flush()

    async def acknowledge(self, stream: int, size: int) -> None:
        """Give bytes of the window back to the engine."""
        if size:
            self._h2.acknowledge_received_data(size, stream)
            await self._flush()

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            call = self._calls.get(event.stream_id)
            if call is None:
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            else:
                call.feed(event.data, event.flow_controlled_length)
        elif isinstance(event, StreamEnded):
            call = self._calls.get(event.stream_id)
            if call is not None:
                call.end()
        elif isinstance(event, StreamReset):
            call = self._calls.get(event.stream_id)
            if call is not None and call.task is not None:
                call.task.cancel()
        elif isinstance(event, ConnectionTerminated):
            raise ConnectionResetError("the engine has ended the session")

    def _begin(self, event: RequestReceived) -> None:
        headers: dict[str, tuple[str, ...]] = {}
        for name, value in event.headers:
            key = os.fsdecode(name)  # patterns of file names come in headers, and names may be any bytes
            headers[key] = (*headers.get(key, ()), os.fsdecode(value))
        call = Call(self, event.stream_id, headers)
        (path,) = headers.get(":path") or ("",)
        self._calls[event.stream_id] = call
        handler = self._methods.get(path) if len(self._calls) <= _MOST_CALLS else None
        call.task = asyncio.create_task(self._answer(call, handler), name=f"engine asks {path[:60]}")

    async def _answer(self, call: Call, handler: Handler | None) -> None:
        try:
            self._h2.send_headers(call.stream, [(":status", "200"), ("content-type", "application/grpc")])
            status, words = OK, ""
            try:
                if handler is None:
                    raise CallError(UNIMPLEMENTED, "there is no such method here")
                await handler(call)
            except CallError as error:
                status, words = error.status, error.words
            trailers = [("grpc-status", str(status))]
            self._h2.send_headers(call.stream, [*trailers, ("grpc-message", _quoted(words))], end_stream=True)
            call.answered = True
            await self._flush()
        except (ProtocolError, ConnectionError):
            return  # the stream or the connection has ended: nobody waits for an answer
        finally:
            self._forget(call)

    def _forget(self, call: Call) -> None:
        """After its answer; a call that got none, for whatever reason, is reset: the engine would wait for ever."""
        self._calls.pop(call.stream, None)
        with suppress(ProtocolError):
            self._h2.acknowledge_received_data(call.held, call.stream)
            if not call.answered:
                self._h2.reset_stream(call.stream, ErrorCodes.INTERNAL_ERROR)
        self._writer.write(self._h2.data_to_send())

    async def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _end_calls(self) -> None:
        tasks = [call.task for call in self._calls.values() if call.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._writer.close()
        with suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)


def _quoted(words: str) -> str:
    """As ``grpc-message`` has it: printable ASCII, the rest as ``%XX``."""
    return "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}"
        for byte in words.encode("utf-8", "replace")[:2000]
    )
