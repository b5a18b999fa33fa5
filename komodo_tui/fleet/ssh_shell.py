"""A login shell over SSH: the server's own login, its limits and its audit trail."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import asyncssh

from komodo_tui.domain.errors import ActError, AgentTimeoutError, HostUnreachableError
from komodo_tui.domain.text import clean
from komodo_tui.fleet.channels import open_shielded
from komodo_tui.fleet.connector import SHELL, WINDOWS
from komodo_tui.fleet.sessions import SessionEnd

if TYPE_CHECKING:
    from komodo_tui.fleet.connect import SshConnection

_OPEN_TIMEOUT = 20.0
_CLOSE_TIMEOUT = 2.0
_CHUNK = 64 << 10
_HIGH_WATER = 256 << 10


class SshShell(asyncssh.SSHClientSession[bytes]):
    """A :class:`~komodo_tui.fleet.sessions.ByteSession` over a session channel."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._output: deque[bytes] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._end: asyncio.Future[SessionEnd] = asyncio.get_running_loop().create_future()
        self._code: int | None = None
        self._signal = ""

    @classmethod
    async def start(cls, connection: SshConnection, title: str, cols: int, rows: int) -> SshShell:
        """Open the shell.

        Raises:
            ActError: the server does not give one.
            UnreachableError: the connection went, or nothing came in time.
        """
        session = cls(title)
        opening = connection.ssh.create_session(
            lambda: session,
            term_type="xterm-256color",
            term_size=(cols, rows),
            request_pty="force",
            encoding=None,
            window=WINDOWS[SHELL],
        )
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT):
                await open_shielded(opening, lambda opened: opened[0].abort())
        except TimeoutError as error:
            raise AgentTimeoutError("the shell does not open in time", server=title) from error
        except asyncssh.ChannelOpenError as error:
            if connection.ssh.is_closed():
                raise HostUnreachableError(f"the connection to {title} was lost", server=title) from error
            hint = "the login may have no shell, or sshd allows no more sessions (MaxSessions)"
            raise ActError(f"no shell: {clean(error.reason)[:200]}", hint=hint, server=title) from error
        except (asyncssh.Error, OSError) as error:
            raise HostUnreachableError(f"the connection to {title} was lost", server=title) from error
        return session

    async def read(self) -> bytes:
        """The next output; empty at the end."""
        while not self._output:
            if self._end.done():
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = self._output.popleft()
        if len(data) > _CHUNK:
            self._output.appendleft(data[_CHUNK:])
            data = data[:_CHUNK]
        self._size -= len(data)
        if self._channel is not None and self._size < _HIGH_WATER // 2:
            self._channel.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send input; waits while the shell does not take it."""
        await self._writable.wait()
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the shell its window's size in cells."""
        if self._channel is not None and not self._channel.is_closing():
            self._channel.change_terminal_size(cols, rows)

    async def wait(self) -> SessionEnd:
        """Wait for the end."""
        return await asyncio.shield(self._end)

    async def close(self) -> None:
        """Hang up."""
        if self._channel is None:
            return
        self._channel.abort()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._channel.wait_closed()
        except TimeoutError:
            return  # a frozen server says nothing; the channel goes with its connection

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Output."""
        self._output.append(data)
        self._size += len(data)
        self._arrived.set()
        if self._channel is not None and self._size > _HIGH_WATER:
            self._channel.pause_reading()

    def exit_status_received(self, status: int) -> None:
        """It ended by itself."""
        self._code = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """It was ended."""
        self._signal = clean(signal)[:40]

    def pause_writing(self) -> None:
        """Its input is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It takes more."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone."""
        reason = f"ended by SIG{self._signal}" if self._signal else ""
        if exc is not None:
            reason = f"the connection to {self.title} was lost"
        if not self._end.done():
            self._end.set_result(SessionEnd(code=self._code, reason=reason))
        self._writable.set()
        self._arrived.set()
