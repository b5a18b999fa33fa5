"""The builds as the user defined them, and changing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.builds import BuildDefinition, DefineBuildOperation, check_build
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.kept_definitions import KeptDefinitions

if TYPE_CHECKING:
    from collections.abc import Mapping


class BuildDefinitions(KeptDefinitions[BuildDefinition, DefineBuildOperation]):
    """The builds in the definitions store."""

    KIND = "build"
    TYPE = BuildDefinition


def draft_definition(operation: DefineBuildOperation, known: Mapping[str, BuildDefinition]) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: a field cannot be used.
        RefusedError: a build of that name exists.
        NotFoundError: there is no such build.
    """
    name = operation.name
    if operation.verb == "add" and name in known:
        raise RefusedError(f"a build {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and name not in known:
        raise NotFoundError(f"there is no build {name!r}")
    if operation.verb != "remove":
        if operation.definition is None:
            raise UsageError(f"build {name}: no definition is given")
        check_build(operation.definition)
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: its images and the history of its builds are kept",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name),
        text=f"{text} build {name}",
        command=definition_command("build", operation.verb, name),
    )
    verb = {"add": "build add", "edit": "build edit", "remove": "build forget"}[operation.verb]
    return Draft(f"{text.capitalize()} build {name}", verb, (step,), undo)
