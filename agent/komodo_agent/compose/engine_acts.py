"""The verbs on a whole project by the engine's own calls: for servers whose compose cannot act without files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from ..engine.errors import engine_errors
from .observe import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.compose import ComposeAct
    from ..wire.models import Container

_PATIENCE = aiohttp.ClientTimeout(total=300, sock_connect=5)
"""A container may take its time to stop."""


async def act_by_engine(engine: Engine, context: JobContext, spec: ComposeAct, there: Sequence[Container]) -> None:
    """Do it to all containers at once; there is no order of services to be known.

    Raises:
        AgentError: the engine refused.
    """
    chosen = [c for c in there if not spec.services or c.service in spec.services]
    context.progress(f"{spec.verb} {spec.project}")
    await asyncio.gather(*(_one(engine, context, spec.verb, container) for container in chosen))
    if spec.verb != "down":
        return
    for network in sorted(await names(engine, "networks", spec.project)):
        context.command(f"docker network rm {network}")
        with engine_errors(f"remove network {network}"):
            await engine.docker._query_json(f"networks/{network}", method="DELETE")
    for volume in sorted(await names(engine, "volumes", spec.project)) if spec.volumes else ():
        context.command(f"docker volume rm {volume}")
        with engine_errors(f"remove volume {volume}"):
            await engine.docker._query_json(f"volumes/{volume}", method="DELETE")


async def _one(engine: Engine, context: JobContext, verb: str, container: Container) -> None:
    handle = engine.docker.containers.container(container.id)
    running = container.state in ("running", "paused", "restarting")
    with engine_errors(f"{verb} {container.name}"):
        if verb in ("stop", "down") and running:
            context.command(f"docker stop {container.name}")
            await handle.stop(timeout=_PATIENCE)
        if verb == "down":
            context.command(f"docker rm {container.name}")
            await handle.delete(force=True)
        elif verb == "start" and not running:
            context.command(f"docker start {container.name}")
            await handle.start()
        elif verb == "restart":
            context.command(f"docker restart {container.name}")
            await handle.restart(timeout=_PATIENCE)
        elif verb == "pause" and container.state == "running":
            context.command(f"docker pause {container.name}")
            await handle.pause()
        elif verb == "unpause" and container.state == "paused":
            context.command(f"docker unpause {container.name}")
            await handle.unpause()
