"""The target's side: layers are taken into the spool, checked, and given to the engine as one archive."""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from ..engine.asking import ask, image_path
from ..engine.errors import engine_errors
from ..engine.lines import line_batches
from ..engine.pull import split_reference
from ..engine.resources import document, short
from ..problems import AgentError
from ..wire.protocol import Problem
from ..wire.ships import CONFIG, DATA, END, HEAD, LAYER, PACKED, PROBLEM, Imported, LayerHead, Shipment
from .frames_in import frames
from .layers import lacking_layers
from .spool import digits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from ..engine.client import Engine
    from .spool import Held, Spool

_AT_ONCE = 4
_READ = 1 << 20
_SILENCE = 1800.0
"""Seconds the engine may unpack without a word."""
_BLOCK = 512
_END_OF_TAR = b"\0" * 1024
_running = 0


async def receive(engine: Engine, spool: Spool, stream: aiohttp.StreamReader) -> Imported:
    """Take an image in. Until the engine has all of it, nothing there changes.

    Raises:
        AgentError: it broke off, something is not what it says, or the engine refused. What arrived is kept.
    """
    global _running
    if _running >= _AT_ONCE:
        raise AgentError("failed", f"{_AT_ONCE} images are arriving there", hint="try again", retryable=True)
    _running += 1
    arrival = _Arrival(spool)
    try:
        await arrival.take(stream)
        if not arrival.config:
            return await _name(engine, arrival.shipment)
        return await _load(engine, arrival)
    except asyncio.TimeoutError as error:
        raise AgentError("failed", "the image stopped on its way", retryable=True) from error
    finally:
        _running -= 1
        await asyncio.to_thread(arrival.give_back)


