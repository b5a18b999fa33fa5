"""Operations as a person would type them: what plans and the history show."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from komodo_tui.domain.run_options import run_command

if TYPE_CHECKING:
    from komodo_agent.wire.jobs import CreateContainer
    from komodo_tui.domain.operations import CommandOperation, ContainerOperation, ServerOperation


def container_command(operation: ContainerOperation, name: str) -> str:
    """``docker stop -t 30 web``: the one call made for the container of this name."""
    verb = operation.verb
    argv = ["docker", "rm" if verb == "remove" else verb]
    if verb in ("stop", "restart") and operation.timeout is not None:
        argv += ["-t", str(operation.timeout)]
    if verb == "kill" and operation.signal:
        argv += ["-s", operation.signal]
    if verb == "remove":
        argv += ["-f"] if operation.force else []
        argv += ["-v"] if operation.volumes else []
    argv.append(name)
    if verb == "rename":
        argv.append(operation.new_name)
    return shlex.join(argv)


def create_command(container: CreateContainer) -> str:
    """The same as a ``docker run``; values of variables are left out, they may be secrets."""
    return shlex.join(run_command(container))


def definition_command(kind: str, verb: str, name: str) -> str:
    """``komodo-tui apply -f FILE  # define stack shop``: how a shell does to a definition what ``verb`` says.

    ``verb`` is ``add``, ``edit`` or ``remove``. Stacks and deployments are forgotten by a command of their own, other
    kinds by a file that has no such entry any more.
    """
    if verb == "remove" and kind in ("stack", "deployment"):
        return shlex.join(["komodo-tui", kind, "remove", name])
    apply = "komodo-tui apply -f FILE" + (" --delete" if verb == "remove" else "")
    return f"{apply}  # {_DEFINITION_WORDS[verb]} {kind} {shlex.quote(name)}"


_DEFINITION_WORDS = {"add": "define", "edit": "change", "remove": "with everything but"}


def server_command(operation: ServerOperation) -> str:
    """The ``komodo-tui server`` command that does the same."""
    argv = ["komodo-tui", "server", _SERVER_VERBS[operation.verb], operation.server]
    if operation.definition is not None:
        argv.append(operation.definition.address)
        argv += [word for tag in operation.definition.tags for word in ("--tag", tag)]
    return shlex.join(argv)


_SERVER_VERBS = {
    "add": "add",
    "edit": "edit",
    "remove": "remove",
    "install_agent": "install-agent",
    "accept_host_key": "accept-key",
}


def command_line(operation: CommandOperation, name: str) -> str:
    """``docker exec -u app db ./migrate``, or what is run on a server; values of variables are left out."""
    if operation.verb == "clear_log":
        return f"truncate -s 0 $(docker inspect -f '{{{{.LogPath}}}}' {shlex.quote(name)})"
    if operation.verb == "run":
        user = ["sudo", "-u", operation.user] if operation.user else []
        return shlex.join([*user, *operation.command])
    words = ["docker", "exec"]
    words += ["-u", operation.user] if operation.user else []
    words += ["-w", operation.directory] if operation.directory else []
    words += [word for variable in operation.environment for word in ("-e", variable)]
    return shlex.join([*words, name, *operation.command])
