"""The repos as the user defined them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.repos import RepoDefinition

if TYPE_CHECKING:
    from komodo_tui.domain.repos import DefineRepoOperation
    from komodo_tui.store.definitions import DefinitionStore, Stored

_KIND = "repo"


class RepoDefinitions:
    """The repos in the definitions store. Everything raises StoreError when the file cannot be read or written."""

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    def known(self) -> dict[str, RepoDefinition]:
        """By name."""
        return {stored.value.name: stored.value for stored in self._store.all(_KIND, RepoDefinition)}

    def stored(self, name: str) -> Stored[RepoDefinition]:
        """One, with its revision. Raises NotFoundError."""
        found = self._store.get(_KIND, name, RepoDefinition)
        if found is None:
            known = ", ".join(self.known()) or "none is defined"
            raise NotFoundError(f"there is no repo {name!r}", hint=f"known: {known}")
        return found

    async def change(self, operation: DefineRepoOperation) -> None:
        """Write the change. Raises ConflictError when it was changed meanwhile, NotFoundError."""
        if operation.verb == "remove":
            await asyncio.to_thread(self._store.delete, _KIND, operation.name, operation.rev)
        elif operation.definition is not None:
            rev = None if operation.verb == "add" else operation.rev
            await asyncio.to_thread(self._store.put, _KIND, operation.name, operation.definition, rev)
