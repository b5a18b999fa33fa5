"""The part of the closed list that is about terminals that live in the agent."""

from __future__ import annotations

import socket as sockets
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from .access import PEER
from .answers import as_json
from .problems import AgentError
from .terminals.socket import serve_terminal
from .wire.terminals import ROUTE_TERMINAL, ROUTE_TERMINAL_ATTACH, ROUTE_TERMINALS, rename_decoder

if TYPE_CHECKING:
    from .server import Agent


_ON_ITS_WAY = 32 << 10
"""Bytes in each of the two buffers between a terminal and its client."""


class TerminalRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get(ROUTE_TERMINALS, self.list, allow_head=False)
        app.router.add_put(ROUTE_TERMINAL, self.rename)
        app.router.add_delete(ROUTE_TERMINAL, self.end)
        app.router.add_get(ROUTE_TERMINAL_ATTACH, self.attach, allow_head=False)

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/terminals"""
        return as_json(tuple(terminal.info() for terminal in self._agent.terminals.list(request[PEER].uid)))

    async def rename(self, request: web.Request) -> web.StreamResponse:
        """PUT /v1/terminals/{id}"""
        try:
            wanted = rename_decoder.decode(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"this is no name: {error}") from error
        return as_json(self._agent.terminals.rename(request.match_info["id"], wanted.name, request[PEER].uid).info())

    async def end(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/terminals/{id}"""
        await self._agent.terminals.end(request.match_info["id"], request[PEER].uid)
        return web.Response(status=204)

    async def attach(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/terminals/{id}/attach, a WebSocket"""
        async with self._agent.stream(request) as socket:
            _keep_shallow(request)
            await serve_terminal(socket, self._agent.terminals, request.match_info["id"], request[PEER].uid)
        return socket


def _keep_shallow(request: web.Request) -> None:
    """Let little output be on its way: after ^C, what is on its way is still shown."""
    transport = request.transport
    if transport is not None:
        transport.set_write_buffer_limits(high=_ON_ITS_WAY)
        socket = transport.get_extra_info("socket")
        if socket is not None:
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, _ON_ITS_WAY)
