"""The lowest layer of an image, unpacked by the engine while it and those above it still arrive.

``POST /images/load`` copies an archive to the engine's disk before it looks at it. ``POST /images/create?fromSrc=-``
unpacks the layer of a new image of one layer as it comes, and the layer is the same one: an engine with layers of its
own knows them by their digests. The image is taken away when the real one is there.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..engine.asking import ask
from ..engine.resources import document
from ..problems import AgentError
from .layers import layers_of
from .upload import Upload

if TYPE_CHECKING:
    from ..engine.client import Engine
    from .spool import Held

_log = logging.getLogger(__name__)

LARGE = 16 << 20
"""Bytes from which on it pays."""
_LABEL = "komodo.ship.lowest"
_under_way: set[LowestLayer] = set()


class LowestLayer:
    """One layer on its way into the engine."""

    def __init__(self, engine: Engine, held: Held, size: int) -> None:
        self._engine = engine
        self._held = held
        self._size = size
        self._upload: Upload | None = None
        self._image = ""
        self._task = asyncio.create_task(self._run())
        _under_way.add(self)

    @property
    def task(self) -> asyncio.Task[None]:
        """Ends when the engine has it. Raises as :meth:`Upload.answer`."""
        return self._task

    def grown(self) -> None:
        """There is more of it."""
        if self._upload is not None:
            self._upload.grown()

    async def close(self) -> None:
        """Break it off, or take the image away; and others that an agent left when it was killed."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        _under_way.discard(self)
        try:
            await self._sweep()
        except AgentError as error:
            _log.warning("an image of the lowest layer stays: %s", error.message)

    async def _run(self) -> None:
        query = urlencode({"fromSrc": "-", "changes": f"LABEL {_LABEL}=1"})
        self._upload = upload = await Upload.begin(self._engine, f"/images/create?{query}")
        try:
            await upload.send_file(self._held, self._size)
            lines = await upload.answer()
        finally:
            upload.abort()
        self._image = str(lines[-1].get("status", "")) if lines and isinstance(lines[-1], dict) else ""
        found = layers_of(await document(self._engine, "image", self._image))
        if found != (self._held.layer,):
            raise AgentError("failed", "the engine made another layer of what arrived")

    async def _sweep(self) -> None:
        filters = f'{{"label":["{_LABEL}"],"dangling":["true"]}}'
        listed = await ask(self._engine, "list the images", "GET", "/images/json", params={"filters": filters})
        busy = {one._image for one in _under_way}
        for entry in listed:
            # "": the engine may have made an image of a layer whose answer has not come: whose it is, nobody knows yet
            if entry["Id"] == self._image or not busy & {"", entry["Id"]}:
                await ask(self._engine, "remove an image that lent its layer", "DELETE", f"/images/{entry['Id']}")
