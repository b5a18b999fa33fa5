"""The syncs as the user defined them, and changing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.syncs import DefineSyncOperation, SyncDefinition, check_sync
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.kept_definitions import KeptDefinitions

if TYPE_CHECKING:
    from collections.abc import Mapping


class SyncDefinitions(KeptDefinitions[SyncDefinition, DefineSyncOperation]):
    """The syncs in the definitions store."""

    KIND = "sync"
    TYPE = SyncDefinition


def draft_sync(operation: DefineSyncOperation, known: Mapping[str, SyncDefinition]) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: a field cannot be used.
        RefusedError: a sync of that name exists.
        NotFoundError: there is no such sync.
    """
    name = operation.name
    if operation.verb == "add" and name in known:
        raise RefusedError(f"a sync {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and name not in known:
        raise NotFoundError(f"there is no sync {name!r}")
    if operation.verb != "remove":
        if operation.definition is None:
            raise UsageError(f"sync {name}: no definition is given")
        check_sync(operation.definition)
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: what it has brought is left as it is",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name),
        text=f"{text} sync {name}",
        command=definition_command("sync", operation.verb, name),
    )
    return Draft(f"{text.capitalize()} sync {name}", f"sync {operation.verb}", (step,), undo)
