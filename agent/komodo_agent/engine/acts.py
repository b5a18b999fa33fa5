"""Verbs on one container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aiohttp

from ..problems import AgentError
from .commands import act_command
from .errors import engine_errors

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer

    from ..jobs import JobContext
    from ..wire.jobs import ContainerAct
    from .client import Engine

_SIGNAL = re.compile(r"[A-Za-z0-9+]{1,16}")
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}")
"""What the engine takes as a container's name."""
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_MARGIN = 60.0
"""Seconds an engine gets on top of what it was told to wait."""
_ENGINE_DEFAULT = 10
_LONGEST_WAIT = 86400


async def act(engine: Engine, context: JobContext, wanted: ContainerAct) -> None:
    """Do it, and record it in the job.

    Raises:
        AgentError: the request makes no sense, there is no such container, or the engine refused or failed.
    """
    _check(wanted)
    inspect = await _inspect(engine, wanted.container)
    name = str(inspect.get("Name") or wanted.container).lstrip("/")
    own_timeout = (inspect.get("Config") or {}).get("StopTimeout")
    context.target(name)
    context.command(act_command(wanted, name))
    context.progress(f"{wanted.verb} {name}")
    container = engine.docker.containers.container(str(inspect["Id"]))
    with engine_errors(f"{wanted.verb} {name}"):
        await _call(container, wanted, own_timeout if isinstance(own_timeout, int) else _ENGINE_DEFAULT)
    context.result(container=str(inspect["Id"]))


async def _inspect(engine: Engine, container_id: str) -> dict[str, Any]:
    try:
        return await engine.inspect(container_id)
    except AgentError as error:
        if error.code != "not_found":
            raise
        raise AgentError("not_found", f"the container {container_id[:12]} is gone: nothing was done") from error


async def _call(container: DockerContainer, wanted: ContainerAct, own_timeout: int) -> None:
    verb = wanted.verb
    if verb == "start":
        await container.start()
    elif verb == "stop":
        await container.stop(t=wanted.timeout, timeout=_patience(wanted, own_timeout))
    elif verb == "restart":
        await container.restart(t=wanted.timeout, timeout=_patience(wanted, own_timeout))
    elif verb == "pause":
        await container.pause()
    elif verb == "unpause":
        await container.unpause()
    elif verb == "kill":
        await container.kill(signal=wanted.signal or "KILL")
    elif verb == "rename":
        await container.rename(wanted.new_name)
    else:
        await container.delete(force=wanted.force, v=wanted.volumes)


def _patience(wanted: ContainerAct, own_timeout: int) -> aiohttp.ClientTimeout:
    """How long to wait for the engine, which itself waits for the container before it kills it."""
    engine_waits = own_timeout if wanted.timeout is None else wanted.timeout
    seconds = _LONGEST_WAIT if engine_waits < 0 else min(engine_waits, _LONGEST_WAIT)
    return aiohttp.ClientTimeout(total=seconds + _MARGIN, sock_connect=5)


def _check(wanted: ContainerAct) -> None:
    if not _CONTAINER.fullmatch(wanted.container):
        raise AgentError("bad_request", f"{wanted.container[:80]!r} is no container id")
    if wanted.verb == "rename" and not NAME.fullmatch(wanted.new_name):
        raise AgentError(
            "bad_request",
            f"{wanted.new_name[:80]!r} is no name for a container",
            hint="letters, digits, _ . - and at least two of them, the first a letter or digit",
        )
    if wanted.signal and not _SIGNAL.fullmatch(wanted.signal):
        raise AgentError("bad_request", f"{wanted.signal[:40]!r} is no signal", hint="e.g. HUP, TERM, USR1, 15")
