"""The procedures as the user defined them, and the plan of changing one."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.operations.container_plans import Draft

if TYPE_CHECKING:
    from komodo_tui.domain.operations import DefineProcedureOperation
    from komodo_tui.store.definitions import DefinitionStore, Stored

_KIND = "procedure"


class ProcedureDefinitions:
    """The procedures in the definitions store. Everything raises StoreError when the file cannot be used."""

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    def known(self) -> dict[str, ProcedureDefinition]:
        """By name."""
        return {stored.value.name: stored.value for stored in self._store.all(_KIND, ProcedureDefinition)}

    def find(self, name: str) -> ProcedureDefinition | None:
        """One, or None."""
        stored = self._store.get(_KIND, name, ProcedureDefinition)
        return stored.value if stored is not None else None

    def stored(self, name: str) -> Stored[ProcedureDefinition]:
        """One, with its revision. Raises NotFoundError."""
        found = self._store.get(_KIND, name, ProcedureDefinition)
        if found is None:
            known = ", ".join(self.known()) or "none is defined"
            raise NotFoundError(f"there is no procedure {name!r}", hint=f"known: {known}")
        return found

    async def change(self, operation: DefineProcedureOperation) -> None:
        """Write the change. Raises ConflictError when it was changed meanwhile, NotFoundError."""
        if operation.verb == "remove":
            await asyncio.to_thread(self._store.delete, _KIND, operation.name, operation.rev)
            return
        rev = None if operation.verb == "add" else operation.rev
        await asyncio.to_thread(self._store.put, _KIND, operation.name, definition_of(operation), rev)


def definition_of(operation: DefineProcedureOperation) -> ProcedureDefinition:
    """The definition an operation carries. Raises UsageError where it does not fit."""
    try:
        return msgspec.convert(operation.definition, ProcedureDefinition)
    except msgspec.ValidationError as error:
        raise UsageError(f"procedure {operation.name}: {error}") from error


def draft_procedure(operation: DefineProcedureOperation, known: ProcedureDefinitions) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: it cannot run as it is written.
        RefusedError: a procedure of that name exists.
        NotFoundError: there is no such procedure.
    """
    name = operation.name
    exists = known.find(name) is not None
    if operation.verb == "add" and exists:
        raise RefusedError(f"a procedure {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and not exists:
        raise NotFoundError(f"there is no procedure {name!r}")
    if operation.verb != "remove":
        definition = definition_of(operation)
        check(definition, lambda other: definition if other == name else known.find(other))
    text = {"add": "define", "edit": "change", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove it",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: the journals of its runs are kept",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name), text=f"{text} procedure {name}",
        command=f"komodo-tui procedure show {shlex.quote(name)}",
    )  # fmt: skip
    return Draft(f"{text.capitalize()} procedure {name}", f"procedure {operation.verb}", (step,), undo)
