"""The part of the closed list that is about clones of git repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from .wire.repos import ROUTE_REPO, ROUTE_REPOS

if TYPE_CHECKING:
    from .server import Agent


class RepoRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get(ROUTE_REPOS, self.repos, allow_head=False)
        app.router.add_get(ROUTE_REPO, self.repo, allow_head=False)

    async def repos(self, request: web.Request) -> web.Response:
        """GET /v1/repos"""
        found = msgspec.json.encode(await self._agent.clones.states())
        return web.Response(body=found, content_type="application/json")

    async def repo(self, request: web.Request) -> web.Response:
        """GET /v1/repos/{id}"""
        found = msgspec.json.encode(await self._agent.clones.detail(request.match_info["id"]))
        return web.Response(body=found, content_type="application/json")
