"""Operations, their plans, and the record of an act.

An :class:`Operation` is what a person, cron or a webhook wants done. It is data: it can be planned, confirmed,
recorded and compared. The executor alone turns it into effects.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from komodo_agent.wire.jobs import ContainerVerb, CreateContainer
from komodo_tui.domain.alerts import AlertOperation, DefineAlertingOperation
from komodo_tui.domain.builds import BuildOperation, DefineBuildOperation
from komodo_tui.domain.registries import RegistryOperation
from komodo_tui.domain.repos import DefineRepoOperation, RepoOperation
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation

Outcome = Literal["success", "failed", "rolled_back", "rollback_failed", "cancelled", "interrupted"]
StepEnd = Literal["done", "failed", "rolled_back", "rollback_failed", "cancelled", "interrupted"]
"""How one step ended; ``interrupted``: a program in between ended, and how far it came is not known."""
Confirm = Literal["none", "yes", "type"]
"""What has to be given before an act: nothing, a yes, or the typed name of its target."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an act touches."""

    server: str
    """Empty = a definition alone; no server is touched."""
    name: str = ""
    """Of the container, stack…; empty = the server itself."""
    id: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.server}" if self.name and self.server else self.name or self.server


class ContainerOperation(msgspec.Struct, frozen=True, kw_only=True, tag="container", tag_field="operation"):
    """One verb on one or more containers."""

    verb: ContainerVerb
    targets: tuple[Target, ...]
    timeout: int | None = None
    signal: str = ""
    new_name: str = ""
    force: bool = False
    volumes: bool = False


class CreateOperation(msgspec.Struct, frozen=True, kw_only=True, tag="create", tag_field="operation"):
    """Create a container on each of these servers."""

    servers: tuple[str, ...]
    container: CreateContainer


class CommandOperation(msgspec.Struct, frozen=True, kw_only=True, tag="command", tag_field="operation"):
    """Run a command in containers or on servers, or empty the logs of containers."""

    verb: Literal["exec", "run", "clear_log"]
    targets: tuple[Target, ...]
    """Containers; for ``run``, servers."""
    command: tuple[str, ...] = ()
    script: str = ""
    """For run: its standard input."""
    user: str = ""
    directory: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values may be secrets: the history keeps the names alone."""
    references: tuple[str, ...] = ()
    """Those of the environment whose ``[[NAME]]`` are looked up, on each server, when it is sent there."""
    timeout: float = 0.0
    """Seconds after which it is ended on a target; 0 = none."""
    larger_than: int = 0
    """For clear_log: bytes up to which a log is left alone."""


class DefineProcedureOperation(
    msgspec.Struct, frozen=True, kw_only=True, tag="define_procedure", tag_field="operation"
):
    """Change a procedure's definition. Nothing on a server is touched."""

    verb: Literal["add", "edit", "remove"]
    name: str
    definition: dict[str, Any] | None = None
    """For add and edit: a :class:`~komodo_tui.domain.procedures.model.ProcedureDefinition` in plain maps and lists."""
    rev: int | None = None
    """For edit and remove: the revision it was based on."""


class ServerOperation(msgspec.Struct, frozen=True, kw_only=True, tag="server", tag_field="operation"):
    """Change the fleet: add, edit or remove a server's definition, install or upgrade its agent, accept its key."""

    verb: Literal["add", "edit", "remove", "install_agent", "accept_host_key"]
    server: str
    definition: ServerDefinition | None = None
    """For add and edit."""
    rev: int | None = None
    """For edit and remove: the revision it was based on; another one on disk refuses the act."""
    detail: str = ""
    """E.g. the fingerprint accepted."""


Operation = (
    ContainerOperation
    | CreateOperation
    | ServerOperation
    | CommandOperation
    | ResourceOperation
    | VolumeOperation
    | ValueOperation
    | StackOperation
    | DefineStackOperation
    | DefineDeploymentOperation
    | DefineProcedureOperation
    | AlertOperation
    | DefineAlertingOperation
    | RepoOperation
    | DefineRepoOperation
    | ShipOperation
    | RegistryOperation
    | BuildOperation
    | DefineBuildOperation
    | DefineSyncOperation
)


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that will happen."""

    target: Target
    text: str
    """``restart web-1 (running 3 d, stop timeout 10 s)``"""
    command: str = ""
    """As a person would type it on the server."""
    details: tuple[str, ...] = ()
    """What it touches, one thing a line."""
    warning: str = ""
    state: str = ""
    """The container's state the plan was made on; another one by the time of a destructive act refuses it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation would do, and what has to be given before it does."""

    operation: Operation
    title: str
    """``Restart 3 containers on 2 servers``"""
    verb: str
    steps: tuple[PlanStep, ...]
    confirm: Confirm
    phrase: str = ""
    """What has to be typed when ``confirm`` is ``type``."""
    undo: str = ""
    """What would take it back, or why nothing would."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one step ended."""

    target: Target
    ok: bool
    error: str = ""
    hint: str = ""
    commands: tuple[str, ...] = ()
    output: str = ""
    seconds: float = 0.0
    result: dict[str, str] = msgspec.field(default_factory=dict)
    end: StepEnd = "done"
    exit_code: int = 0
    """Of the error's class (:class:`~komodo_tui.domain.errors.ExitCode`); 0 when ``ok``."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts."""

    name: str
    """Unix login, ``cron``, ``schedule`` or ``webhook:<delivery id>``."""
    sudo_user: str = ""
    ssh_client: str = ""
    via: Literal["tui", "cli", "watch"] = "cli"

    def __str__(self) -> str:
        who = f"{self.sudo_user} as {self.name}" if self.sudo_user and self.sudo_user != self.name else self.name
        return f"{who} from {self.ssh_client}" if self.ssh_client else who


class ActionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the history: the intent row and, once there is one, its outcome row, joined."""

    id: str
    """UUID of the act."""
    seq: int
    started: float
    ended: float | None = None
    actor: Actor
    act: str
    """``restart``, ``create``, ``server add``…"""
    targets: tuple[Target, ...] = ()
    outcome: Outcome | None = None
    """None while it runs."""
    title: str = ""
    summary: str = ""
    """One line: why it failed, or what came of it."""
    operation: dict[str, Any] = msgspec.field(default_factory=dict)
    steps: tuple[StepResult, ...] = ()
    before: str = ""
    after: str = ""
    run: str = ""
    """The procedure's run that it is part of."""
