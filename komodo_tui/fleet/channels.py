"""SSH channels: opened without leaks, as transports for aiohttp, and as sessions for people."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import asyncssh

from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from asyncssh.channel import SSHChannel

T = TypeVar("T")

_STDERR_LIMIT = 2048
_late: set[asyncio.Future[Any]] = set()
"""Opens whose caller has gone; each ends with its channel or its connection."""


async def open_shielded(opening: Coroutine[Any, Any, T], discard: Callable[[T], object]) -> T:
    """Open a channel. When the caller gives up, the open goes on and what it brings is discarded:
    cancelling one leaks the channel, here and on the server, for the life of the connection."""
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        _late.add(task)
        task.add_done_callback(lambda done: _drop(done, discard))
        raise


def _drop(done: asyncio.Future[T], discard: Callable[[T], object]) -> None:
    _late.discard(done)
    if not done.cancelled() and done.exception() is None:
        discard(done.result())


class ChannelTransport(asyncio.Transport):
    """An SSH channel as an asyncio transport, flow control both ways."""

    def __init__(self, channel: SSHChannel[bytes], session: _ProtocolSession) -> None:
        super().__init__()
        self._channel = channel
        self._session = session

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Nothing: the channel would hand out the TCP socket it shares with all others, and aiohttp would tune it."""
        return default

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._channel.is_closing()

    def close(self) -> None:
        """Close now. What the other side has not taken yet is dropped: it may never take it."""
        self.abort()

    def abort(self) -> None:
        """Close now."""
        self._channel.abort()
        self._session.leave()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._session.protocol

    def is_reading(self) -> bool:
        """Always: pausing is the channel's matter."""
        return not self.is_closing()

    def pause_reading(self) -> None:
        """Let the window fill, which stops the sender."""
        self._channel.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        self._channel.resume_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; what comes after the end is dropped, as with sockets."""
        if not self._channel.is_closing():
            self._channel.write(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send in one piece."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Channels can."""
        return True

    def write_eof(self) -> None:
        """Nothing more will be written."""
        if not self._channel.is_closing():
            self._channel.write_eof()

    def get_write_buffer_size(self) -> int:
        """Bytes not sent yet."""
        return self._channel.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the protocol is told to pause."""
        self._channel.set_write_buffer_limits(high, low)


class _ProtocolSession:
    """Passes what a channel tells on to an asyncio protocol, until either side closes."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol
        self._open = False

    def leave(self) -> None:
        """We closed: the protocol's end comes now, as with sockets, and not when a frozen server confirms it."""
        if self._open:
            self._open = False
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def connection_made(self, chan: Any) -> None:
        """The channel is open."""
        self._open = True
        self.protocol.connection_made(ChannelTransport(chan, self))

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Data; what comes on standard error is nothing for the protocol."""
        if datatype is None and self._open:
            self.protocol.data_received(data)

    def eof_received(self) -> bool:
        """The other side sends no more."""
        return self._open and bool(self.protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone; asyncssh also calls this when it never opened."""
        if self._open:
            self._open = False
            # aiohttp hands it to whoever waits, and knows the system's errors, not asyncssh's.
            lost = ConnectionResetError(str(exc)) if isinstance(exc, asyncssh.Error) else exc
            self.protocol.connection_lost(lost)

    def pause_writing(self) -> None:
        """The channel's buffer is full."""
        if self._open:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """It has room again."""
        if self._open:
            self.protocol.resume_writing()


class SocketSession(_ProtocolSession, asyncssh.SSHUNIXSession[bytes]):
    """A Unix socket of the server for an asyncio protocol."""


class CommandSession(_ProtocolSession, asyncssh.SSHClientSession[bytes]):
    """A command of the server for an asyncio protocol: its standard input and output."""


class Output(asyncssh.SSHClientSession[bytes]):
    """Gathers what a short command prints, up to a limit, and passes on lines as they come."""

    def __init__(self, limit: int, on_line: Callable[[str], None] | None = None) -> None:
        self.stdout = b""
        self.stderr = b""
        self.closed: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.status: int | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self._limit = limit
        self._on_line = on_line
        self._line = b""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Output."""
        if datatype is not None:
            self.stderr = (self.stderr + data)[-_STDERR_LIMIT:]
            return
        if len(self.stdout) < self._limit:
            self.stdout += data[: self._limit - len(self.stdout)]
        if self._on_line is not None:
            *lines, self._line = (self._line + data).split(b"\n")
            self._line = self._line[-self._limit :]
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))

    def pause_writing(self) -> None:
        """Its input is full."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """It takes more."""
        self.writable.set()

    def exit_status_received(self, status: int) -> None:
        """It ended."""
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        """All has come."""
        self.writable.set()
        if not self.closed.done():
            self.closed.set_result(exc)

    @property
    def complaint(self) -> str:
        """What it said on standard error, for a message."""
        return clean(self.stderr.decode("utf-8", "replace").strip(), keep_newlines=True)
