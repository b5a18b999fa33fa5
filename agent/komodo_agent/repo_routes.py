"""The part of the closed list that is about clones of git repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .answers import as_json
from .problems import AgentError
from .repos.lent import Offer
from .wire.lent import ROUTE_LENT
from .wire.repos import (
    ROUTE_REMOTE,
    ROUTE_REPO,
    ROUTE_REPO_CHANGED,
    ROUTE_REPO_FILE,
    ROUTE_REPO_FILES,
    ROUTE_REPO_TEXTS,
    ROUTE_REPOS,
    RepoSource,
)

if TYPE_CHECKING:
    from aiohttp import web

    from .server import Agent

_decode_source = msgspec.json.Decoder(RepoSource).decode


class RepoRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get(ROUTE_REPOS, self.repos, allow_head=False)
        app.router.add_get(ROUTE_REPO, self.repo, allow_head=False)
        app.router.add_get(ROUTE_REPO_CHANGED, self.changed, allow_head=False)
        app.router.add_get(ROUTE_REPO_FILES, self.files, allow_head=False)
        app.router.add_get(ROUTE_REPO_FILE, self.file, allow_head=False)
        app.router.add_get(ROUTE_REPO_TEXTS, self.texts, allow_head=False)
        app.router.add_post(ROUTE_REMOTE, self.remote)
        app.router.add_get(ROUTE_LENT, self.lent, allow_head=False)

    async def repos(self, request: web.Request) -> web.Response:
        """GET /v1/repos"""
        found = await self._agent.clones.states()
        return as_json(found)

    async def repo(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}"""
        found = await self._agent.clones.detail(request.match_info["id"])
        return as_json(found)

    async def changed(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}/changed"""
        found = await self._agent.clones.changed(
            request.match_info["id"], request.query.get("before", ""), request.query.get("after", "")
        )
        return as_json(found)

    async def files(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}/files?path=hex"""
        return as_json(await self._agent.clones.files(request.match_info["id"], request.query.get("path", "")))

    async def file(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}/file?path=hex"""
        return as_json(await self._agent.clones.file(request.match_info["id"], request.query.get("path", "")))

    async def texts(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}/texts?path=hex&every=yes"""
        every = request.query.get("every") == "yes"
        return as_json(
            await self._agent.clones.texts(request.match_info["id"], request.query.get("path", ""), every=every)
        )

    async def remote(self, request: web.Request) -> web.Response:
        """POST /v1/remotes"""
        try:
            source = _decode_source(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"this is no source of a repo: {error}") from error
        found = await self._agent.clones.remote(source)
        return as_json(found)

    async def lent(self, request: web.Request) -> web.WebSocketResponse:
        """GET /v1/ssh-agents/{id}, a WebSocket"""
        async with self._agent.stream(request) as socket:
            await Offer(socket).serve(request.match_info["id"])
        return socket
