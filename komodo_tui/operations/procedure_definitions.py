"""The procedures as the user defined them, and the plan of changing one."""

from __future__ import annotations

import msgspec

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import DefineProcedureOperation, PlanStep, Target
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.kept_definitions import KeptDefinitions


class ProcedureDefinitions(KeptDefinitions[ProcedureDefinition, DefineProcedureOperation]):
    """The procedures in the definitions store."""

    KIND = "procedure"
    TYPE = ProcedureDefinition

    def carried(self, operation: DefineProcedureOperation) -> ProcedureDefinition:
        """The definition an operation brings."""
        return definition_of(operation)


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
        command=definition_command("procedure", operation.verb, name),
    )  # fmt: skip
    return Draft(f"{text.capitalize()} procedure {name}", f"procedure {operation.verb}", (step,), undo)
