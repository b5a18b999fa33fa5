"""An image that the engine has been given: whether it is there and the right one, its names, taking it away again."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..engine.asking import ask, image_path
from ..engine.pull import split_reference
from ..engine.resources import document, short
from ..problems import AgentError
from .layers import layers_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ..engine.client import Engine

_log = logging.getLogger(__name__)


async def must_be(engine: Engine, image: str, layers: Sequence[str]) -> None:
    """Check that an image is there, and is made of these layers.

    Raises:
        AgentError: it is not, or why the engine did not answer.
    """
    found = await document(engine, "image", image_path(image))
    if str(found.get("Id")) != image or layers_of(found) != tuple(layers):
        raise AgentError("failed", f"the engine made another image of it: {str(found.get('Id'))[:19]}")


async def set_names(engine: Engine, image: str, tags: Sequence[str]) -> None:
    """Give an image its names.

    Raises:
        AgentError: the engine refused.
    """
    for name in tags:
        repository, tag = split_reference(image_path(name))
        what = f"tag {short(image)} as {name}"
        await ask(engine, what, "POST", f"/images/{image_path(image)}/tag", params={"repo": repository, "tag": tag})


@asynccontextmanager
async def undone(engine: Engine, image: str) -> AsyncIterator[None]:
    """Take an image away again that does not come about inside, unless it was there before or has a name by now."""
    before = await is_there(engine, image)
    try:
        yield
    except BaseException:
        if not before:
            await _remove(engine, image)
        raise


async def is_there(engine: Engine, image: str) -> bool:
    """Whether the engine has an image."""
    try:
        await document(engine, "image", image_path(image))
    except AgentError as error:
        if error.code == "not_found":
            return False
        raise
    return True


async def _remove(engine: Engine, image: str) -> None:
    try:
        # By its id and without force the engine removes only what has one name at most.
        found = await document(engine, "image", image_path(image))
        if not found.get("RepoTags"):
            await ask(engine, f"remove {short(image)}", "DELETE", f"/images/{image_path(image)}")
    except AgentError as error:
        if error.code != "not_found":
            _log.warning("the rest of image %s stays: %s", short(image), error.message)
