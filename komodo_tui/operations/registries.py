"""What is in the registries that were started from here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.registry import LABEL, RegistryContent, RegistryLook
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.registries import RegistryImage, RegistryOperation, own_registries

if TYPE_CHECKING:
    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.values import StoredValues


class OwnRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """One registry, and what it has, as far as it says."""

    server: str
    name: str
    """Of its container."""
    container: str
    """Its id."""
    address: str
    content: RegistryContent = RegistryContent()
    error: KomodoError | None = None
    """Why it does not say what it has."""

    def operation(self, images: tuple[RegistryImage, ...] = ()) -> RegistryOperation:
        """Delete these from it; without any, collect its garbage."""
        return RegistryOperation(
            verb="delete" if images else "collect", server=self.server, name=self.name, container=self.container,
            address=self.address, images=images,
        )  # fmt: skip


def known_registries(state: FleetState) -> list[tuple[str, Container]]:
    """Their servers and containers, running or not."""
    return [(name, one) for name, live in state.servers.items() for one in own_registries(live.containers.values())]


async def look_into(fleet: FleetManager, values: StoredValues, server: str, container: Container) -> OwnRegistry:
    """Ask one what it has, with the login that is kept for it."""
    found = OwnRegistry(server=server, name=container.name, container=container.id, address=container.labels[LABEL])
    try:
        auth = await asyncio.to_thread(values.registry_auth, f"{found.address}/x")
        client = await fleet.link(server).client()
        content = await client.registry_content(RegistryLook(container=container.id, registry_auth=auth))
    except KomodoError as error:
        return msgspec.structs.replace(found, error=error)
    return msgspec.structs.replace(found, content=content)


async def look_into_all(fleet: FleetManager, values: StoredValues) -> list[OwnRegistry]:
    """Ask all of them."""
    return await asyncio.gather(*(look_into(fleet, values, *one) for one in known_registries(fleet.state)))
