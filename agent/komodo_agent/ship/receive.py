"""The target's side: layers are taken into the spool, checked, and given to the engine as one archive."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from ..engine.errors import engine_errors
from ..engine.resources import short
from ..problems import AgentError
from ..wire.protocol import Problem
from ..wire.ships import CONFIG, DATA, END, HEAD, LAYER, PACKED, PROBLEM, WAIT, Imported, LayerHead, Part, Shipment
from .ahead import ahead
from .arrived import must_be, set_names, undone
from .closing import described, digest, docker_archive, image_layout, manifest
from .frames_in import frames
from .layers import ground
from .loading import PATH, Loading
from .lowest import LARGE, LowestLayer
from .survey import survey

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiohttp

    from ..engine.client import Engine
    from .contents import Contents
    from .spool import Held, Spool
    from .survey import Survey

_AT_ONCE = 4
_AGAIN = "ship it again: it goes on from there"
_running = 0


async def receive(engine: Engine, contents: Contents, spool: Spool, stream: aiohttp.StreamReader) -> Imported:
    """Take an image in. Until the engine has all of it, nothing there changes.

    Raises:
        AgentError: it broke off, something is not what it says, or the engine refused. What arrived is kept.
    """
    global _running
    if _running >= _AT_ONCE:
        raise AgentError("failed", f"{_AT_ONCE} images are arriving there", hint="try again", retryable=True)
    _running += 1
    arrival = _Arrival(engine, contents, spool)
    try:
        async with aclosing(ahead(frames(stream))) as source:
            return await arrival.take(source)
    except asyncio.TimeoutError as error:
        raise AgentError("failed", "the image stopped on its way", hint=_AGAIN, retryable=True) from error
    finally:
        _running -= 1
        await asyncio.to_thread(arrival.give_back)


class _Arrival:
    """What has come of one image."""

    def __init__(self, engine: Engine, contents: Contents, spool: Spool) -> None:
        self._engine = engine
        self._contents = contents
        self._spool = spool
        self._name = uuid.uuid4().hex[:12]
        self._containerd = False
        self._loading: Loading | None = None
        self._lowest: LowestLayer | None = None
        self._stirred: LowestLayer | Loading | None = None
        """Who is told that more of the layer under way has come."""
        self._current: tuple[Held, int] | None = None
        """The layer under way and its whole size."""
        self._shipment = Shipment(id="")
        self._layer_of: dict[str, str] = {}
        """The digest of each part's plain content, by the part's own; empty for what is no layer."""
        self._config = b""
        self._held: dict[str, Held] = {}
        self._files: dict[Held, str] = {}
        """Each one's path in the archive that the engine gets."""
        self._received = self._resumed = 0

    async def take(self, source: AsyncGenerator[tuple[bytes, bytes], None]) -> Imported:
        """Read the frames, and give the engine what is in them while they come; see it through."""
        kind, body = await _next(source)
        if kind != HEAD:
            raise AgentError("bad_request", "the image does not say what it is")
        self._shipment = shipment = _decode(body, Shipment)
        self._layer_of = {part.digest: part.layer for part in shipment.parts} or {one: one for one in shipment.layers}
        kind, body = await _next(source)
        if kind == END:
            there = await survey(self._engine, self._contents, shipment)
            await set_names(self._engine, there.id or shipment.id, shipment.tags)
            return Imported(id=there.id, tags=shipment.tags)
        what = f"load {shipment.tags[0] if shipment.tags else short(shipment.id)}"
        with engine_errors(what):
            self._containerd = (await ground(self._engine)).containerd
            self._loading = loading = await Loading.begin(self._engine, PATH)
            reading = asyncio.create_task(self._read(source, kind, body))
            feeding = asyncio.create_task(loading.feed())
            try:
                await asyncio.wait({reading, feeding}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    await feeding  # the engine refused: there is no use in the rest
                await reading
                loading.end()
                await feeding
                if self._lowest is not None:
                    await self._lowest.task
                image = await self._finish(loading)
            finally:
                reading.cancel()
                feeding.cancel()
                await asyncio.gather(reading, feeding, return_exceptions=True)
                loading.abort()
                if self._lowest is not None:
                    await self._lowest.close()
        held, self._held = self._held, {}
        for one in held.values():
            await asyncio.to_thread(one.drop)
        return Imported(id=image, tags=shipment.tags, layers=len(held), size=self._received, resumed=self._resumed)

    def give_back(self) -> None:
        """Keep what may be of use to the next attempt. Blocks."""
        if self._current is not None:
            self._current[0].keep()
        for held in self._held.values():
            held.keep()
        self._spool.prune()

    async def _read(self, source: AsyncGenerator[tuple[bytes, bytes], None], kind: bytes, body: bytes) -> None:
        """To the end, each layer checked by its digest."""
        while kind != END:
            if kind in (DATA, PACKED):
                await self._data(body)
            elif kind == LAYER:
                await self._begin(body)
            elif kind == CONFIG:
                self._config = body
            kind, body = await _next(source)
        await self._layer_done()

    async def _begin(self, body: bytes) -> None:
        await self._layer_done()
        head = _decode(body, LayerHead)
        if head.layer and (head.layer not in self._layer_of or head.layer in self._held):
            raise AgentError("bad_request", f"the layer {head.layer[:19]} is not one of the image's")
        if await asyncio.to_thread(self._spool.free) < head.size - head.offset:
            raise AgentError(
                "failed", f"there is no room for a layer of {head.size >> 20} MiB in {self._spool.folder}",
                hint="free disk space there",
            )  # fmt: skip
        held = await asyncio.to_thread(self._spool.take, head.layer, self._name)
        self._current = (held, head.size)
        if held.size != head.offset:
            raise AgentError("conflict", "what was kept of a layer is another length by now", hint=_AGAIN,
                             retryable=True)  # fmt: skip
        self._resumed += head.offset
        self._hand_on(held, head.size)

    def _hand_on(self, held: Held, size: int) -> None:
        """Give the engine the layer under way, in whichever way is quicker."""
        lowest = held.layer == self._shipment.layers[0] and not self._shipment.parts
        if lowest and size >= LARGE and self._lowest is None and not self._containerd:
            self._stirred = self._lowest = LowestLayer(self._engine, held, size)
        elif self._loading is not None:
            self._stirred = self._loading
            self._files[held] = f"layer-{len(self._files)}.tar"
            self._loading.add(self._files[held], held, size)

    async def _data(self, body: bytes) -> None:
        if self._current is None:
            raise AgentError("bad_request", "bytes of no layer")
        held, size = self._current
        if held.size + len(body) > size:
            raise AgentError("bad_request", "a layer is longer than it says")
        self._received += len(body)
        await asyncio.to_thread(held.write, body)
        if self._stirred is not None:
            self._stirred.grown()
        if self._lowest is not None and self._lowest.task.done():
            await self._lowest.task  # the engine refused: there is no use in the rest

    async def _layer_done(self) -> None:
        if self._current is None:
            return
        held, size = self._current
        if held.size != size:
            raise AgentError("failed", "a layer broke off at its source", hint=_AGAIN, retryable=True)
        found = await asyncio.to_thread(held.digest)
        self._current = None
        if found != (held.layer or found) or found not in self._layer_of:
            held.drop()
            raise AgentError("failed", f"the layer {(held.layer or found)[:19]} did not arrive as it was sent",
                             hint=_AGAIN, retryable=True)  # fmt: skip
        held.layer = found
        held.close()
        self._held.setdefault(found, held)

    async def _finish(self, loading: Loading) -> str:
        """Have the engine make the image; its id there."""
        shipment, config = self._shipment, self._config
        if digest(config) != (shipment.config or shipment.id):
            raise AgentError("failed", "the configuration of the image did not arrive as it was sent")
        there = await survey(self._engine, self._contents, shipment)
        lost = [one for one in there.lacking if one not in self._held]
        if lost:
            raise AgentError("conflict", f"the engine lost the layer {lost[0][:19]} meanwhile", hint=_AGAIN,
                             retryable=True)  # fmt: skip
        if there.ground.containerd:
            return await self._finish_layout(loading, there)
        files = {self._layer_of[held.layer]: path for held, path in self._files.items()}
        await loading.finish(docker_archive(shipment, config, files))
        await must_be(self._engine, there.id, shipment.layers)
        return there.id

    async def _finish_layout(self, loading: Loading, there: Survey) -> str:
        """The same for containerd's store: first the image, then its names."""
        root = next((part for part in self._shipment.parts if part.digest == self._shipment.id), None)
        documents = [self._config]
        if root is None:
            arrived = {one: Part(digest=one, size=held.size) for one, held in self._held.items()}
            documents.append(manifest(self._shipment, self._config, {**there.blobs, **arrived}))
            root = described(documents[-1])
        async with undone(self._engine, root.digest):
            await loading.finish(image_layout(root, *documents))
            await must_be(self._engine, root.digest, self._shipment.layers)
            await set_names(self._engine, root.digest, self._shipment.tags)
        return root.digest


async def _next(source: AsyncGenerator[tuple[bytes, bytes], None]) -> tuple[bytes, bytes]:
    """The next frame that says something."""
    async for kind, body in source:
        if kind == PROBLEM:
            problem = _decode(body, Problem)
            raise AgentError(
                problem.code, f"at the source: {problem.message}", hint=problem.hint, retryable=problem.retryable
            )
        if kind != WAIT:
            return kind, body
    raise AgentError("failed", "the image broke off on its way", hint=_AGAIN, retryable=True)


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise AgentError("bad_request", f"a frame of the image cannot be read: {error}") from error
