"""The definitions of one kind, as the user made them: what all kinds have in common."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from komodo_tui.domain.errors import NotFoundError

if TYPE_CHECKING:
    from komodo_tui.store.definitions import DefinitionStore, Stored


class Change(Protocol):
    """The operation that adds, edits or removes a definition."""

    @property
    def verb(self) -> Literal["add", "edit", "remove"]: ...
    @property
    def name(self) -> str: ...
    @property
    def rev(self) -> int | None: ...


D = TypeVar("D", bound=msgspec.Struct)
Op = TypeVar("Op", bound=Change)


class KeptDefinitions(Generic[D, Op]):
    """One kind in the definitions store. Everything raises StoreError when the file cannot be read or written."""

    KIND: ClassVar[str]
    """In the store, and in messages: ``stack``."""
    TYPE: ClassVar[type[msgspec.Struct]]
    """``D``."""

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    @property
    def _type(self) -> type[D]:
        return self.TYPE  # type: ignore[return-value]

    def known(self) -> dict[str, D]:
        """By name."""
        return {stored.value.name: stored.value for stored in self._store.all(self.KIND, self._type)}  # type: ignore[attr-defined]

    def find(self, name: str) -> D | None:
        """One, or None."""
        stored = self._store.get(self.KIND, name, self._type)
        return stored.value if stored is not None else None

    def stored(self, name: str) -> Stored[D]:
        """One, with its revision. Raises NotFoundError."""
        found = self._store.get(self.KIND, name, self._type)
        if found is None:
            known = ", ".join(self.known()) or "none is defined"
            raise NotFoundError(f"there is no {self.KIND} {name!r}", hint=f"known: {known}")
        return found

    async def change(self, operation: Op) -> None:
        """Write the change. Raises ConflictError when it was changed meanwhile, NotFoundError."""
        if operation.verb == "remove":
            await asyncio.to_thread(self._store.delete, self.KIND, operation.name, operation.rev)
            return
        definition = self.carried(operation)
        if definition is not None:
            rev = None if operation.verb == "add" else operation.rev
            await asyncio.to_thread(self._store.put, self.KIND, operation.name, definition, rev)

    def carried(self, operation: Op) -> D | None:
        """The definition an operation brings."""
        return operation.definition  # type: ignore[attr-defined,no-any-return]