class _Arrival:
    """What has come of one image."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._name = uuid.uuid4().hex[:12]
        self._current: tuple[Held, int] | None = None
        """The layer under way and its whole size."""
        self.shipment = Shipment(id="")
        self.config = b""
        self.held: dict[str, Held] = {}
        self.received = self.resumed = 0

    async def take(self, stream: aiohttp.StreamReader) -> None:
        """Read the frames to their end, each layer checked by its digest."""
        ended = False
        async for kind, body in frames(stream):
            if kind in (DATA, PACKED):
                await self._data(body)
            elif kind == LAYER:
                await self._begin(body)
            elif kind == CONFIG:
                self.config = body
            elif kind == HEAD:
                self.shipment = _decode(body, Shipment)
            elif kind == PROBLEM:
                problem = _decode(body, Problem)
                raise AgentError(problem.code, f"at the source: {problem.message}", hint=problem.hint)
            ended = ended or kind == END
        await self._layer_done()
        if not ended:
            raise AgentError("failed", "the image broke off on its way", hint="ship it again: it goes on from there",
                             retryable=True)  # fmt: skip
        if self.config:
            self._check()

    def give_back(self) -> None:
        """Keep what may be of use to the next attempt. Blocks."""
        if self._current is not None:
            self._current[0].keep()
        for held in self.held.values():
            held.keep()
        self._spool.prune()

    def loaded(self) -> None:
        """The engine has it all: nothing needs to be kept. Blocks."""
        for held in self.held.values():
            held.drop()

    async def _begin(self, body: bytes) -> None:
        await self._layer_done()
        head = _decode(body, LayerHead)
        if head.layer and (head.layer not in self.shipment.layers or head.layer in self.held):
            raise AgentError("bad_request", f"the layer {head.layer[:19]} is not one of the image's")
        if await asyncio.to_thread(self._spool.free) < head.size - head.offset:
            raise AgentError(
                "failed", f"there is no room for a layer of {head.size >> 20} MiB in {self._spool.folder}",
                hint="free disk space there",
            )  # fmt: skip
        held = await asyncio.to_thread(self._spool.take, head.layer, self._name)
        self._current = (held, head.size)
        if held.size != head.offset:
            raise AgentError("conflict", "what was kept of a layer is not there any more", hint="ship it again")
        self.resumed += head.offset

    async def _data(self, body: bytes) -> None:
        if self._current is None:
            raise AgentError("bad_request", "bytes of no layer")
        held, size = self._current
        if held.size + len(body) > size:
            raise AgentError("bad_request", "a layer is longer than it says")
        self.received += len(body)
        await asyncio.to_thread(held.write, body)

    async def _layer_done(self) -> None:
        if self._current is None:
            return
        held, size = self._current
        if held.size != size:
            return  # it broke off
        self._current = None
        digest = await asyncio.to_thread(held.digest)
        if digest != (held.layer or digest) or digest not in self.shipment.layers:
            held.drop()
            raise AgentError("failed", f"the layer {(held.layer or digest)[:19]} did not arrive as it was sent",
                             hint="ship it again")  # fmt: skip
        held.layer = digest
        held.close()
        if digest in self.held:
            held.drop()
        else:
            self.held[digest] = held

    def _check(self) -> None:
        if f"sha256:{hashlib.sha256(self.config).hexdigest()}" != self.shipment.id:
            raise AgentError("failed", "the configuration of the image did not arrive as it was sent")


async def _name(engine: Engine, shipment: Shipment) -> Imported:
    """Nothing came but names for an image that is there."""
    image = image_path(shipment.id)
    for name in shipment.tags:
        repository, tag = split_reference(image_path(name))
        what = f"tag {short(image)} as {name}"
        await ask(engine, what, "POST", f"/images/{image}/tag", params={"repo": repository, "tag": tag})
    return Imported(id=str((await document(engine, "image", image)).get("Id")), tags=shipment.tags)


async def _load(engine: Engine, arrival: _Arrival) -> Imported:
    shipment = arrival.shipment
    lacking = [layer for layer in await lacking_layers(engine, shipment.layers) if layer not in arrival.held]
    if lacking:
        raise AgentError("conflict", f"the engine lost the layer {lacking[0][:19]} meanwhile", hint="ship it again",
                         retryable=True)  # fmt: skip
    what = f"load {shipment.tags[0] if shipment.tags else short(shipment.id)}"
    with engine_errors(what):
        async with engine.stream(
            "POST", "/images/load", params={"quiet": "1"}, headers={"Content-Type": "application/x-tar"},
            data=_archive(shipment, arrival.config, arrival.held),
        ) as answer:  # fmt: skip
            async for lines in line_batches(answer, silence=_SILENCE):
                for line in lines:
                    _refuse_error(what, msgspec.json.decode(line))
    found = await document(engine, "image", image_path(shipment.id))
    if str(found.get("Id")) != shipment.id:
        raise AgentError("failed", f"{what}: the engine made another image of it: {str(found.get('Id'))[:19]}")
    await asyncio.to_thread(arrival.loaded)
    layers, arrival.held = len(arrival.held), {}
    return Imported(id=shipment.id, tags=shipment.tags, layers=layers, size=arrival.received, resumed=arrival.resumed)


def _refuse_error(what: str, message: Any) -> None:
    if isinstance(message, dict) and (message.get("error") or message.get("errorDetail")):
        detail = message.get("errorDetail")
        words = (detail.get("message") if isinstance(detail, dict) else None) or message.get("error")
        raise AgentError("failed", f"{what}: {str(words)[:2000]}")


async def _archive(shipment: Shipment, config: bytes, held: dict[str, Held]) -> AsyncIterator[bytes]:
    """What ``docker load`` takes, without the layers that the engine has: it never opens their files."""
    name = f"{digits(shipment.id)}.json"
    listed = [
        {"Config": name, "RepoTags": shipment.tags, "Layers": [f"{digits(x)}/layer.tar" for x in shipment.layers]}
    ]
    for path, body in ((name, config), ("manifest.json", msgspec.json.encode(listed))):
        yield _entry(path, len(body)) + body + b"\0" * (-len(body) % _BLOCK)
    for layer, one in held.items():
        yield _entry(f"{digits(layer)}/layer.tar", one.size)
        file = await asyncio.to_thread(one.path.open, "rb", 0)
        try:
            while piece := await asyncio.to_thread(file.read, _READ):
                yield piece
        finally:
            file.close()
        yield b"\0" * (-one.size % _BLOCK)
    yield _END_OF_TAR


def _entry(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.PAX_FORMAT)


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise AgentError("bad_request", f"a frame of the image cannot be read: {error}") from error
