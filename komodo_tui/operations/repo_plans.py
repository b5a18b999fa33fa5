"""What acts on repos would do, the jobs they become, and what they lock."""

from __future__ import annotations

import os
import secrets
import shlex
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.repo_checks import user_of
from komodo_agent.wire.repos import RepoJob
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.domain.repos import RepoOperation, check_commit, check_repo
from komodo_tui.domain.stacks import split_command
from komodo_tui.domain.units import count_text
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft, server_of, stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from komodo_agent.wire.repos import RepoSource
    from komodo_tui.domain.repos import DefineRepoOperation, RepoDefinition
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.operations.values import StoredValues

_DIFF_LINES = 400
"""Of a change that is to be committed, shown in the plan."""
_UNDO = {
    "clone": "remove the clone; a clone that was there before is not brought back",
    "pull": "name the commit it was at in the repo's definition, and pull again",
    "fetch": "nothing to take back: files stay as they are",
    "remove": "clone it again; what was not pushed is lost",
    "commit": "push another commit that takes it back (git revert)",
}
_TEXT = {"clone": "clone", "pull": "pull", "fetch": "look for news of", "remove": "REMOVE the clone of",
         "commit": "commit and push to"}  # fmt: skip


def draft_repo(
    operation: RepoOperation | DefineRepoOperation, state: FleetState, known: Callable[[], Mapping[str, RepoDefinition]]
) -> Draft:
    """Check it, and say what it would do: one step a server, or one on the definition.

    Raises:
        UsageError: no server is named, or the definition cannot be used.
        NotFoundError: a server or the definition is gone.
        RefusedError: a repo of that name exists.
    """
    return (
        _draft_clones(operation, state)
        if isinstance(operation, RepoOperation)
        else _draft_definition(operation, known())
    )


def _draft_clones(operation: RepoOperation, state: FleetState) -> Draft:
    repo = check_repo(operation.repo)
    if not operation.servers:
        hint = "name one in its definition"
        raise UsageError(f"{operation.verb}: no server is named for repo {repo.name}", hint=hint)
    if operation.verb == "commit":
        check_commit(operation)
    steps = []
    for name in dict.fromkeys(operation.servers):
        lost = "what was changed in the clone is LOST" if operation.discard else ""
        steps.append(
            PlanStep(
                target=Target(server=name, name=repo.name),
                text=f"{_TEXT[operation.verb]} {repo.name}{_from(operation)}",
                command=_command(operation),
                details=(
                    *operation.diff.splitlines()[:_DIFF_LINES],
                    *lent_words(repo.source if operation.verb != "remove" else None),
                    *(f"then {w}" for w in _after(operation)),
                ),
                warning="; ".join(filter(None, (lost, stale(server_of(state, name))))),
            )
        )
    where = operation.servers[0] if len(steps) == 1 else count_text(len(steps), "server")
    title = f"{_TEXT[operation.verb].capitalize()} {repo.name} on {where}"
    return Draft(title, f"repo {operation.verb}", tuple(steps), _UNDO[operation.verb])


def repo_jobs(operation: RepoOperation) -> tuple[RepoJob, ...]:
    """What each server's agent is asked to do; the token comes later."""
    repo = operation.repo
    job = RepoJob(
        verb=operation.verb, name=repo.name, source=repo.source, discard=operation.discard, make=operation.make,
        on_clone=_commands(repo, repo.on_clone), on_pull=_commands(repo, repo.on_pull),
        changes=operation.changes, message=operation.message, author=operation.author,
    )  # fmt: skip
    return tuple(job for _ in dict.fromkeys(operation.servers))


def repo_as_written(operation: RepoOperation, hidden: str) -> RepoOperation:
    """The operation as the history keeps it: without the contents of files, in which there may be anything."""
    if not operation.changes:
        return operation
    changes = tuple(
        msgspec.structs.replace(change, text=None if change.text is None else hidden) for change in operation.changes
    )
    return msgspec.structs.replace(operation, changes=changes, diff="")


