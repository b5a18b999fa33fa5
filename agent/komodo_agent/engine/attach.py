"""Attach to a container's own process. Leaving detaches; the process goes on."""

from __future__ import annotations

import asyncio
import shlex
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiodocker import DockerError

from ..problems import AgentError
from ..wire.exec import ExecExit
from .errors import engine_errors
from .hijack import hijack

if TYPE_CHECKING:
    from ..wire.exec import ExecRequest
    from ..wire.models import Container
    from .client import Engine
    from .hijack import Hijacked

DETACH_KEYS = ",".join(["ctrl-]"] * 8)
"""The engine's default would hold back every ^P until the next key. It cannot be switched off, so eight times ^]."""
_END_TIMEOUT = 2.0
_LOOK_EVERY = 0.05


class Attachment:
    """An open line to a container's own process."""

    def __init__(self, engine: Engine, container: Container, stream: Hijacked) -> None:
        self._engine = engine
        self._container = container
        self.stream = stream
        self.command = tuple(shlex.split(container.command))

    async def resize(self, rows: int, cols: int) -> None:
        """Tell the container's terminal its size, if it has one and runs."""
        if not self._container.tty:
            return
        try:
            await self._engine.docker.containers.container(self._container.id).resize(h=rows, w=cols)
        except DockerError as error:
            if error.status not in (404, 409, 500):
                raise

    async def exit(self) -> ExecExit:
        """How the container ended, or that it goes on without us."""
        deadline = time.monotonic() + _END_TIMEOUT
        while True:
            state: dict[str, Any] = (await self._engine.inspect(self._container.id)).get("State") or {}
            if not state.get("Running"):
                return ExecExit(code=int(state.get("ExitCode") or 0))
            if time.monotonic() >= deadline:
                return ExecExit(code=None, reason=f"detached; {self._container.name} runs on")
            await asyncio.sleep(_LOOK_EVERY)

    async def close(self) -> None:
        """Detach."""
        await self.stream.close()


async def attach(engine: Engine, container: Container, request: ExecRequest) -> Attachment:
    """Attach to a container that runs.

    Raises:
        AgentError: ``conflict`` when it does not run; why the engine did not answer.
    """
    if container.state != "running":
        raise AgentError("conflict", f"{container.name} does not run (it is {container.state})", hint="start it first")
    wanted = f"stream=1&stdout=1&stderr=1&stdin={int(request.stdin)}"
    if container.tty:
        wanted += f"&detachKeys={quote(DETACH_KEYS)}"
    with engine_errors(f"attach to {container.name}"):
        stream = await hijack(engine, f"/containers/{container.id}/attach?{wanted}", {}, tty=container.tty)
        attachment = Attachment(engine, container, stream)
        # The engine gives nothing of what is on the screen already: a size that differs has the program draw it anew.
        await attachment.resize(request.rows + 1, request.cols)
        await attachment.resize(request.rows, request.cols)
    return attachment
