"""The stacks as the user defined them, and the step that changes a definition."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from komodo_tui.domain.errors import KomodoError, NotFoundError
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.operations.outcomes import cancelled, done, failed

if TYPE_CHECKING:
    from komodo_tui.domain.operations import StepResult, Target
    from komodo_tui.domain.stacks import DefineStackOperation
    from komodo_tui.operations.job_steps import Report
    from komodo_tui.store.definitions import DefinitionStore, Stored

_KIND = "stack"
Op = TypeVar("Op", contravariant=True)


class StackDefinitions:
    """The stacks in the definitions store. Everything raises StoreError when the file cannot be read or written."""

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    def known(self) -> dict[str, StackDefinition]:
        """By name."""
        return {stored.value.name: stored.value for stored in self._store.all(_KIND, StackDefinition)}

    def stored(self, name: str) -> Stored[StackDefinition]:
        """One, with its revision. Raises NotFoundError."""
        found = self._store.get(_KIND, name, StackDefinition)
        if found is None:
            known = ", ".join(self.known()) or "none is defined"
            raise NotFoundError(f"there is no stack {name!r}", hint=f"known: {known}")
        return found

    async def change(self, operation: DefineStackOperation) -> None:
        """Write the change. Raises ConflictError when it was changed meanwhile, NotFoundError."""
        if operation.verb == "remove":
            await asyncio.to_thread(self._store.delete, _KIND, operation.name, operation.rev)
        elif operation.definition is not None:
            rev = None if operation.verb == "add" else operation.rev
            await asyncio.to_thread(self._store.put, _KIND, operation.name, operation.definition, rev)


class Definitions(Protocol[Op]):
    """The definitions of one kind."""

    async def change(self, operation: Op) -> None: ...


class DefinitionStep(Generic[Op]):
    """Changes one definition; an act's only step."""

    def __init__(self, operation: Op, target: Target, definitions: Definitions[Op], report: Report) -> None:
        self.target = target
        self._operation = operation
        self._definitions = definitions
        self._report = report
        self._cancelled = False

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        began = time.monotonic()
        try:
            await self._definitions.change(self._operation)
            result = done(self.target)
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("done" if result.ok else "failed", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3))

    async def cancel(self) -> None:
        """Do not begin."""
        self._cancelled = True
