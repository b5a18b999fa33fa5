"""The part of the agent's client that is about images, volumes and networks."""

from __future__ import annotations

from komodo_agent.wire.resources import (
    ROUTE_DISK_USAGE,
    ROUTE_RESOURCE,
    ROUTE_RESOURCES,
    DiskUsage,
    Resource,
    ResourceDetail,
)
from komodo_tui.fleet.calls import AgentCalls

LIST_TIMEOUT = 30.0
DISK_USAGE_TIMEOUT = 330.0
"""Longer than the agent gives its engine."""


class ResourceCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def resources(self) -> list[Resource]:
        """The images, volumes and networks of the engine, with what uses them."""
        return await self._get(ROUTE_RESOURCES, list[Resource], timeout=LIST_TIMEOUT)

    async def resource(self, kind: str, resource_id: str) -> ResourceDetail:
        """One of them with its inspect document."""
        return await self._get(ROUTE_RESOURCE.replace("{kind}", kind), ResourceDetail, id=resource_id)

    async def disk_usage(self) -> DiskUsage:
        """What the engine's things take on disk; it may need minutes to find out."""
        return await self._get(ROUTE_DISK_USAGE, DiskUsage, timeout=DISK_USAGE_TIMEOUT)
