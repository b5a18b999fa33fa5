"""What commands in containers and on servers would do, and the jobs they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.tasks import ClearLog, ExecTask, RunTask
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.interpolation import interpolate
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.units import count_text
from komodo_tui.operations.commands import command_line
from komodo_tui.operations.container_plans import Draft, server_of

if TYPE_CHECKING:
    from komodo_agent.wire.tasks import TaskJob
    from komodo_tui.domain.operations import CommandOperation
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.operations.values import StoredValues

_WORDS = {"exec": "Run in", "run": "Run on", "clear_log": "Clear the log of"}


def draft_command(operation: CommandOperation, state: FleetState) -> Draft:
    """One step a target.

    Raises:
        UsageError: no target, or no command.
        NotFoundError: an unknown server, or a container that is not there (any more).
    """
    if not operation.targets:
        raise UsageError(f"{operation.verb}: nothing is named to do it on", hint="name at least one")
    if operation.verb != "clear_log" and not operation.command:
        raise UsageError(f"{operation.verb}: there is no command", hint="give one")
    steps = tuple(_step(operation, target, state) for target in operation.targets)
    where = str(steps[0].target) if len(steps) == 1 else _many(operation)
    what = f": {operation.command[0]}" if operation.command else ""
    return Draft(f"{_WORDS[operation.verb]} {where}{what}", operation.verb, steps, "nothing takes a command back")


def with_values(
    task: ExecTask | RunTask, operation: CommandOperation, server: str, values: StoredValues
) -> ExecTask | RunTask:
    """The task with what its environment refers to. Blocks.

    Raises:
        UsageError: a name is nowhere set.
    """
    if not operation.references:
        return task
    asked = {key: task.environment[key] for key in operation.references}
    found = interpolate(asked, values.lookup("", server), where=f"the environment of {operation.command[0]}")
    return msgspec.structs.replace(
        task, environment={**task.environment, **found.values}, secret_keys=found.secret_keys
    )


def command_jobs(operation: CommandOperation) -> tuple[TaskJob, ...]:
    """What each target's agent is asked to do."""
    return tuple(_job(operation, target) for target in operation.targets)


def _job(operation: CommandOperation, target: Target) -> TaskJob:
    if operation.verb == "exec":
        return ExecTask(
            container=target.id, command=operation.command, user=operation.user, workdir=operation.directory,
            environment=operation.environment, timeout=operation.timeout,
        )  # fmt: skip
    if operation.verb == "run":
        return RunTask(
            command=operation.command, script=operation.script, user=operation.user, directory=operation.directory,
            environment=operation.environment, timeout=operation.timeout,
        )  # fmt: skip
    return ClearLog(container=target.id, larger_than=operation.larger_than)


def _step(operation: CommandOperation, target: Target, state: FleetState) -> PlanStep:
    server = server_of(state, target.server)
    if operation.verb == "run":
        text = f"run {operation.command[0]}"
        return PlanStep(target=Target(server=target.server), text=text, command=command_line(operation, ""))
    container = server.containers.get(target.id)
    if container is None:
        raise NotFoundError(f"{target.name or target.id[:12]} is not on {target.server} any more", hint="look again")
    warning = "" if operation.verb == "clear_log" or container.state == "running" else f"it is {container.state}"
    text = (
        f"run {operation.command[0]} in {container.name}" if operation.command else f"clear the log of {container.name}"
    )
    return PlanStep(
        target=Target(server=target.server, name=container.name, id=container.id), text=text,
        command=command_line(operation, container.name), warning=warning,
    )  # fmt: skip


def _many(operation: CommandOperation) -> str:
    count = len(operation.targets)
    return count_text(count, "server") if operation.verb == "run" else count_text(count, "container")
