"""What an engine lacks of an image that is to come."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from ..engine.asking import ask
from ..engine.resources import document
from ..problems import AgentError
from ..wire.ships import Part
from .layers import Ground, ground, layers_of
from .naming import chains

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..engine.client import Engine
    from ..wire.ships import Shipment
    from .contents import Content, Contents

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Images looked at together."""
_LOOK_INTO = 3
"""Images whose archives are read to see what blobs they share: the likeliest ones."""


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What there is."""

    ground: Ground = Ground(containerd=True, platform="")
    id: str = ""
    """The id that the image has or will have there; empty where nobody can tell yet."""
    present: bool = False
    """The engine has the image."""
    lacking: tuple[str, ...] = ()
    """Digests of the parts that it lacks, in the shipment's order."""
    blobs: dict[str, Part] = msgspec.field(default_factory=dict)
    """The blobs in containerd's store that hold the image's layers, by the digests of their plain content."""


async def survey(engine: Engine, contents: Contents, shipment: Shipment) -> Survey:
    """Look at the engine's images. Changes nothing.

    Raises:
        AgentError: why the engine did not answer.
    """
    found = await ground(engine)
    images, named = await _images(engine)
    if found.containerd:
        blobs = await _blobs(engine, contents, shipment, images, named)
        return msgspec.structs.replace(blobs, ground=found)
    config = shipment.config or shipment.id
    if config in images:
        return Survey(ground=found, id=config, present=True)
    # A layer is of use there only upon the same layers below.
    known = {chain for layers in images.values() for chain in chains(layers)}
    lacks = {layer for layer, chain in zip(shipment.layers, chains(shipment.layers), strict=True) if chain not in known}
    if shipment.parts:
        lacking = [part.digest for part in shipment.parts if part.layer in lacks]
    else:
        lacking = [layer for layer in shipment.layers if layer in lacks]
    return Survey(ground=found, id=config, lacking=tuple(lacking))


async def _images(engine: Engine) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """The layers of all images, and which images have a name."""
    listed = await ask(engine, "list the images", "GET", "/images/json", params={"all": "true"})
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(image: str) -> tuple[str, ...]:
        async with turns:
            try:
                return layers_of(await document(engine, "image", image))
            except AgentError as error:
                if error.code == "not_found":
                    return ()  # removed meanwhile
                raise

    ids = [str(entry["Id"]) for entry in listed]
    found = dict(zip(ids, await asyncio.gather(*map(one, ids)), strict=True))
    return found, {str(entry["Id"]) for entry in listed if _has_name(entry)}


def _has_name(entry: dict[str, Any]) -> bool:
    return any("<none>" not in str(tag) for tag in entry.get("RepoTags") or ())


async def _blobs(
    engine: Engine, contents: Contents, shipment: Shipment, images: dict[str, tuple[str, ...]], named: set[str]
) -> Survey:
    """The same for containerd's store, where blobs stand for themselves, each known by its digest.

    An image without a name does not count as present there: it may be the rest of a load that failed.
    """
    if shipment.parts:
        if shipment.id in named:
            return Survey(id=shipment.id, present=True)
        needed = {part.digest: part.layer for part in shipment.parts}
        async for _, content in _likely(engine, contents, images, needed):
            for part in content.parts:
                needed.pop(part.digest, None)
        return Survey(id=shipment.id, lacking=tuple(needed))
    config = shipment.config or shipment.id
    needed, blobs = {layer: layer for layer in shipment.layers}, dict[str, Part]()
    twins = {image: layers for image, layers in images.items() if layers == shipment.layers and image in named}
    async for image, content in _likely(engine, contents, {**twins, **images}, needed):
        if image in twins and content.config == config:
            return Survey(id=image, present=True)
        blobs.update({part.layer: part for part in content.parts if part.layer in shipment.layers})
        for layer in blobs:
            needed.pop(layer, None)
    return Survey(lacking=tuple(needed), blobs=blobs)


async def _likely(
    engine: Engine, contents: Contents, images: dict[str, tuple[str, ...]], needed: dict[str, str]
) -> AsyncIterator[tuple[str, Content]]:
    """The images that share most, one after the other, while one may have something of what is still needed."""
    layers = {layer for layer in needed.values() if layer}
    likely = sorted(images, key=lambda image: -len(layers & set(images[image])))
    for image in likely[:_LOOK_INTO]:
        if not {layer for layer in needed.values() if layer} & set(images[image]):
            continue
        try:
            yield image, await contents.of(engine, image, images[image])
        except AgentError as error:
            _log.warning("what %s has in common is not known: %s", image, error.message)
