"""aiohttp over whatever leads to an agent: a Unix socket of this machine, or a channel of an SSH connection.

``_create_connection`` is private in aiohttp, so its minor version is held and a contract test watches it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import AgentMissingError, AgentTimeoutError
from komodo_tui.fleet.plain_http import aiohttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.client_proto import ResponseHandler

    Dial = Callable[[Callable[[], ResponseHandler], int], Awaitable[ResponseHandler]]
    """Connects a protocol to the agent; the second argument is the receive window in bytes.

    Raises UnreachableError. When it is cancelled, what it had begun is undone later."""

RPC = "rpc"
PING = "ping"
"""Apart from the other calls: behind those that take long it would tell of a frozen agent."""
LIVE = "live"
LOGS = "logs"
SHELL = "shell"
FILES = "files"
LENT = "lent"
WINDOWS = {RPC: 256 << 10, PING: 64 << 10, LIVE: 256 << 10, LOGS: 256 << 10, SHELL: 128 << 10, FILES: 2 << 20,
           LENT: 128 << 10}  # fmt: skip
"""Receive window of each class of stream.

The window is the queue: a wide one lets a flood of logs delay every answer behind it. The class is the host of the
URL (``http://logs/v1/logs``), so that aiohttp's pool never hands a connection of one class to another.
"""
CONNECT_TIMEOUT = 5.0
"""Seconds one connection to the agent may take to open."""
FREE_TIMEOUT = CONNECT_TIMEOUT + 1.0
"""Seconds to wait for a stream to end where only a few fit; long enough for one to open."""
_KEEPALIVE = 60.0


class AgentConnector(aiohttp.BaseConnector):
    """Gets its connections from a function instead of TCP."""

    def __init__(self, dial: Dial, *, limit: int = 100, each: int = 0) -> None:
        """``limit`` is the number of connections at once, ``each`` that of one class (0 = no limit)."""
        super().__init__(limit=limit, limit_per_host=each, keepalive_timeout=_KEEPALIVE)
        self._dial = dial

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[aiohttp.tracing.Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        """A connection for one request. Calls wait their turn; a stream lasts, so who waits for its end is told.

        Raises:
            AgentTimeoutError: there are as many streams of this class as fit.
        """
        if not self.limit_per_host or req.url.host in (RPC, PING):
            return await super().connect(req, traces, timeout)
        try:
            async with asyncio.timeout(FREE_TIMEOUT):
                return await super().connect(req, traces, timeout)
        except TimeoutError as error:
            raise AgentTimeoutError(
                f"{self.limit_per_host} streams of this kind are open, and no more fit",
                hint="close one; sshd there forbids forwarding (AllowStreamLocalForwarding), which would carry many",
            ) from error

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[aiohttp.tracing.Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        window = WINDOWS[req.url.host or RPC]
        try:
            async with asyncio.timeout(timeout.sock_connect or CONNECT_TIMEOUT):
                return await self._dial(self._factory, window)
        except TimeoutError as error:
            raise AgentTimeoutError("the agent's socket does not open", hint="is the server overloaded?") from error


def unix_dial(path: str) -> Dial:
    """Dial a socket of this machine. The kernel's socket buffers stand for the window."""

    async def dial(factory: Callable[[], ResponseHandler], window: int) -> ResponseHandler:
        try:
            _, protocol = await asyncio.get_running_loop().create_unix_connection(factory, path)
        except OSError as error:
            raise AgentMissingError(f"nobody answers on {path}: {error.strerror or error}") from error
        return protocol

    return dial
