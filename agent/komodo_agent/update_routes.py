"""The part of the closed list that is about updates of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .answers import as_json
from .problems import AgentError
from .wire.updates import ROUTE_IMAGE_UPDATES, UpdatesRequest

if TYPE_CHECKING:
    from aiohttp import web

    from .server import Agent

_decode = msgspec.json.Decoder(UpdatesRequest).decode


class UpdateRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post(ROUTE_IMAGE_UPDATES, self.image_updates)

    async def image_updates(self, request: web.Request) -> web.Response:
        """POST /v1/image-updates"""
        try:
            wanted = _decode(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"these are no questions: {error}") from None
        await self._agent.settled()
        return as_json(await self._agent.updates.check(wanted))
