"""The engine's stats, for containers whose cgroup files the agent cannot read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
from aiodocker import DockerError

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .client import Engine

_TIMEOUT = 10.0
_API_QUICK = (1, 44)
"""Docker 25: a one-shot look answers at once. Before it waits for the engine's next tick, so all are asked together."""
_AT_ONCE = 6
_PARAMETERS = {"stream": "0", "one-shot": "1"}
_LIMIT = 1 << 20


class EngineStats:
    """Callable as :data:`~..metrics.api_stats.ApiStats`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, containers: Sequence[str]) -> Mapping[str, bytes]:
        """The stats documents of those that answered in time. Raises nothing."""
        together = _AT_ONCE if self._engine.api_version >= _API_QUICK else len(containers)
        turns = asyncio.Semaphore(max(1, together))

        async def look(container: str) -> bytes:
            async with turns:
                return await self._look(container)

        documents = await asyncio.gather(*(look(container) for container in containers))
        return {container: raw for container, raw in zip(containers, documents, strict=True) if raw}

    async def _look(self, container: str) -> bytes:
        try:
            return await asyncio.wait_for(self._read(container), _TIMEOUT)
        except (AgentError, DockerError, aiohttp.ClientError, OSError, asyncio.TimeoutError):
            return b""  # the engine's state is told elsewhere; here there is just no sample

    async def _read(self, container: str) -> bytes:
        path = f"/containers/{container}/stats"
        async with self._engine.stream("GET", path, params=_PARAMETERS) as response:
            return await response.content.read(_LIMIT)
