"""The part of the agent's client that is about updates of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from komodo_agent.wire.updates import ROUTE_IMAGE_UPDATES, ImageUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.updates import UpdatesRequest

T = TypeVar("T")

CHECK_TIMEOUT = 300.0
"""Many images of a registry that does not answer take their time, a few at once."""


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
