"""The steps a procedure can be made of: one struct for each, its fields as YAML has them.

Spans of time are texts like ``30s`` or ``5m``. In every text but scripts ``{name}`` stands for a parameter or a saved
output. Commands and scripts find them in their environment too, as ``KOMODO_PARAM_<NAME>`` and
``KOMODO_OUTPUT_<NAME>``; that is the way into a shell, where a value filled into a text could be read as commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from komodo_agent.wire.jobs import ContainerVerb

Words = tuple[str, ...] | str


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all steps have."""

    name: str = ""
    """What it is called in the run; else its kind."""
    when: str = ""
    """Only if this holds: see :mod:`.expressions`."""
    enabled: bool = True
    timeout: str = ""
    """Of one attempt on one target; empty = none."""
    retries: int = 0
    """Further attempts on a target that failed."""
    backoff: str = "2s"
    """Before the first retry; doubled for each further one."""
    continue_on_error: bool = False
    """Its failure does not fail the stage."""
    save: str = ""
    """Keep the output, without surrounding white space, under this name for later steps."""


class Spread(Step, frozen=True, kw_only=True):
    """Steps on many targets: how they go through them."""

    servers: Words = ()
    """Names, wildcards, or ``tag:NAME``; empty = all."""
    batch: int = 0
    """Rolling: this many targets at once, the next ones when they are done; 0 = all together."""
    pause: str = ""
    """Between two batches."""
    stop_after: int = 1
    """Rolling: go no further after this many targets failed."""


class OnContainers(Spread, frozen=True, kw_only=True):
    """Steps on containers that are picked when the step begins."""

    match: Words = ()
    """Names, wildcards (``apache*``), ``re:…``, ``label:key=value``, ``stack:name``, ``image:name``; one must fit."""
    state: Words = ()
    """Only those in one of these states."""
    none: Literal["fail", "warn", "pass"] = "fail"
    """What it means when nothing matches."""


class StartContainers(OnContainers, frozen=True, kw_only=True):
    """Start stopped containers."""


class StopContainers(OnContainers, frozen=True, kw_only=True):
    """Stop containers."""

    grace: str = ""
    """Before the engine kills one; empty = the container's own."""


class RestartContainers(OnContainers, frozen=True, kw_only=True):
    """Restart containers."""

    grace: str = ""


class PauseContainers(OnContainers, frozen=True, kw_only=True):
    """Freeze containers."""


class UnpauseContainers(OnContainers, frozen=True, kw_only=True):
    """Let frozen containers go on."""


class KillContainers(OnContainers, frozen=True, kw_only=True):
    """Send containers a signal."""

    signal: str = "KILL"


class RemoveContainers(OnContainers, frozen=True, kw_only=True):
    """Remove containers."""

    force: bool = False
    volumes: bool = False
    """Their anonymous volumes as well."""


class ClearLogs(OnContainers, frozen=True, kw_only=True):
    """Empty the logs of containers (json-file driver), rotated files included."""

    larger_than: str = ""
    """Leave smaller ones alone: ``100M``."""


class Exec(OnContainers, frozen=True, kw_only=True):
    """Run a command in containers; ``container`` is short for ``match`` with one name."""

    command: Words
    """A list, or one text split as a shell would; nothing in it is expanded."""
    container: str = ""
    user: str = ""
    directory: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class Run(Spread, frozen=True, kw_only=True):
    """Run a command on servers, as the login user or by ``sudo -n -u USER``."""

    command: Words
    user: str = ""
    directory: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class Script(Spread, frozen=True, kw_only=True):
    """Run a script on servers."""

    script: str
    interpreter: str = "sh"
    user: str = ""
    directory: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class OnStack(Spread, frozen=True, kw_only=True):
    """Steps on a stack, on all its servers or on those of them that ``servers`` names; one after the other."""

    stack: str


class Deploy(OnStack, frozen=True, kw_only=True):
    """Deploy a stack as it is defined."""

    pull: Literal["", "missing", "always", "never"] = ""
    """Instead of the stack's own policy."""
    only_if_changed: bool = False
    """Leave servers alone where it would change nothing."""


class RollbackStack(OnStack, frozen=True, kw_only=True):
    """Return a stack to a revision."""

    revision: int = 0
    """0 = the last good one before what is deployed."""


class StartStack(OnStack, frozen=True, kw_only=True):
    """Start the containers of a stack."""


