"""What an image is made of, and which of its layers an engine has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..engine.asking import ask, image_path
from ..engine.resources import document, short
from ..problems import AgentError
from ..wire.ships import ImageLayers
from .naming import chains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.client import Engine

_AT_ONCE = 8
"""Images looked at together."""
_NONE = "<none>"


async def image_layers(engine: Engine, reference: str) -> ImageLayers:
    """An image of this engine, by id or tag.

    Raises:
        AgentError: ``not_found``, or why the engine did not answer.
    """
    found = await document(engine, "image", reference)
    whole = await keeps_whole(engine)
    image = str(found.get("Id") or "")
    layers = _layers(found)
    sizes = () if whole else await _sizes(engine, image, len(layers))
    return ImageLayers(
        id=image,
        tags=tuple(str(tag) for tag in found.get("RepoTags") or () if _NONE not in tag),
        layers=layers,
        sizes=sizes,
        size=int(found.get("Size") or 0),
        platform="/".join(filter(None, (str(found.get(key) or "") for key in ("Os", "Architecture", "Variant")))),
        whole=whole,
    )


async def keeps_whole(engine: Engine) -> bool:
    """Whether this engine keeps images in containerd's store, where an image's id is no digest of its configuration."""
    info = await ask(engine, "ask the engine how it keeps images", "GET", "/info")
    return any("io.containerd.snapshotter" in str(value) for pair in info.get("DriverStatus") or () for value in pair)


async def tags_there(engine: Engine, tags: Sequence[str]) -> dict[str, str]:
    """Of these tags those that exist, and the ids of their images."""
    listed = await ask(engine, "list the images", "GET", "/images/json")
    found = {str(tag): str(entry["Id"]) for entry in listed for tag in entry.get("RepoTags") or ()}
    return {tag: found[tag] for tag in tags if tag in found}


async def has(engine: Engine, image: str) -> bool:
    """Whether the engine has an image of this id."""
    try:
        await document(engine, "image", image_path(image))
    except AgentError as error:
        if error.code == "not_found":
            return False
        raise
    return True


async def lacking_layers(engine: Engine, layers: Sequence[str]) -> tuple[str, ...]:
    """Of an image's layers, those that no image of this engine has upon the same layers below.

    A layer is of use only there: what an engine keeps is a layer together with all below it.
    """
    listed = await ask(engine, "list the images", "GET", "/images/json", params={"all": "true"})
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(image: str) -> tuple[str, ...]:
        async with turns:
            try:
                return _layers(await document(engine, "image", image))
            except AgentError as error:
                if error.code == "not_found":
                    return ()  # removed meanwhile
                raise

    known: set[str] = set()
    for found in await asyncio.gather(*(one(str(entry["Id"])) for entry in listed)):
        known.update(chains(found))
    return tuple(layer for layer, chain in zip(layers, chains(layers), strict=True) if chain not in known)


async def _sizes(engine: Engine, image: str, count: int) -> tuple[int, ...]:
    """The layers' sizes by the image's history: its entries that made a layer, in order."""
    what = f"look at the history of {short(image)}"
    history = await ask(engine, what, "GET", f"/images/{image_path(image)}/history")
    sizes = [int(entry.get("Size") or 0) for entry in reversed(history or ())]
    if len(sizes) == count:
        return tuple(sizes)
    # Steps that made no layer have none; a layer may be empty, too, and then nobody can tell which is which.
    made = [size for size in sizes if size]
    return tuple(made) if len(made) == count else ()


def _layers(inspected: dict[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, (inspected.get("RootFS") or {}).get("Layers") or ()))
