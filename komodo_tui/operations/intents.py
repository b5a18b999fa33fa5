"""What an act writes down before its first effect: enough to find out later, in another process, how it ended."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.jobs import ContainerAct
from komodo_tui.domain.alerts import AlertOperation, DefineAlertingOperation
from komodo_tui.domain.builds import BuildOperation, DefineBuildOperation, job_of
from komodo_tui.domain.operations import (
    CommandOperation,
    ContainerOperation,
    CreateOperation,
    DefineProcedureOperation,
    Operation,
    ServerOperation,
)
from komodo_tui.domain.registries import RegistryOperation
from komodo_tui.domain.repos import DefineRepoOperation, RepoOperation
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.operations.build_plans import build_locks
from komodo_tui.operations.command_plans import command_jobs
from komodo_tui.operations.registry_plans import registry_job
from komodo_tui.operations.repo_plans import repo_as_written, repo_jobs, repo_locks
from komodo_tui.operations.resource_jobs import resource_jobs, resource_locks, without_secrets
from komodo_tui.operations.ship_plans import ship_locks
from komodo_tui.operations.stack_jobs import definition_as_written, deployment_as_written, stack_as_written, stack_locks

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.jobs import CreateContainer, JobSpec
    from komodo_tui.domain.operations import ActionRecord, Plan, PlanStep

_DEFINED: dict[type, str] = {
    DefineStackOperation: "stack",
    DefineDeploymentOperation: "deployment",
    DefineProcedureOperation: "procedure",
    DefineRepoOperation: "repo",
    DefineBuildOperation: "build",
    DefineSyncOperation: "sync",
}
_LOCKS: dict[type, Callable[[Any], list[str]]] = {
    ResourceOperation: resource_locks,
    StackOperation: stack_locks,
    RepoOperation: repo_locks,
    BuildOperation: build_locks,
    ShipOperation: ship_locks,
    RegistryOperation: lambda operation: [f"registry {operation.server} {operation.name}"],
    VolumeOperation: lambda operation: [f"volume {operation.server} {operation.volume}"],
    DefineAlertingOperation: lambda operation: [f"definition of {operation.kind} {operation.name}"],
    ValueOperation: lambda operation: [f"value {operation.full_name}"],
}
HIDDEN = "•••"
"""What stands for a value in the history that may be a secret."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the record that recovery needs."""

    jobs: tuple[str, ...] = ()
    """The agent's job of each step, in the order of the steps; empty for acts on the fleet itself."""
    locks: tuple[str, ...] = ()
    """The names of the locks that were held."""


def job_specs(plan: Plan) -> tuple[JobSpec, ...]:
    """What each step asks its agent to do; empty for acts on the fleet itself."""
    operation = plan.operation
    if isinstance(operation, ContainerOperation):
        return tuple(_container_act(operation, step) for step in plan.steps)
    if isinstance(operation, CreateOperation):
        return tuple(operation.container for _ in plan.steps)
    if isinstance(operation, CommandOperation):
        return command_jobs(operation)
    if isinstance(operation, ResourceOperation):
        return tuple(spec for _, spec in resource_jobs(operation))
    if isinstance(operation, StackOperation):
        return tuple(target.spec for target in operation.targets)
    if isinstance(operation, RepoOperation):
        return repo_jobs(operation)
    if isinstance(operation, RegistryOperation):
        return (registry_job(operation),)
    if isinstance(operation, BuildOperation):
        return (job_of(operation),)
    return ()


def new_intent(plan: Plan) -> Intent:
    """Choose the ids of the jobs, and name the locks: one a target."""
    jobs = tuple(str(uuid.uuid4()) for _ in job_specs(plan))
    if isinstance(plan.operation, ServerOperation):
        locks = [f"server {step.target.server}" for step in plan.steps]
    elif isinstance(plan.operation, CreateOperation):
        # Two containers of one name exclude each other; without a name nothing does, and the lock only says we live.
        name = plan.operation.container.name
        locks = [f"create {step.target.server} {name or job}" for step, job in zip(plan.steps, jobs, strict=True)]
    elif own := _LOCKS.get(type(plan.operation)):
        locks = own(plan.operation)
    elif isinstance(plan.operation, AlertOperation):
        locks = [f"alerts {step.target.id or step.text}" for step in plan.steps]
    elif kind := _DEFINED.get(type(plan.operation)):
        locks = [f"definition of {kind} {plan.operation.name}"]  # type: ignore[union-attr]
    elif isinstance(plan.operation, CommandOperation):
        locks = [f"command {job}" for job in jobs]  # commands exclude nobody; the locks only say that we live
    else:
        locks = [f"container {step.target.server} {step.target.id}" for step in plan.steps]
    return Intent(jobs=jobs, locks=tuple(dict.fromkeys(locks)))


def written(operation: Operation, intent: Intent) -> dict[str, Any]:
    """The operation as the history keeps it: without values that may be secret."""
    if isinstance(operation, CreateOperation):
        operation = msgspec.structs.replace(operation, container=_without_secrets(operation.container))
    elif isinstance(operation, ValueOperation):
        operation = msgspec.structs.replace(operation, token="")
    elif isinstance(operation, ResourceOperation):
        operation = without_secrets(operation, HIDDEN)
    elif isinstance(operation, StackOperation):
        operation = stack_as_written(operation, HIDDEN)
    elif isinstance(operation, RepoOperation):
        operation = repo_as_written(operation, HIDDEN)
    elif isinstance(operation, DefineStackOperation):
        operation = definition_as_written(operation, HIDDEN)
    elif isinstance(operation, DefineDeploymentOperation):
        operation = deployment_as_written(operation, HIDDEN)
    elif isinstance(operation, CommandOperation):
        operation = msgspec.structs.replace(operation, environment=dict.fromkeys(operation.environment, HIDDEN))
    document: dict[str, Any] = msgspec.to_builtins(operation)
    return {**document, "intent": msgspec.to_builtins(intent)}


def read_intent(record: ActionRecord) -> Intent:
    """The intent of a record; an empty one where it has none that can be read."""
    try:
        return msgspec.convert(record.operation.get("intent", {}), Intent)
    except msgspec.ValidationError:
        return Intent()


def read_operation(record: ActionRecord) -> Operation | None:
    """The operation of a record, without its secrets; None where it cannot be read (of a newer program, say)."""
    document = {key: value for key, value in record.operation.items() if key != "intent"}
    try:
        operation: Operation = msgspec.convert(document, Operation)
    except msgspec.ValidationError:
        return None
    return operation


def _container_act(operation: ContainerOperation, step: PlanStep) -> ContainerAct:
    return ContainerAct(
        container=step.target.id,
        verb=operation.verb,
        timeout=operation.timeout,
        signal=operation.signal,
        new_name=operation.new_name,
        force=operation.force,
        volumes=operation.volumes,
    )


def _without_secrets(container: CreateContainer) -> CreateContainer:
    return msgspec.structs.replace(
        container,
        registry_auth=HIDDEN if container.registry_auth else "",
        environment={name: HIDDEN for name in container.environment},
    )
