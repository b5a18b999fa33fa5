"""The part of the agent's client that asks registries: for updates of images, and whether they take a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.logins import ROUTE_REGISTRY_LOGIN, LoginAnswer, LoginQuestion
from komodo_agent.wire.updates import ROUTE_IMAGE_UPDATES, ImageUpdate
from komodo_tui.fleet.calls import AgentCalls

if TYPE_CHECKING:
    from komodo_agent.wire.updates import UpdatesRequest

CHECK_TIMEOUT = 300.0
"""Many images of a registry that does not answer take their time, a few at once."""
LOGIN_TIMEOUT = 45.0


class UpdateCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def image_updates(self, request: UpdatesRequest) -> list[ImageUpdate]:
        """What registries have under the names of images, in the order of the questions."""
        body, _ = await self._call(
            "POST", ROUTE_IMAGE_UPDATES, body=msgspec.json.encode(request), timeout=CHECK_TIMEOUT
        )
        return self._decode(body, list[ImageUpdate])

    async def try_login(self, registry_auth: str) -> LoginAnswer:
        """Whether the registry takes this login there."""
        question = msgspec.json.encode(LoginQuestion(registry_auth=registry_auth))
        body, _ = await self._call("POST", ROUTE_REGISTRY_LOGIN, body=question, timeout=LOGIN_TIMEOUT)
        return self._decode(body, LoginAnswer)
