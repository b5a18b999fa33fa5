"""The source's side: the engine's archive of an image, and of it what the other side lacks, as frames."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from ..engine.asking import image_path
from ..engine.errors import engine_errors
from ..engine.resources import short
from ..problems import AgentError
from ..wire.ships import (
    CONFIG,
    DATA,
    END,
    FRAME_HEAD,
    FRAME_LIMIT,
    LAYER,
    PACKED,
    PROBLEM,
    WAIT,
    LayerHead,
)
from .ahead import ahead
from .arrived import is_there
from .naming import Namer
from .packing import LEVEL, SAMPLE, Packing
from .tar_in import TarIn

if TYPE_CHECKING:
    from ..engine.client import Engine
    from ..wire.ships import ExportRequest
    from .tar_in import Member

_log = logging.getLogger(__name__)

_AT_ONCE = 4
"""Images sent at the same time: the engine writes each to its disk first."""
_SILENCE = 900.0
"""Seconds the engine may write before its first byte: a large image on a slow disk."""
_ALIVE_EVERY = 5.0
_STALLED = 120.0
"""Seconds the other side may take for one frame."""
_running = 0


class GoneError(Exception):
    """Who the image is for takes no more of it: no fault of the engine's, and nobody is left to be told."""


async def send_export(engine: Engine, request: web.Request, wanted: ExportRequest) -> web.StreamResponse:
    """Answer with the frames.

    Raises:
        AgentError: before anything was sent; afterwards a frame says what went wrong.
    """
    global _running
    image = image_path(wanted.id)
    if _running >= _AT_ONCE:
        raise AgentError("failed", f"{_AT_ONCE} images are being sent from here", hint="try again", retryable=True)
    _running += 1
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        out = _Frames(response)
        alive = asyncio.create_task(_keep_alive(out))
        try:
            await _Export(engine, image, wanted, out).run()
        except AgentError as error:
            _log.warning("sending image %s failed: %s", image, error.message)
            await out.put(PROBLEM, msgspec.json.encode(error.problem()))
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
        await response.write_eof()
    except GoneError:
        _log.info("sending image %s ended: nobody takes it any more", image)
        if request.transport is not None:
            request.transport.abort()  # one that stalls would be waited for with what is left to be written
    finally:
        _running -= 1
    return response


class _Frames:
    """Writes frames, one at a time, and packs where that pays."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response
        self._turn = asyncio.Lock()
        self._packing = Packing()
        self.last = time.monotonic()

    async def put(self, kind: bytes, body: bytes = b"", plain: int | None = None) -> float:
        """Send a frame; returns the seconds it took. Raises GoneError."""
        head = FRAME_HEAD.pack(kind, len(body), len(body) if plain is None else plain)
        began = time.monotonic()
        try:
            async with self._turn:
                await asyncio.wait_for(self._response.write(head + body), _STALLED)
        except (OSError, asyncio.TimeoutError) as error:
            raise GoneError from error
        self.last = time.monotonic()
        return self.last - began

    async def data(self, piece: bytes) -> None:
        """Send bytes of a layer."""
        if self._packing.look_due():
            await self._packed(piece[:SAMPLE])
        if self._packing.pays():
            packed = await self._packed(piece)
            if len(packed) < len(piece):
                self._packing.sent(len(packed), await self.put(PACKED, packed, len(piece)))
                return
        self._packing.sent(len(piece), await self.put(DATA, piece))

    async def _packed(self, piece: bytes) -> bytes:
        began = time.monotonic()
        packed = await asyncio.to_thread(zlib.compress, piece, LEVEL)
        self._packing.packed(len(piece), len(packed), time.monotonic() - began)
        return packed


async def _keep_alive(out: _Frames) -> None:
    while True:
        await asyncio.sleep(_ALIVE_EVERY)
        if time.monotonic() - out.last >= _ALIVE_EVERY:
            await out.put(WAIT)


class _Export:
    """One archive, read once."""

    def __init__(self, engine: Engine, image: str, wanted: ExportRequest, out: _Frames) -> None:
        self._engine = engine
        self._image = image
        self._out = out
        self._wanted = set(wanted.wanted)
        self._kept = wanted.kept
        self._namer = Namer(wanted.config or image, wanted.layers)
        self._config = False

    async def run(self) -> None:
        """Send it all.

        Raises:
            AgentError: the engine failed, or its archive lacks something.
            GoneError: the other side went away.
        """
        if not await is_there(self._engine, self._image):  # asked for it, old engines tell of a missing file
            raise AgentError("not_found", f"the image {short(self._image)} is not there any more")
        with engine_errors(f"save {short(self._image)}"):
            async with self._engine.stream("GET", f"/images/{self._image}/get") as answer:
                archive = TarIn(answer.content, _SILENCE)
                async for member in archive.members():
                    await self._member(archive, member)
                    if self._config and not self._wanted:
                        break
        if not self._config:
            raise AgentError("failed", f"the engine's archive of {short(self._image)} has no configuration in it")
        await self._out.put(END)

    async def _member(self, archive: TarIn, member: Member) -> None:
        if not member.plain:
            return
        if self._namer.is_config(member.name):
            self._config = True
            await self._out.put(CONFIG, await archive.whole(FRAME_LIMIT))
        elif self._namer.is_description(member.name):
            self._namer.describe(member.name, await archive.whole(FRAME_LIMIT))
        elif (layer := self._namer.layer(member.name)) is not None and (not layer or layer in self._wanted):
            self._wanted.discard(layer)
            await self._layer(archive, member, layer)

    async def _layer(self, archive: TarIn, member: Member, layer: str) -> None:
        skip = min(self._kept.get(layer, 0), member.size) if layer else 0
        await self._out.put(LAYER, msgspec.json.encode(LayerHead(layer=layer, size=member.size, offset=skip)))
        async with aclosing(ahead(archive.pieces())) as pieces:
            async for piece in pieces:
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                await self._out.data(piece[skip:] if skip else piece)
                skip = 0
