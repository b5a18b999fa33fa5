"""The part of the closed list that is about images on their way between servers, and into registries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from .answers import as_json
from .engine.asking import image_path
from .problems import AgentError
from .registry.content import content
from .ship import export, layers, receive
from .ship.contents import Contents
from .ship.survey import survey
from .wire.registry import ROUTE_REGISTRY, RegistryLook
from .wire.ships import (
    ROUTE_IMAGE_EXPORT,
    ROUTE_IMAGE_IMPORT,
    ROUTE_IMAGE_LACKING,
    ROUTE_IMAGE_LAYERS,
    ExportRequest,
    Lacking,
    Shipment,
)

if TYPE_CHECKING:
    from aiohttp import web

    from .engine.client import Engine
    from .server import Agent

_decode_shipment = msgspec.json.Decoder(Shipment).decode
_decode_export = msgspec.json.Decoder(ExportRequest).decode
_decode_look = msgspec.json.Decoder(RegistryLook).decode


class ShipRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._contents = Contents()

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get(ROUTE_IMAGE_LAYERS, self.image_layers, allow_head=False)
        app.router.add_post(ROUTE_IMAGE_LACKING, self.lacking)
        app.router.add_post(ROUTE_IMAGE_EXPORT, self.send)
        app.router.add_put(ROUTE_IMAGE_IMPORT, self.take)
        app.router.add_post(ROUTE_REGISTRY, self.registry)

    async def image_layers(self, request: web.Request) -> web.Response:
        """GET /v1/images/{id}/layers"""
        reference = image_path(request.match_info["id"])
        return as_json(await layers.image_layers(await self._engine(), self._contents, reference))

    async def lacking(self, request: web.Request) -> web.Response:
        """POST /v1/ships/lacking"""
        shipment: Shipment = _decoded(await request.read(), _decode_shipment)
        engine, spool = await self._engine(), self._agent.spool
        there = await survey(engine, self._contents, shipment)
        return as_json(
            Lacking(
                present=there.present,
                id=there.id,
                layers=there.lacking,
                kept=await asyncio.to_thread(spool.kept, there.lacking),
                tags=await layers.tags_there(engine, shipment.tags),
                platform=there.ground.platform,
                free=await asyncio.to_thread(spool.free),
            )
        )

    async def send(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/ships/export"""
        wanted: ExportRequest = _decoded(await request.read(), _decode_export)
        return await export.send_export(await self._engine(), request, wanted)

    async def take(self, request: web.Request) -> web.Response:
        """PUT /v1/ships/import"""
        return as_json(await receive.receive(await self._engine(), self._contents, self._agent.spool, request.content))

    async def registry(self, request: web.Request) -> web.Response:
        """POST /v1/registry"""
        look: RegistryLook = _decoded(await request.read(), _decode_look)
        return as_json(await content(await self._engine(), look))

    async def _engine(self) -> Engine:
        await self._agent.settled()
        return self._agent.engine


def _decoded(body: bytes, decode: Any) -> Any:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise AgentError("bad_request", f"this is no shipment: {error}") from error
