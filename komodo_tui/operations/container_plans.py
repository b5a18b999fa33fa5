"""What an operation on containers would do, from what is known of them now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.run_options import parse_name
from komodo_tui.domain.units import count_text, duration_text
from komodo_tui.operations.commands import container_command, create_command

if TYPE_CHECKING:
    from komodo_agent.wire.models import Container
    from komodo_tui.domain.operations import ContainerOperation, CreateOperation
    from komodo_tui.fleet.live import FleetState, ServerLive


class Draft(NamedTuple):
    """A plan but for what has to be given before it runs."""

    title: str
    verb: str
    steps: tuple[PlanStep, ...]
    undo: str


DESTRUCTIVE = frozenset({"remove", "kill"})
"""Verbs that lose something: they act only on exactly what the plan showed."""

_UNDO = {
    "start": "stop them again: they keep what they write meanwhile",
    "stop": "start them again: their files are kept",
    "restart": "nothing to take back: the same containers run again; open connections are cut",
    "pause": "unpause them",
    "unpause": "pause them again",
    "kill": "start them again; what the processes had not saved is lost",
    "rename": "rename it back to {name}",
    "remove": "nothing brings them back: files outside volumes are lost; named volumes and images are kept",
}
_REMOVE_WITH_VOLUMES = (
    "nothing brings them back: files and anonymous volumes are lost; named volumes and images are kept"
)


def draft_containers(operation: ContainerOperation, state: FleetState) -> Draft:
    """Look each target up by its id.

    Raises:
        UsageError: no targets, or an option that does not fit the verb.
        NotFoundError: an unknown server, or a container that is not there (any more).
    """
    _check_options(operation)
    targets = tuple(dict.fromkeys(operation.targets))
    steps = tuple(_step(operation, target, state) for target in targets)
    undo = _UNDO[operation.verb].format(name=steps[0].target.name)
    if operation.verb == "remove" and operation.volumes:
        undo = _REMOVE_WITH_VOLUMES
    return Draft(_title(operation.verb, [step.target for step in steps]), operation.verb, steps, undo)


def draft_create(operation: CreateOperation, state: FleetState) -> Draft:
    """One container on each server.

    Raises:
        UsageError: no servers.
        NotFoundError: an unknown server.
    """
    if not operation.servers:
        raise UsageError("create: no server is named", hint="choose at least one")
    container = operation.container
    steps = []
    for name in dict.fromkeys(operation.servers):
        server = server_of(state, name)
        taken = container.name and any(c.name == container.name for c in server.containers.values())
        steps.append(
            PlanStep(
                target=Target(server=name, name=container.name or container.image),
                text=f"{'run' if container.start else 'create'} {container.image}"
                + (f" as {container.name}" if container.name else ""),
                command=create_command(container),
                warning=f"{container.name} exists there already" if taken else stale(server),
            )
        )
    title = f"Create {container.name or container.image} on {count_text(len(steps), 'server')}"
    return Draft(title, "create", tuple(steps), "remove the container; the pulled image stays")


def server_of(state: FleetState, name: str) -> ServerLive:
    """The live state of a server; raises NotFoundError."""
    server = state.servers.get(name)
    if server is None:
        raise NotFoundError(f"there is no server {name!r}", hint="`komodo-tui server list` names them")
    return server


def _check_options(operation: ContainerOperation) -> None:
    if not operation.targets:
        raise UsageError(f"{operation.verb}: no container is named", hint="name at least one")
    if operation.verb == "rename":
        if len(operation.targets) != 1:
            raise UsageError("rename: one container at a time", hint="name one container and its new name")
        if not parse_name(operation.new_name):
            raise UsageError("rename: the new name is empty", hint="give a name")
    if operation.timeout is not None and operation.timeout < 0:
        raise UsageError(f"timeout: {operation.timeout} s is not a time to wait", hint="0 or more seconds")


def _step(operation: ContainerOperation, target: Target, state: FleetState) -> PlanStep:
    server = server_of(state, target.server)
    container = server.containers.get(target.id)
    if container is None:
        raise NotFoundError(
            f"{target.name or target.id[:12]} is not on {target.server} any more", hint="look at the list again"
        )
    details = [_since(container)]
    if operation.verb in ("stop", "restart") and operation.timeout is not None:
        details.append(f"stop timeout {operation.timeout} s")
    new_name = f" to {operation.new_name}" if operation.verb == "rename" else ""
    return PlanStep(
        target=Target(server=target.server, name=container.name, id=container.id),
        text=f"{operation.verb} {container.name}{new_name} ({', '.join(details)})",
        command=container_command(operation, container.name),
        warning="; ".join(filter(None, [_warning(operation, container, server), stale(server)])),
        state=container.state,
    )


def _warning(operation: ContainerOperation, container: Container, server: ServerLive) -> str:
    verb, state = operation.verb, container.state
    if verb == "remove":
        if state in ("running", "restarting", "paused") and not operation.force:
            return f"it is {state}: the engine will refuse without force"
        if container.stack:
            return f"part of stack {container.stack}: its next deploy makes it again"
    if verb == "start" and state == "running":
        return "it runs already"
    if verb in ("stop", "pause", "kill") and state not in ("running", "restarting", "paused"):
        return f"it is {state}"
    if verb == "stop" and state == "paused":
        return "it is paused"
    if verb == "rename" and any(c.name == operation.new_name for c in server.containers.values()):
        return f"{operation.new_name} exists there already"
    return ""


def _since(container: Container) -> str:
    moment = container.started if container.state == "running" else container.finished
    return f"{container.state} {duration_text(time.time() - moment)}" if moment > 0 else container.state


def stale(server: ServerLive) -> str:
    """A warning for a server that cannot be reached now; empty for one that can."""
    if server.live:
        return ""
    if server.seen:
        return f"{server.definition.name} is not reachable: last seen {duration_text(time.time() - server.seen)} ago"
    return f"{server.definition.name} is not reachable"


def _title(verb: str, targets: list[Target]) -> str:
    if len(targets) == 1:
        return f"{verb.capitalize()} {targets[0]}"
    servers = {target.server for target in targets}
    where = next(iter(servers)) if len(servers) == 1 else count_text(len(servers), "server")
    return f"{verb.capitalize()} {count_text(len(targets), 'container')} on {where}"
