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
LIVE = "live"
LOGS = "logs"
SHELL = "shell"
FILES = "files"
WINDOWS = {RPC: 256 << 10, LIVE: 256 << 10, LOGS: 256 << 10, SHELL: 128 << 10, FILES: 2 << 20}
"""Receive window of each class of stream.

The window is the queue: a wide one lets a flood of logs delay every answer behind it. The class is the host of the
URL (``http://logs/v1/logs``), so that aiohttp's pool never hands a connection of one class to another.
"""
CONNECT_TIMEOUT = 5.0
"""Seconds one connection to the agent may take to open."""
_KEEPALIVE = 60.0


class AgentConnector(aiohttp.BaseConnector):
    """Gets its connections from a function instead of TCP."""

    def __init__(self, dial: Dial, *, limit: int = 100) -> None:
        """``limit`` is the number of connections at once; more requests wait."""
        super().__init__(limit=limit, keepalive_timeout=_KEEPALIVE)
        self._dial = dial

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
