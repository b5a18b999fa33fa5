"""The part of the agent's client that is about images on their way. The frames pass through unread."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from komodo_agent.wire.protocol import Problem
from komodo_agent.wire.registry import ROUTE_REGISTRY, RegistryContent, RegistryLook
from komodo_agent.wire.ships import (
    ROUTE_IMAGE_EXPORT,
    ROUTE_IMAGE_IMPORT,
    ROUTE_IMAGE_LACKING,
    ROUTE_IMAGE_LAYERS,
    ExportRequest,
    ImageLayers,
    Imported,
    Lacking,
    Shipment,
)
from komodo_tui.domain.errors import BrokenOffError, KomodoError
from komodo_tui.fleet.calls import AgentCalls
from komodo_tui.fleet.connector import CONNECT_TIMEOUT, FILES
from komodo_tui.fleet.plain_http import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

_LOOK_TIMEOUT = 60.0
"""An engine with hundreds of images takes its time to tell their layers."""
_SILENCE = 150.0
"""Seconds without a frame after which the source counts as stuck; it sends one every few seconds."""
_PIECE = 512 << 10
_ANSWER_LIMIT = 1 << 20


class ShipCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def image_layers(self, image: str) -> ImageLayers:
        """What an image there, by id or tag, is made of."""
        path = ROUTE_IMAGE_LAYERS.replace("{id}", quote(image, safe=""))
        return await self._get(path, ImageLayers, timeout=_LOOK_TIMEOUT)

    async def lacking(self, shipment: Shipment) -> Lacking:
        """What that server needs for an image."""
        body = msgspec.json.encode(shipment)
        answer, _ = await self._call("POST", ROUTE_IMAGE_LACKING, body=body, kind=FILES, timeout=_LOOK_TIMEOUT)
        return self._decode(answer, Lacking)

    async def export_image(self, wanted: ExportRequest) -> AsyncGenerator[bytes, None]:
        """The frames of an image, in pieces that know nothing of frames.

        Raises:
            BrokenOffError: it broke off.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=_SILENCE)
        async with (
            self._translated(),
            self._session.post(
                f"http://{FILES}{ROUTE_IMAGE_EXPORT}", data=msgspec.json.encode(wanted),
                headers={"Content-Type": "application/json"}, timeout=limits, allow_redirects=False,
            ) as response,
        ):  # fmt: skip
            if response.status >= 300:
                raise self._refused(response.status, await response.content.read(_ANSWER_LIMIT))
            try:
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
            except aiohttp.ClientPayloadError as error:
                raise BrokenOffError("the image broke off at its source", hint="ship it again: it goes on") from error

    async def import_image(self, pieces: AsyncIterator[bytes]) -> Imported:
        """Give a server the frames of an image, the shipment first; returns once its engine has it."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=None)
        async with (
            self._translated(),
            self._session.put(
                f"http://{FILES}{ROUTE_IMAGE_IMPORT}", data=pieces, timeout=limits, allow_redirects=False
            ) as response,
        ):
            body = await response.content.read(_ANSWER_LIMIT)
            if response.status >= 300:
                raise self._refused(response.status, body)
            return self._decode(body, Imported)

    async def registry_content(self, look: RegistryLook) -> RegistryContent:
        """What is in a registry that was started there."""
        body = msgspec.json.encode(look)
        answer, _ = await self._call("POST", ROUTE_REGISTRY, body=body, kind=FILES, timeout=_LOOK_TIMEOUT)
        return self._decode(answer, RegistryContent)

    def _refused(self, status: int, body: bytes) -> KomodoError:
        error = self._refusal(status, body)
        try:
            again = msgspec.json.decode(body, type=Problem).retryable
        except (msgspec.DecodeError, UnicodeDecodeError):
            return error
        return BrokenOffError(error.message, hint=error.hint, server=error.server) if again else error
