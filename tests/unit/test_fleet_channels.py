"""SSH channels as transports: what a protocol is told, and that it is told once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import asyncssh

from komodo_tui.fleet.channels import ChannelTransport, SocketSession

if TYPE_CHECKING:
    from asyncssh.channel import SSHChannel


class Told(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.transport: asyncio.BaseTransport | None = None
        self.data = b""
        self.ends: list[Exception | None] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends.append(exc)


class Channel:
    """The far side never confirms that it closed."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True


def opened() -> tuple[SocketSession, Told, Channel]:
    told, channel = Told(), Channel()
    session = SocketSession(told)
    session.connection_made(cast("SSHChannel[bytes]", channel))
    return session, told, channel


async def test_loss_is_told_as_an_error_of_the_system() -> None:
    session, told, _ = opened()
    session.connection_lost(asyncssh.ConnectionLost("Server not responding to keepalive"))
    assert [type(end) for end in told.ends] == [ConnectionResetError]
    assert "keepalive" in str(told.ends[0])


async def test_closing_ends_at_once_and_only_once() -> None:
    session, told, channel = opened()
    transport: Any = told.transport
    assert isinstance(transport, ChannelTransport)
    session.data_received(b"before", None)
    transport.close()
    session.data_received(b"after", None)
    transport.close()
    await asyncio.sleep(0)
    session.connection_lost(None)
    assert channel.aborted
    assert (told.data, told.ends) == (b"before", [None])


async def test_channel_that_never_opened_tells_nothing() -> None:
    told = Told()
    SocketSession(told).connection_lost(asyncssh.ChannelOpenError(2, "refused"))
    assert told.ends == []
