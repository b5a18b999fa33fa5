"""A volume that this agent may not look into, archived by the engine through a container that has it mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from .asking import ask, name_path
from .errors import engine_errors

if TYPE_CHECKING:
    from .client import Engine


_PLAIN = {"Accept-Encoding": "identity"}
"""The engine compresses what it is not told to leave as it is."""


async def lent_by(engine: Engine, volume: str) -> tuple[str, str] | None:
    """A container that has the volume, running or not, and where in it; None where there is none.

    Raises:
        AgentError: the engine did not answer.
    """
    for container in await ask(engine, "list the containers", "GET", "/containers/json", params={"all": "true"}):
        for mount in container.get("Mounts") or ():
            if mount.get("Type") == "volume" and mount.get("Name") == volume and mount.get("Destination"):
                return str(container["Id"]), str(mount["Destination"])
    return None


async def send_lent(
    engine: Engine, request: web.Request, volume: str, container: str, folder: str
) -> web.StreamResponse:
    """The folder of the container as a tar: the engine makes it, without following links out of it.

    Raises:
        AgentError: before anything was sent; afterwards the connection is broken off.
    """
    path = f"/containers/{name_path(container, 'container')}/archive"
    response = web.StreamResponse(headers={"Content-Type": "application/x-tar"})
    response.enable_chunked_encoding()
    with engine_errors(f"archive volume {volume}"):
        async with engine.stream("GET", path, params={"path": f"{folder}/."}, headers=_PLAIN) as source:
            await response.prepare(request)
            try:
                async for piece in source.content.iter_any():
                    await response.write(piece)
            except aiohttp.ClientError as error:
                raise ConnectionResetError("the engine broke the archive off") from error
    await response.write_eof()
    return response
