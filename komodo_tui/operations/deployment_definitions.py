"""The single-container deployments as the user defined them, changing one, and what can be deployed at all."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.single import DefineDeploymentOperation, DeploymentDefinition, check_deployment, with_image
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.single_from import from_container
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.kept_definitions import KeptDefinitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.models import Container
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.operations.build_definitions import BuildDefinitions
    from komodo_tui.operations.stack_definitions import StackDefinitions


class DeploymentDefinitions(KeptDefinitions[DeploymentDefinition, DefineDeploymentOperation]):
    """The deployments in the definitions store."""

    KIND = "deployment"
    TYPE = DeploymentDefinition


class Deployables:
    """Stacks and single-container deployments by one name: what ``deploy`` and its like take."""

    def __init__(
        self, stacks: StackDefinitions, deployments: DeploymentDefinitions, builds: BuildDefinitions | None = None
    ) -> None:
        self._stacks = stacks
        self._deployments = deployments
        self._builds = builds

    def known(self) -> dict[str, StackDefinition]:
        """All of them, as stacks, by name. A name never means two of them.

        A deployment of a build that is not there has no image: its plan says so.
        """
        found: dict[str, StackDefinition] = {}
        deployments = self._deployments.known()
        builds = self._builds.known() if self._builds and any(d.build for d in deployments.values()) else {}
        for name, deployment in deployments.items():
            with suppress(UsageError):
                deployment = with_image(deployment, builds)
            found[name] = as_stack(deployment)
        return found | self._stacks.known()

    def with_image(self, deployment: DeploymentDefinition) -> DeploymentDefinition:
        """The same with the image of its build. Raises UsageError where there is none."""
        return with_image(deployment, self._builds.known() if deployment.build and self._builds else {})

    def find(self, name: str) -> StackDefinition:
        """One of them. Raises NotFoundError; UsageError where the build of a deployment is not there."""
        single = self._deployments.find(name)
        if single is not None:
            return as_stack(self.with_image(single))
        known = self.known()
        if name not in known:
            raise NotFoundError(
                f"there is no stack and no deployment {name!r}",
                hint=f"known: {', '.join(sorted(known)) or 'none is defined'}",
            )
        return known[name]


async def definition_of(client: AgentClient, server: str, container: Container, name: str = "") -> DeploymentDefinition:
    """The definition of a deployment that is what this container is now.

    Raises:
        UsageError: it is one that no deployment can be.
        KomodoError: its server cannot be asked.
    """
    detail = await client.container(container.id)
    try:
        image = (await client.resource("image", container.image_id)).inspect if container.image_id else {}
    except NotFoundError:
        image = {}
    return from_container(detail.inspect, image, server, name)


def draft_deployment(
    operation: DefineDeploymentOperation,
    known: Mapping[str, DeploymentDefinition],
    stacks: Mapping[str, StackDefinition],
) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: a field cannot be used.
        RefusedError: a deployment or a stack of that name, or of the same project, exists.
        NotFoundError: there is no such deployment.
    """
    name = operation.name
    if operation.verb == "add" and name in known:
        raise RefusedError(f"a deployment {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and name not in known:
        raise NotFoundError(f"there is no deployment {name!r}")
    if operation.verb != "remove":
        if operation.definition is None:
            raise UsageError(f"deployment {name}: no definition is given")
        mine = as_stack(check_deployment(operation.definition))
        others = {other: as_stack(found) for other, found in known.items() if other != name}
        refuse_taken("deployment", mine, stacks, "stack")
        refuse_taken("deployment", mine, others, "deployment")
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: what it deployed keeps running",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name),
        text=f"{text} deployment {name}",
        command=definition_command("deployment", operation.verb, name),
    )
    return Draft(f"{text.capitalize()} deployment {name}", f"deployment {operation.verb}", (step,), undo)


def refuse_taken(kind: str, mine: StackDefinition, others: Mapping[str, StackDefinition], what: str) -> None:
    """Raise RefusedError where another definition has this one's name or its project: they would fight over it."""
    for other in others.values():
        if mine.name == other.name or mine.project_name == other.project_name:
            raise RefusedError(
                f"{kind} {mine.name}: its project {mine.project_name} is that of the {what} {other.name}",
                hint="choose another name",
            )
