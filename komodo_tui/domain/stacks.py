"""Stacks as the user defines them, and what can be done with them and with the deployments they make. Pure."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_agent.wire.compose import (
    ComposeAct,
    ComposeAdopt,
    ComposeDeploy,
    ComposePreview,
    ComposeProject,
    ComposeRollback,
    HealthPolicy,
    PullPolicy,
)
from komodo_agent.wire.compose_files import ComposeWrite
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.servers import named_servers
from komodo_tui.domain.stack_git import StackGit, check_git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.servers import ServerDefinition

StackVerb = Literal[
    "deploy", "rollback", "destroy", "start", "stop", "restart", "pause", "unpause", "pull", "adopt", "write"
]

COMPOSE_FILE = "compose.yaml"
"""Where a compose file that was written here is placed."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_PART = re.compile(r"[A-Za-z0-9._ @+=-][A-Za-z0-9._ @+=,-]{0,127}")


class StackDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stack: compose files, their environment, and where it runs."""

    name: str
    servers: tuple[str, ...] = ()
    """Names, or ``tag:TAG``."""
    description: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    project: str = ""
    """Compose's name for it; empty = made of the name."""
    compose: str = ""
    """The compose file, written here."""
    attached: dict[str, str] = msgspec.field(default_factory=dict)
    """More files, by their path beside the compose file: env files, configuration."""
    folder: str = ""
    """Instead of ``compose``: a folder on the servers that has the files."""
    git: StackGit | None = None
    """Instead of both: a git repository that has the files."""
    files: tuple[str, ...] = (COMPOSE_FILE,)
    """Which files of that folder, or of the attached ones, compose reads, in order."""
    env_files: tuple[str, ...] = ()
    """Files beside them of ``NAME=value`` lines, for ``${NAME}`` in the compose files; ``environment`` counts more."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """For ``${NAME}`` in the compose file; may have ``[[NAME]]`` of variables and secrets."""
    per_server: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """More environment for one server, by its name."""
    profiles: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Stacks and deployments that a sync deploys before this one."""
    ignore_services: tuple[str, ...] = ()
    """Their health does not count."""
    pull: PullPolicy = "missing"
    build: bool = False
    """Build before up."""
    health: HealthPolicy = HealthPolicy()
    extra_args: tuple[str, ...] = ()
    """More words for ``compose up``."""
    pre_deploy: tuple[str, ...] = ()
    """Commands run in the project's folder on the server before up; no shell reads them."""
    post_deploy: tuple[str, ...] = ()
    revisions: int = 10
    """How many to keep on each server."""

    @property
    def project_name(self) -> str:
        """Compose's name for it."""
        return self.project or re.sub(r"[^a-z0-9_-]", "-", self.name.lower())


StackSpec = ComposeDeploy | ComposeRollback | ComposeAct | ComposeAdopt | ComposeWrite


class StackTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of an operation: a project on a server, and the job that acts on it."""

    server: str
    project: str
    spec: StackSpec
    preview: ComposePreview | None = None
    """For deploy and rollback: what the agent said would happen."""
    found: ComposeProject | None = None
    """For the other verbs: what is there."""
    warnings: tuple[str, ...] = ()


class StackOperation(msgspec.Struct, frozen=True, kw_only=True, tag="stack", tag_field="operation"):
    """One verb on one or more deployments, in the order they are acted on: one server after the other."""

    verb: StackVerb
    stack: str
    """Its name, or the project's where no stack defines it."""
    targets: tuple[StackTarget, ...]


class DefineStackOperation(msgspec.Struct, frozen=True, kw_only=True, tag="define_stack", tag_field="operation"):
    """Change a stack's definition. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: StackDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


def check_stack(stack: StackDefinition) -> StackDefinition:
    """Return it, or raise :class:`UsageError` saying which field is wrong and what it takes."""
    if not _NAME.fullmatch(stack.name):
        raise UsageError(
            f"stack name {stack.name!r} cannot be used",
            hint="letters, digits, dot, dash and underscore, at most 63, the first a letter or digit",
        )
    name = f"stack {stack.name}"
    if not _PROJECT.fullmatch(stack.project_name):
        raise UsageError(
            f"{name}: project {stack.project_name!r} cannot be used",
            hint="small letters, digits, dash and underscore, the first a letter or digit",
        )
    _check_source(stack, name)
    for values in (stack.environment, *stack.per_server.values()):
        for key in values:
            if not _KEY.fullmatch(key):
                raise UsageError(f"{name}: environment: {key!r} is no name for a variable")
    for command in (*stack.pre_deploy, *stack.post_deploy):
        split_command(command, name)
    if stack.health.window <= 0 or stack.health.steady < 0 or stack.health.window > 86400:
        raise UsageError(f"{name}: health: window and steady are seconds, window more than 0")
    if stack.revisions < 1:
        raise UsageError(f"{name}: revisions: keep at least one")
    return stack


def _check_source(stack: StackDefinition, name: str) -> None:
    written = bool(stack.compose or stack.attached)
    if written + bool(stack.folder) + (stack.git is not None) != 1:
        if stack.attached and not stack.compose:
            raise UsageError(f"{name}: attached files go with compose, not with folder or git")
        raise UsageError(f"{name}: give either compose (the file itself), folder (on the server) or git")
    if stack.folder and (not stack.folder.startswith("/") or ".." in stack.folder.split("/")):
        raise UsageError(f"{name}: folder {stack.folder!r} is no absolute path", hint="/srv/shop, say")
    if stack.git is not None:
        check_git(stack.git, name)
    inside = (stack.git.folder,) if stack.git is not None and stack.git.folder else ()
    for path in (*stack.attached, *stack.files, *stack.env_files, *inside):
        if not path or any(part in (".", "..") or not _PART.fullmatch(part) for part in path.split("/")):
            raise UsageError(
                f"{name}: {path!r} is no path for a file", hint="relative, without .., of letters, digits and . _ - + ="
            )
    if not stack.files:
        raise UsageError(f"{name}: files: name at least one")
    if not written:
        return
    there = {*stack.attached, *((COMPOSE_FILE,) if stack.compose else ())}
    missing = [path for path in (*stack.files, *stack.env_files) if path not in there]
    if missing:
        raise UsageError(
            f"{name}: files: {missing[0]} is not among the stack's files", hint=f"there are {sorted(there)}"
        )


def split_command(command: str, name: str) -> tuple[str, ...]:
    """A command line as words. Raises UsageError when a quote is not closed."""
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{name}: the command {command!r} cannot be read: {error}") from error


def where_it_changes(operation: StackOperation) -> StackOperation:
    """A deploy without the servers where it would change nothing."""
    targets = tuple(t for t in operation.targets if t.preview is None or t.preview.changes)
    return msgspec.structs.replace(operation, targets=targets)


def servers_of(stack: StackDefinition, known: Mapping[str, ServerDefinition]) -> tuple[str, ...]:
    """The servers a stack runs on, in the order it names them.

    Raises:
        UsageError: it names none, or one that is not defined.
    """
    found = named_servers(f"stack {stack.name}", stack.servers, known)
    if not found:
        raise UsageError(
            f"stack {stack.name} runs on no server", hint="name servers, or a tag that one has, in its definition"
        )
    return found


def environment_of(stack: StackDefinition, server: str) -> dict[str, str]:
    """The environment on one server, before its ``[[NAME]]`` are looked up."""
    return {**stack.environment, **stack.per_server.get(server, {})}
