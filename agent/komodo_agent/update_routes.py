"""The part of the closed list that asks registries: for updates of images, and whether they take a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .answers import as_json
from .engine.logins import try_login
from .problems import AgentError
from .wire.logins import ROUTE_REGISTRY_LOGIN, LoginQuestion
from .wire.updates import ROUTE_IMAGE_UPDATES, UpdatesRequest

if TYPE_CHECKING:
    from aiohttp import web

    from .server import Agent

_decode = msgspec.json.Decoder(UpdatesRequest).decode
_decode_login = msgspec.json.Decoder(LoginQuestion).decode


class UpdateRoutes:
    """The handlers, bound to one agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post(ROUTE_IMAGE_UPDATES, self.image_updates)
        app.router.add_post(ROUTE_REGISTRY_LOGIN, self.registry_login)

    async def image_updates(self, request: web.Request) -> web.Response:
        """POST /v1/image-updates"""
        try:
            wanted = _decode(await request.read())
        except msgspec.DecodeError as error:
            raise AgentError("bad_request", f"these are no questions: {error}") from None
        await self._agent.settled()
        return as_json(await self._agent.updates.check(wanted))

    async def registry_login(self, request: web.Request) -> web.Response:
        """POST /v1/registry-login"""
        try:
            question = _decode_login(await request.read())
        except msgspec.DecodeError:
            raise AgentError("bad_request", "this is no login of a registry") from None
        await self._agent.settled()
        return as_json(await try_login(self._agent.engine, question))
