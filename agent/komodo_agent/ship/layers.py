"""What an image is made of, and what names there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..engine.asking import ask, image_path
from ..engine.resources import document, short
from ..wire.ships import ImageLayers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.client import Engine
    from .contents import Contents

_NONE = "<none>"


async def image_layers(engine: Engine, contents: Contents, reference: str) -> ImageLayers:
    """An image of this engine, by id or tag.

    Raises:
        AgentError: ``not_found``, or why the engine did not answer.
    """
    found = await document(engine, "image", reference)
    image = str(found.get("Id") or "")
    layers = layers_of(found)
    content = await contents.of(engine, image, layers) if (await ground(engine)).containerd else None
    return ImageLayers(
        id=image,
        config=content.config if content else image,
        parts=content.parts if content else (),
        tags=tuple(str(tag) for tag in found.get("RepoTags") or () if _NONE not in tag),
        layers=layers,
        sizes=() if content else await _sizes(engine, image, len(layers)),
        size=int(found.get("Size") or 0),
        platform="/".join(filter(None, (str(found.get(key) or "") for key in ("Os", "Architecture", "Variant")))),
    )


class Ground(NamedTuple):
    """What images meet at an engine."""

    containerd: bool
    """It keeps them in containerd's store, where an image's id is no digest of its configuration."""
    platform: str
    """``linux/x86_64``"""


async def ground(engine: Engine) -> Ground:
    """How this engine keeps images, and what it runs on.

    Raises:
        AgentError: why the engine did not answer.
    """
    info = await ask(engine, "ask the engine how it keeps images", "GET", "/info")
    platform = "/".join(str(info.get(key) or "") for key in ("OSType", "Architecture"))
    containerd = any(
        "io.containerd.snapshotter" in str(value) for pair in info.get("DriverStatus") or () for value in pair
    )
    return Ground(containerd, platform)


async def tags_there(engine: Engine, tags: Sequence[str]) -> dict[str, str]:
    """Of these tags those that exist, and the ids of their images."""
    listed = await ask(engine, "list the images", "GET", "/images/json")
    found = {str(tag): str(entry["Id"]) for entry in listed for tag in entry.get("RepoTags") or ()}
    return {tag: found[tag] for tag in tags if tag in found}


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


def layers_of(inspected: dict[str, Any]) -> tuple[str, ...]:
    """The digests of the layers of an image that was inspected, lowest first."""
    return tuple(map(str, (inspected.get("RootFS") or {}).get("Layers") or ()))
