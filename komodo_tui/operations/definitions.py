"""The servers as the user defined them, read at once and changed in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.operations.server_plans import LOCAL

if TYPE_CHECKING:
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.store.definitions import DefinitionStore

_KIND = "server"


class ServerDefinitions:
    """What the executor and the front ends need of the definitions store.

    All of it raises StoreError when the file cannot be read or written.
    """

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    def known(self) -> dict[str, ServerDefinition]:
        """By name; empty while none is defined."""
        return {stored.value.name: stored.value for stored in self._store.servers()}

    def fleet(self) -> list[ServerDefinition]:
        """The servers to connect to: those defined, or this machine alone while none is."""
        return list(self.known().values()) or [LOCAL]

    def revision(self, name: str) -> int | None:
        """The revision a server's definition stands at; None where it is not defined."""
        return next((stored.rev for stored in self._store.servers() if stored.value.name == name), None)

    async def add(self, definition: ServerDefinition) -> None:
        """Write a new one. Raises ConflictError when there is one of that name."""
        await asyncio.to_thread(self._store.put, _KIND, definition.name, definition, None)

    async def replace(self, definition: ServerDefinition, rev: int | None) -> None:
        """Write a changed one. Raises ConflictError when it does not stand at ``rev`` any more."""
        await asyncio.to_thread(self._store.put, _KIND, definition.name, definition, rev)

    async def remove(self, name: str, rev: int | None) -> None:
        """Remove one. Raises ConflictError when it does not stand at ``rev`` any more, NotFoundError."""
        await asyncio.to_thread(self._store.delete, _KIND, name, rev)
