"""Plans: what an operation would do, and what has to be given before it does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from komodo_tui.domain import confirm
from komodo_tui.domain.alerts import AlertOperation, DefineAlertingOperation
from komodo_tui.domain.builds import BuildOperation, DefineBuildOperation
from komodo_tui.domain.errors import NotConfirmedError, RefusedError
from komodo_tui.domain.operations import (
    CommandOperation,
    ContainerOperation,
    CreateOperation,
    DefineProcedureOperation,
    Plan,
    ServerOperation,
)
from komodo_tui.domain.registries import RegistryOperation
from komodo_tui.domain.repos import DefineRepoOperation, RepoOperation
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.operations.build_plans import draft_build
from komodo_tui.operations.command_plans import draft_command
from komodo_tui.operations.container_plans import DESTRUCTIVE, draft_containers, draft_create
from komodo_tui.operations.deployment_definitions import draft_deployment, refuse_taken
from komodo_tui.operations.registry_plans import draft_registry
from komodo_tui.operations.repo_plans import draft_repo
from komodo_tui.operations.resource_plans import draft_resource
from komodo_tui.operations.server_plans import draft_server
from komodo_tui.operations.ship_plans import draft_ship
from komodo_tui.operations.stack_plans import draft_definition, draft_stack
from komodo_tui.operations.values import draft_value
from komodo_tui.operations.volume_plans import draft_volume

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import Confirm, Operation
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.domain.settings import Settings
    from komodo_tui.domain.single import DeploymentDefinition
    from komodo_tui.domain.stacks import StackDefinition
    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.operations.alerts.definitions import AlertingDefinitions
    from komodo_tui.operations.container_plans import Draft
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.alerts import AlertStore

_ON_SERVERS: dict[type, Callable[[Any, FleetState], Draft]] = {
    ContainerOperation: draft_containers,
    CommandOperation: draft_command,
    CreateOperation: draft_create,
    ResourceOperation: draft_resource,
    VolumeOperation: draft_volume,
    StackOperation: draft_stack,
    ShipOperation: draft_ship,
    RegistryOperation: draft_registry,
}
"""What is planned from the operation and the live fleet alone."""


class Planner:
    """Makes plans from the live fleet, the definitions on disk and the confirm policy."""

    def __init__(
        self,
        state: FleetState,
        known: Callable[[], Mapping[str, ServerDefinition]],
        settings: Settings,
        stacks: Callable[[], Mapping[str, StackDefinition]] = dict,
        procedures: Callable[[], ProcedureDefinitions] | None = None,
        values: StoredValues | None = None,
        alerts: AlertStore | None = None,
        *,
        repos: Callable[[], Mapping[str, RepoDefinition]] = dict,
        deployments: Callable[[], Mapping[str, DeploymentDefinition]] = dict,
        builds: Callable[[], Mapping[str, BuildDefinition]] = dict,
        last_version: Callable[[str], str] | None = None,
        syncs: Callable[[], Mapping[str, SyncDefinition]] = dict,
        alerting: AlertingDefinitions | None = None,
    ) -> None:
        """``known`` reads the servers' definitions, by name, ``stacks`` those of the stacks."""
        self._procedures = procedures
        self._state = state
        self._known = known
        self._settings = settings
        self._values = values
        self._alerts = alerts
        self._stacks = stacks
        self._repos = repos
        self._deployments = deployments
        self._builds = builds
        self._last_version = last_version
        self._syncs = syncs
        self._alerting = alerting

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    def plan(self, operation: Operation) -> Plan:
        """See :meth:`Executor.plan`."""
        draft = self._draft(operation)
        level = self._confirm(operation, draft)
        return Plan(
            operation=operation,
            title=draft.title,
            verb=draft.verb,
            steps=draft.steps,
            confirm=level,
            phrase=_phrase(draft) if level == "type" else "",
            undo=draft.undo,
        )

    def check_unchanged(self, plan: Plan) -> None:
        """Refuse a plan that reality has overtaken.

        Every act needs its targets to be there, by id; one that loses something also needs them to be in the state
        that was shown.

        Raises:
            RefusedError: something is not as it was planned.
            NotFoundError: a target is gone.
        """
        now = self.plan(plan.operation)
        if plan.verb not in DESTRUCTIVE:
            return
        for shown, current in zip(plan.steps, now.steps, strict=True):
            if (shown.state, shown.target) != (current.state, current.target):
                raise RefusedError(
                    f"{shown.target} has changed since the plan was made: it was {shown.state}, "
                    f"now {current.target.name} is {current.state}",
                    hint="look at the new plan and confirm that",
                )

    def _draft(self, operation: Operation) -> Draft:
        if on_servers := _ON_SERVERS.get(type(operation)):
            return on_servers(operation, self._state)
        if isinstance(operation, ValueOperation) and self._values is not None:
            return draft_value(operation, self._values)
        if isinstance(operation, AlertOperation) and self._alerts is not None:
            from komodo_tui.operations.alerts.acts import draft_alert  # late: few acts are of this kind

            return draft_alert(operation, self._alerts, time.time())
        if isinstance(operation, DefineAlertingOperation) and self._alerting is not None:
            from komodo_tui.operations.alerts.definitions import draft_alerting  # late: few acts are of this kind

            return draft_alerting(operation, self._alerting)
        if isinstance(operation, DefineProcedureOperation) and self._procedures is not None:
            from komodo_tui.operations.procedure_definitions import draft_procedure  # late: looks do without

            return draft_procedure(operation, self._procedures())
        if isinstance(operation, DefineStackOperation | DefineDeploymentOperation):
            return self._draft_deployable(operation)
        if isinstance(operation, RepoOperation | DefineRepoOperation):
            return draft_repo(operation, self._state, self._repos)
        if isinstance(operation, DefineSyncOperation):
            from komodo_tui.operations.sync_definitions import draft_sync  # late: few acts are of this kind

            return draft_sync(operation, self._syncs())
        if isinstance(operation, BuildOperation | DefineBuildOperation):
            return draft_build(operation, self._state, self._builds, self._last_version)
        assert isinstance(operation, ServerOperation)
        return draft_server(operation, self._known(), self._state)

    def _draft_deployable(self, operation: DefineStackOperation | DefineDeploymentOperation) -> Draft:
        if isinstance(operation, DefineDeploymentOperation):
            return draft_deployment(operation, self._deployments(), self._stacks())
        if operation.definition is not None:
            single = {name: as_stack(found) for name, found in self._deployments().items()}
            refuse_taken("stack", operation.definition, single, "deployment")
        return draft_definition(operation, self._stacks())

    def _confirm(self, operation: Operation, draft: Draft) -> Confirm:
        """The strictest level that one of the servers asks for."""
        return confirm.strictest(
            confirm.required(self._settings.confirm, operation, self._tags(operation, step.target.server))
            for step in draft.steps
        )

    def _tags(self, operation: Operation, server: str) -> tuple[str, ...]:
        live = self._state.servers.get(server)
        tags = live.definition.tags if live is not None else ()
        if isinstance(operation, ServerOperation) and operation.definition is not None:
            tags = (*tags, *operation.definition.tags)
        return tags


def check_given(plan: Plan, given: str | bool) -> None:
    """Raise NotConfirmedError unless what the plan asks for was given."""
    if plan.confirm == "none" or (plan.confirm == "yes" and given is True) or (plan.phrase and given == plan.phrase):
        return
    if plan.confirm == "type":
        raise NotConfirmedError(f"{plan.title}: not confirmed", hint=f"type {plan.phrase!r} (--confirm)")
    raise NotConfirmedError(f"{plan.title}: not confirmed", hint="say yes (--yes)")


def _phrase(draft: Draft) -> str:
    """One target: its name. Several: the verb and how many, so that the number is read."""
    if len(draft.steps) == 1:
        target = draft.steps[0].target
        return target.name or target.server
    return f"{draft.verb} {len(draft.steps)}"