def _commands(repo: RepoDefinition, commands: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(split_command(command, f"repo {repo.name}") for command in commands)


def repo_locks(operation: RepoOperation) -> list[str]:
    """One act at a time on each clone."""
    return [f"repo {server} {operation.repo.name}" for server in dict.fromkeys(operation.servers)]


def with_token(job: RepoJob, server: str, values: StoredValues) -> RepoJob:
    """The same with the token that its source names. Blocks.

    Raises:
        NotFoundError: no secret has that name.
    """
    if job.verb == "remove":
        return job
    return msgspec.structs.replace(job, source=source_with_token(job.name, job.source, server, values))


def source_with_token(repo: str, source: RepoSource, server: str, values: StoredValues) -> RepoSource:
    """A source with the token or the ssh key that it names, or this session's ssh-agent. Blocks.

    Where the ssh-agent is to be lent, the source has an id for that; who sends the source lends it under that id.

    Raises:
        NotFoundError: no secret has that name.
    """
    token = _secret(repo, source.secret, server, values) if source.secret else ""
    key = _secret(repo, source.key_secret, server, values) if source.key_secret else ""
    lent = secrets.token_hex(16) if source.ssh_agent else ""
    socket = "" if key or lent or source.ssh_key else os.environ.get("SSH_AUTH_SOCK", "")
    return msgspec.structs.replace(source, token=token, key=key, agent_socket=socket, lent=lent)


def _secret(repo: str, name: str, server: str, values: StoredValues) -> str:
    value = values.lookup("", server)(name)
    if value is None or not value.secret:
        raise NotFoundError(f"repo {repo}: there is no secret {name}", hint=f"komodo-tui secret set {name}")
    return value.text.strip()


def _draft_definition(operation: DefineRepoOperation, known: Mapping[str, RepoDefinition]) -> Draft:
    name = operation.name
    if operation.verb == "add" and name in known:
        raise RefusedError(f"a repo {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and name not in known:
        raise NotFoundError(f"there is no repo {name!r}")
    if operation.verb != "remove":
        if operation.definition is None:
            raise UsageError(f"repo {name}: no definition is given")
        check_repo(operation.definition)
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again: its clones stay on the servers",
    }[operation.verb]
    step = PlanStep(
        target=Target(server="", name=name),
        text=f"{text} repo {name}",
        command=definition_command("repo", operation.verb, name),
    )
    verb = {"add": "repo add", "edit": "repo edit", "remove": "repo forget"}[operation.verb]
    return Draft(f"{text.capitalize()} repo {name}", verb, (step,), undo)


def lent_words(source: RepoSource | None) -> tuple[str, ...]:
    """A line of a plan: that the server gets the ssh-agent of who acts for a while."""
    if source is None or not source.ssh_agent:
        return ()
    whom = f"for logins as {user_of(source.url)}"
    where = "to the hosts of host_keys" if source.host_keys else "to any host, since no host_keys are named"
    return (f"your ssh-agent is lent to the server while git runs, {whom} {where}",)


def _from(operation: RepoOperation) -> str:
    repo = operation.repo
    if operation.verb == "remove":
        return ", with its files"
    if operation.verb == "commit":
        what = ", ".join(change.path for change in operation.changes[:3]) or "what was changed there"
        return f" ({repo.url}{', ' + repo.branch if repo.branch else ''}): {what}"
    where = f", {repo.branch}" if repo.branch else ""
    return f" from {repo.url}{where}{f' at {repo.commit[:12]}' if repo.commit else ''}"


def _after(operation: RepoOperation) -> tuple[str, ...]:
    """What runs on the server once the files are there."""
    repo = operation.repo
    if operation.verb == "clone":
        return repo.on_clone
    if operation.verb != "pull":
        return ()
    return (*repo.on_pull, *(f"{command}  (where it is cloned now)" for command in repo.on_clone if operation.make))


def _command(operation: RepoOperation) -> str:
    repo = operation.repo
    if operation.verb == "remove":
        return f"rm -r repos/{repo.name}"
    if operation.verb == "commit":
        paths = shlex.join(["--", *(change.path for change in operation.changes)]) if operation.changes else "-a"
        push = shlex.join(["git", "push", repo.url, f"HEAD:{repo.branch or '(main)'}"])
        return f"git commit -m {shlex.quote(operation.message.splitlines()[0])} {paths} && {push}"
    fetch = shlex.join(["git", "fetch", repo.url, *([repo.branch] if repo.branch else [])])
    if operation.verb == "fetch":
        return fetch
    force = "--force " if operation.discard else ""
    return f"{fetch} && git checkout {force}--detach {repo.commit or repo.branch or 'FETCH_HEAD'}"