class StopStack(OnStack, frozen=True, kw_only=True):
    """Stop them."""


class RestartStack(OnStack, frozen=True, kw_only=True):
    """Restart them."""


class DestroyStack(OnStack, frozen=True, kw_only=True):
    """Remove containers and networks of a stack; volumes and files are kept."""


class OnRepo(Spread, frozen=True, kw_only=True):
    """Steps on the clones of a repo, on all its servers or on those of them that ``servers`` names."""

    repo: str


class RepoClone(OnRepo, frozen=True, kw_only=True):
    """Clone a repo, anew where it is cloned; never throws away what was changed there."""


class RepoPull(OnRepo, frozen=True, kw_only=True):
    """Pull a repo; never throws away what was changed there."""


class Prune(Spread, frozen=True, kw_only=True):
    """Remove images, networks or volumes that no container uses."""

    images: Literal["none", "dangling", "unused"] = "dangling"
    networks: bool = False
    volumes: bool = False
    """Their data is lost."""
    keep_labels: Words = ()
    """What has one of these stays: ``key`` or ``key=value``."""
    older_than: str = ""
    """Younger ones stay: ``30d``."""


class Wait(Spread, frozen=True, kw_only=True):
    """Wait until something is so; ``timeout`` (default 2m) is how long at most. Exactly one of the conditions."""

    healthy: Words = ()
    """Containers that run, and are healthy where they have a health check."""
    tcp: str = ""
    """``host:port`` that takes connections, seen from here."""
    http: str = ""
    """URL that answers below 400, seen from here."""
    every: str = "1s"


class Sleep(Step, frozen=True, kw_only=True):
    """Do nothing for a while."""

    seconds: str
    """A span of time."""


class Set(Step, frozen=True, kw_only=True):
    """Give names values for the steps that follow."""

    values: dict[str, str]


class Procedure(Step, frozen=True, kw_only=True):
    """Run another procedure as part of this run."""

    procedure: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


AnyStep = (
    StartContainers | StopContainers | RestartContainers | PauseContainers | UnpauseContainers | KillContainers
    | RemoveContainers | ClearLogs | Exec | Run | Script | Deploy | RollbackStack | StartStack | StopStack
    | RestartStack | DestroyStack | RepoClone | RepoPull | Prune | Wait | Sleep | Set | Procedure
)  # fmt: skip

VERBS: dict[type[Step], ContainerVerb] = {
    StartContainers: "start",
    StopContainers: "stop",
    RestartContainers: "restart",
    PauseContainers: "pause",
    UnpauseContainers: "unpause",
    KillContainers: "kill",
    RemoveContainers: "remove",
}
"""Steps that are a verb on containers."""

DANGEROUS: tuple[type[Step], ...] = (RemoveContainers, Run, Script, DestroyStack)
"""Steps that a procedure has to allow by ``allow_dangerous: true``."""


class StepEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step in YAML: a map of one key, the kind of step, to its fields."""

    start_containers: StartContainers | None = None
    stop_containers: StopContainers | None = None
    restart_containers: RestartContainers | None = None
    pause_containers: PauseContainers | None = None
    unpause_containers: UnpauseContainers | None = None
    kill_containers: KillContainers | None = None
    remove_containers: RemoveContainers | None = None
    clear_logs: ClearLogs | None = None
    exec: Exec | None = None
    run: Run | None = None
    script: Script | None = None
    deploy: Deploy | None = None
    rollback_stack: RollbackStack | None = None
    start_stack: StartStack | None = None
    stop_stack: StopStack | None = None
    restart_stack: RestartStack | None = None
    destroy_stack: DestroyStack | None = None
    repo_clone: RepoClone | None = None
    repo_pull: RepoPull | None = None
    prune: Prune | None = None
    wait: Wait | None = None
    sleep: Sleep | None = None
    set: Set | None = None
    procedure: Procedure | None = None

    @property
    def found(self) -> list[tuple[str, AnyStep]]:
        """Kind and step of each key given."""
        return [(kind, step) for kind in self.__struct_fields__ if (step := getattr(self, kind)) is not None]

    @property
    def kind(self) -> str:
        """The one kind of a checked entry."""
        return self.found[0][0]

    @property
    def step(self) -> AnyStep:
        """The one step of a checked entry."""
        return self.found[0][1]
