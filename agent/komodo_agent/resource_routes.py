"""The part of the closed list that is about images, volumes and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import as_json
from .engine import resources, volumes
from .wire.resources import ROUTE_DISK_USAGE, ROUTE_RESOURCE, ROUTE_RESOURCES
from .wire.volumes import ROUTE_VOLUME_ARCHIVE, ROUTE_VOLUME_FILE, ROUTE_VOLUME_FILES

if TYPE_CHECKING:
    from aiohttp import web

    from .engine.client import Engine
    from .server import Agent


class ResourceRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        for path, handler in (
            (ROUTE_RESOURCES, self.resources),
            (ROUTE_RESOURCE, self.resource),
            (ROUTE_DISK_USAGE, self.disk_usage),
            (ROUTE_VOLUME_FILES, self.volume_files),
            (ROUTE_VOLUME_FILE, self.volume_file),
            (ROUTE_VOLUME_ARCHIVE, self.volume_archive),
        ):
            app.router.add_get(path, handler, allow_head=False)
        app.router.add_put(ROUTE_VOLUME_ARCHIVE, self.restore_volume)

    async def resources(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/resources"""
        return as_json(await resources.resources(await self._engine()))

    async def resource(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/resources/{kind}/{id}"""
        kind, reference = request.match_info["kind"], request.match_info["id"]
        return as_json(await resources.inspect(await self._engine(), kind, reference))

    async def disk_usage(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/disk-usage"""
        return as_json(await resources.disk_usage(await self._engine()))

    async def volume_files(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/volumes/{id}/files?path=hex"""
        path = request.query.get("path", "")
        return as_json(await volumes.volume_folder(await self._engine(), request.match_info["id"], path))

    async def volume_file(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/volumes/{id}/file?path=hex"""
        path = request.query.get("path", "")
        return await volumes.send_file(await self._engine(), request, request.match_info["id"], path)

    async def volume_archive(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/volumes/{id}/archive"""
        return await volumes.send_archive(await self._engine(), request, request.match_info["id"])

    async def restore_volume(self, request: web.Request) -> web.StreamResponse:
        """PUT /v1/volumes/{id}/archive?replace=1"""
        replace = request.query.get("replace") == "1"
        name = request.match_info["id"]
        return as_json(await volumes.take_archive(await self._engine(), request, name, replace=replace))

    async def _engine(self) -> Engine:
        await self._agent.settled()
        return self._agent.engine
