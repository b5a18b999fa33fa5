"""What a change of the fleet itself would do: servers added, edited, removed, their agents and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent import __version__ as agent_version
from komodo_agent.wire.terminals import FEATURE as TERMINALS
from komodo_tui.domain.errors import HostKeyUnknownError, NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.servers import LOCAL_ADDRESS, ServerDefinition, check_server
from komodo_tui.domain.units import count_text
from komodo_tui.operations.commands import server_command
from komodo_tui.operations.container_plans import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.operations import ServerOperation
    from komodo_tui.fleet.live import FleetState, ServerLive

    _Known = Mapping[str, ServerDefinition]

LOCAL = ServerDefinition(name="local", address=LOCAL_ADDRESS)
"""The server that is there by itself while none is defined."""

_UNDO = {
    "add": "remove the server: nothing on it is touched",
    "edit": "edit it back: the definitions file keeps its last five versions",
    "remove": "add it again: its containers and its agent are left as they are",
    "install_agent": "on the server: end the agent, then remove ~/.local/share/komodo-agent (and its systemd units)",
    "accept_host_key": "remove the line from known_hosts",
}


def draft_server(operation: ServerOperation, known: _Known, state: FleetState) -> Draft:
    """Check the change against the definitions on disk (``known``) and the live fleet.

    Raises:
        UsageError: a field cannot be used, or the change makes no sense.
        RefusedError: a server of that name exists, or its key is not the one that was shown.
        NotFoundError: there is no such server.
    """
    name = operation.server
    if operation.verb == "add":
        steps = _add(operation, known)
    else:
        if name not in known and not (name == LOCAL.name and not known):
            raise NotFoundError(f"there is no server {name!r}", hint="`komodo-tui server list` names them")
        steps = (_STEPS[operation.verb](operation, known.get(name, LOCAL), state, known),)
    words = operation.verb.replace("_", " ")
    return Draft(f"{words.capitalize()}: server {name}", f"server {words}", steps, _UNDO[operation.verb])


def _add(operation: ServerOperation, known: _Known) -> tuple[PlanStep, ...]:
    definition = _definition(operation)
    if definition.name in known:
        raise RefusedError(
            f"a server {definition.name!r} exists already: {known[definition.name].address}",
            hint="choose another name, or edit that one",
        )
    step = PlanStep(
        target=Target(server=definition.name),
        text=f"add server {definition.name} ({definition.address})",
        command=server_command(operation),
    )
    if known or definition.name == LOCAL.name or definition.is_local:
        return (step,)
    keep = PlanStep(
        target=Target(server=LOCAL.name),
        text="keep this machine in the list as server local (until now it was there by itself)",
        command="komodo-tui server add local local",
    )
    return (step, keep)


def _edit(operation: ServerOperation, before: ServerDefinition, state: FleetState, known: _Known) -> PlanStep:
    definition = _definition(operation)
    changes = [
        f"{field} {getattr(before, field)!r} -> {getattr(definition, field)!r}"
        for field in ("address", "tags", "description", "alerts", "agent_socket")
        if getattr(before, field) != getattr(definition, field)
    ]
    return PlanStep(
        target=Target(server=definition.name),
        text=f"edit server {definition.name}: {'; '.join(changes) or 'nothing changes'}",
        command=server_command(operation),
    )


def _remove(operation: ServerOperation, before: ServerDefinition, state: FleetState, known: _Known) -> PlanStep:
    if not known:
        raise RefusedError(
            "server local is there by itself while no server is defined", hint="add another server first"
        )
    live = state.servers.get(operation.server)
    seen = count_text(len(live.containers), "container") if live is not None and live.containers else ""
    return PlanStep(
        target=Target(server=operation.server),
        text=f"forget server {operation.server} ({before.address})",
        command=server_command(operation),
        warning=f"its {seen} will not be seen any more" if seen else "",
    )


def _install_agent(operation: ServerOperation, before: ServerDefinition, state: FleetState, known: _Known) -> PlanStep:
    if before.is_local:
        raise UsageError(
            f"server {before.name} is this machine: its agent is started by the program",
            hint="install agents on servers reached over SSH",
        )
    from komodo_tui.fleet.bootstrap import refusal  # late: most plans install nothing

    live = state.servers.get(before.name)
    error = refusal(live) if live is not None else None
    if error is not None:
        raise error
    return PlanStep(
        target=Target(server=operation.server),
        text=f"{_install_words(live)} {before.address} over SSH, start it and check that it answers",
        command=server_command(operation),
        warning="terminals kept there end, with the programs in them" if _keeps_terminals(live) else "",
    )


def _keeps_terminals(live: ServerLive | None) -> bool:
    return live is not None and live.live and live.hello is not None and TERMINALS in live.hello.features


def _install_words(live: ServerLive | None) -> str:
    """What an installation does, in view of the agent that is there."""
    if live is None or live.hello is None:
        return f"copy agent {agent_version} to"
    if live.hello.version == agent_version:
        return f"copy agent {agent_version}, which is there already, once more to"
    return f"copy agent {agent_version}, in place of {live.hello.version}, to"


def _accept_host_key(
    operation: ServerOperation, before: ServerDefinition, state: FleetState, known: _Known
) -> PlanStep:
    live = state.servers.get(operation.server)
    error = live.error if live is not None else None
    if not isinstance(error, HostKeyUnknownError):
        raise RefusedError(
            f"server {operation.server} offers no unknown key", hint=f"`komodo-tui server check {operation.server}`"
        )
    if operation.detail != error.fingerprint:
        raise RefusedError(
            f"server {operation.server} offers the key {error.fingerprint}, not {operation.detail or 'the one given'}",
            hint="compare it with the server's own: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub",
        )
    return PlanStep(
        target=Target(server=operation.server),
        text=f"remember {error.algorithm} key {error.fingerprint} of {error.host}:{error.port} in known_hosts",
        command=f"{server_command(operation)} {error.fingerprint}",
    )


def _definition(operation: ServerOperation) -> ServerDefinition:
    if operation.definition is None or operation.definition.name != operation.server:
        raise UsageError(f"server {operation.verb}: no definition of {operation.server!r} is given")
    return check_server(operation.definition)


_STEPS = {
    "edit": _edit,
    "remove": _remove,
    "install_agent": _install_agent,
    "accept_host_key": _accept_host_key,
}
