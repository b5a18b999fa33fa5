"""A program in a new container like one that is there, removed at its end: what ``compose run`` does for a service."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiodocker import DockerError

from ..problems import AgentError
from ..wire.exec import ExecExit
from .attach import DETACH_KEYS
from .errors import engine_errors
from .hijack import hijack

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer

    from ..wire.exec import ExecRequest
    from ..wire.models import Container
    from .client import Engine
    from .hijack import Hijacked

_TERMINAL = "xterm-256color"
_END_TIMEOUT = 30.0
_GRACE = 2.0
_ONE_OFF = "com.docker.compose.oneoff"
_OF_ONE = ("com.docker.compose.container-number", "com.docker.compose.config-hash", "com.docker.compose.replace")
"""Labels that say which of a service's own containers it is."""
_LEFT_OUT = ("PortBindings", "PublishAllPorts", "RestartPolicy", "AutoRemove", "ContainerIDFile", "LogConfig")
"""Of the host's side: a second one cannot have the same ports, and nobody shall start it again."""


class OneOff:
    """The new container's own process."""

    def __init__(self, container: DockerContainer, name: str, stream: Hijacked, command: tuple[str, ...]) -> None:
        self._container = container
        self._name = name
        self._ended = asyncio.ensure_future(container.wait())
        self.stream = stream
        self.command = command

    async def resize(self, rows: int, cols: int) -> None:
        """Tell its terminal's size, if it has one and runs."""
        try:
            await self._container.resize(h=rows, w=cols)
        except DockerError as error:
            if error.status not in (404, 409, 500):
                raise

    async def exit(self) -> ExecExit:
        """How it ended, once its output has."""
        with engine_errors("ask how the process ended"):
            answer = await asyncio.wait_for(asyncio.shield(self._ended), _END_TIMEOUT)
        return ExecExit(code=int(answer.get("StatusCode") or 0))

    async def close(self) -> None:
        """Hang up: end the process if it still runs, and its container with it."""
        await self.stream.close()
        if not self._ended.done():
            with suppress(DockerError):  # what ignores it is killed with its container, below
                await self._container.kill(signal="SIGHUP")
            await asyncio.wait({self._ended}, timeout=_GRACE)
        self._ended.cancel()
        await asyncio.gather(self._ended, return_exceptions=True)
        with suppress(DockerError):  # in most cases the engine has done it already
            await self._container.delete(force=True, v=True)


async def start(engine: Engine, container: Container, request: ExecRequest) -> OneOff:
    """Make it and start it; the container it is like need not run.

    Raises:
        AgentError: the image is gone, there is no such program, or the engine refused or did not answer.
    """
    name = f"{container.name}-run-{secrets.token_hex(3)}"
    document = await engine.inspect(container.id)
    with engine_errors(f"create {name}"):
        made = await engine.docker.containers.create(like(document, request), name=name)
    try:
        with engine_errors(f"start {name}"):
            await _join(engine, document, made)
            wanted = f"stream=1&stdout=1&stderr=1&stdin={int(request.stdin)}"
            if request.tty:
                wanted += f"&detachKeys={quote(DETACH_KEYS)}"
            stream = await hijack(engine, f"/containers/{made.id}/attach?{wanted}", {}, tty=request.tty)
        try:
            await _begin(made, container, request)
        except BaseException:
            await stream.close()
            raise
    except BaseException:  # also when cancelled: nobody else would remove it
        with suppress(DockerError):
            await made.delete(force=True, v=True)
        raise
    running = OneOff(made, name, stream, request.command)
    if request.tty:
        await running.resize(request.rows, request.cols)
    return running


async def _begin(made: DockerContainer, container: Container, request: ExecRequest) -> None:
    try:
        await made.start()
    except DockerError as error:
        words = str(error.message).removeprefix("failed to create task for container: ")
        what = request.command[0] if request.command else "its command"
        raise AgentError("failed", f"{what} cannot be started in a container like {container.name}: {words}") from error


async def _join(engine: Engine, document: dict[str, Any], made: DockerContainer) -> None:
    """The networks behind the first one."""
    mode = (document.get("HostConfig") or {}).get("NetworkMode") or ""
    for network in (document.get("NetworkSettings") or {}).get("Networks") or {}:
        if network not in (mode, "bridge", "host", "none"):
            await (await engine.docker.networks.get(network)).connect({"Container": made.id})


def like(document: dict[str, Any], request: ExecRequest) -> dict[str, Any]:
    """The engine's request body for a container like the one inspected, for another command. Pure."""
    config, host = document.get("Config") or {}, document.get("HostConfig") or {}
    environment = [*(config.get("Env") or ()), *(f"{name}={value}" for name, value in request.environment.items())]
    if request.tty and "TERM" not in request.environment:
        environment.append(f"TERM={_TERMINAL}")
    labels = {name: value for name, value in (config.get("Labels") or {}).items() if name not in _OF_ONE}
    body: dict[str, Any] = {
        "Image": document.get("Image") or config.get("Image"),
        "Env": environment,
        "User": request.user or config.get("User") or "",
        "WorkingDir": request.workdir or config.get("WorkingDir") or "",
        "Entrypoint": config.get("Entrypoint"),
        "Cmd": list(request.command) or config.get("Cmd"),
        "Labels": {**labels, _ONE_OFF: "True"},
        "Tty": request.tty,
        "OpenStdin": request.stdin,
        "StdinOnce": request.stdin,
        "AttachStdin": request.stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": {
            **{name: value for name, value in host.items() if name not in _LEFT_OUT and value is not None},
            "AutoRemove": True,
        },
    }
    return body
