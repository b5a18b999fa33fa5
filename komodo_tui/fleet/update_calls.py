"""The part of the agent's client that asks registries: for updates of images, and whether they take a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from komodo_agent.wire.logins import ROUTE_REGISTRY_LOGIN, LoginAnswer, LoginQuestion
from komodo_agent.wire.updates import ROUTE_IMAGE_UPDATES, ImageUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.updates import UpdatesRequest

T = TypeVar("T")

CHECK_TIMEOUT = 300.0
"""Many images of a registry that does not answer take their time, a few at once."""
LOGIN_TIMEOUT = 45.0


class UpdateCalls:
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def _call(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        *,
        body: bytes | None = None,
        timeout: float = 0.0,
    ) -> tuple[bytes, Mapping[str, str]]:
        raise NotImplementedError

    def _decode(self, body: bytes, kind: type[T]) -> T:
        raise NotImplementedError

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
