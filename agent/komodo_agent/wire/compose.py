"""Stacks on a server: compose projects, what a deploy would change, what was deployed before.

Values of the environment travel in requests alone. What the agent keeps and answers has names, and keyed fingerprints
of values where two of them must be compared.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .compose_changes import FileChange, KeyChange, Published, ServiceChange
from .compose_git import GitNews, GitOrigin

PullPolicy = Literal["missing", "always", "never"]
OnFailure = Literal["rollback", "stop", "keep"]
"""What follows when a deploy does not become healthy: back to the last good revision, stop it, or leave it."""
RevisionOutcome = Literal["running", "success", "failed", "rolled_back", "rollback_failed", "cancelled", "interrupted"]
ComposeVerb = Literal["start", "stop", "restart", "pause", "unpause", "pull", "down"]


class StackFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a stack."""

    path: str
    """Relative, below the stack's folder."""
    content: str


class ComposeSource(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run as one compose project."""

    project: str
    stack: str = ""
    """The definition it comes from."""
    files: tuple[StackFile, ...] = ()
    """Placed below a folder of the agent's own; empty when they are on the server already."""
    folder: str = ""
    """Absolute: where the files are on the server. Nothing is ever written there."""
    git: GitOrigin | None = None
    """Instead of both: the files come from a repository, into a folder of the agent's own."""
    commit: str = ""
    """Of the repository, with all its digits: what is to be deployed; empty = what its source says is there now."""
    compose_files: tuple[str, ...] = ("compose.yaml",)
    """Which of the files compose reads, in order."""
    env_files: tuple[str, ...] = ()
    """Files of ``NAME=value`` lines beside them, to interpolate with; the environment stands before them."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values to interpolate with, secrets included: never logged, never kept."""
    templates: dict[str, str] = msgspec.field(default_factory=dict)
    """The environment as it was defined, with ``[[NAME]]`` in it: what a revision keeps."""
    secret_keys: tuple[str, ...] = ()
    """Names of the environment whose values are masked in every output."""
    profiles: tuple[str, ...] = ()
    ignore_services: tuple[str, ...] = ()
    """Not waited for: they may end as they like."""


class PreviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What would a deploy of this source do?"""

    source: ComposeSource
    revision: int = 0
    """Ask about a return to this revision of the source's project instead; of the source, only values count."""


class HealthPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a deploy counts as good. Seconds."""

    window: float = 60.0
    """At most this long until all services are well."""
    steady: float = 3.0
    """So long they have to stay well."""
    on_failure: OnFailure = "rollback"


class ComposeDeploy(msgspec.Struct, frozen=True, kw_only=True, tag="compose_deploy", tag_field="kind"):
    """Make a project be what the source says."""

    source: ComposeSource
    fingerprint: str = ""
    """Of the preview that was confirmed; another state of affairs refuses the job. Empty = whatever there is."""
    unplanned: bool = False
    """Nobody asked for a preview: the job makes its plan as its first step and tells it in its log. It ends well with
    nothing done where nothing would change (``unchanged``), and where it takes more than was sent (``left``: what)."""
    pull: PullPolicy = "missing"
    refresh: tuple[str, ...] = ()
    """Services whose images are pulled even where they are here."""
    build: bool = False
    extra_args: tuple[str, ...] = ()
    """More words for ``compose up``."""
    pre_deploy: tuple[tuple[str, ...], ...] = ()
    """Commands, as words, run in the project's folder before ``up``; one that fails stops the deploy."""
    post_deploy: tuple[tuple[str, ...], ...] = ()
    health: HealthPolicy = HealthPolicy()
    commit: str = ""
    definition: str = ""
    """Fingerprint of the definition it comes from; kept, never looked at here."""
    fallback: dict[str, str] | None = None
    """Values of the last good revision's environment, for a return to it; None = they cannot be had."""
    fallback_secret_keys: tuple[str, ...] = ()
    fallback_of: int = 0
    """For an unplanned deploy: the revision that these values are for."""
    keep: int = 10
    """Revisions to keep."""
    images: tuple[str, ...] = ()
    """Those that the services run, as far as they are not built."""
    logins: dict[str, str] = msgspec.field(default_factory=dict)
    """By image: what ``X-Registry-Auth`` takes for it. Secret: never logged, never kept."""


class ComposeRollback(msgspec.Struct, frozen=True, kw_only=True, tag="compose_rollback", tag_field="kind"):
    """Deploy a revision again: its files, with the images it ran then."""

    project: str
    revision: int
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    """Values for the revision's templates."""
    secret_keys: tuple[str, ...] = ()
    fingerprint: str = ""
    health: HealthPolicy = HealthPolicy()
    keep: int = 10


class ComposeAct(msgspec.Struct, frozen=True, kw_only=True, tag="compose_act", tag_field="kind"):
    """One verb on a project that is there, whoever made it."""

    project: str
    verb: ComposeVerb
    services: tuple[str, ...] = ()
    """Empty = all."""
    volumes: bool = False
    """For down: its named volumes as well."""
    fingerprint: str = ""
    images: tuple[str, ...] = ()
    """For pull: those of the services."""
    logins: dict[str, str] = msgspec.field(default_factory=dict)
    """For pull, as in :class:`ComposeDeploy`."""


class ComposeAdopt(msgspec.Struct, frozen=True, kw_only=True, tag="compose_adopt", tag_field="kind"):
    """Record what runs as a first good revision. Touches no container."""

    project: str
    stack: str = ""
    fingerprint: str = ""


class RevisionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One deploy of a project, without its files."""

    number: int
    stack: str = ""
    actor: str = ""
    started: float
    finished: float = 0.0
    outcome: RevisionOutcome = "running"
    step: str = ""
    """Where it ended when it did not end well."""
    error: str = ""
    commit: str = ""
    definition: str = ""
    """Fingerprint of the definition it came from; empty = not known."""
    digest: str = ""
    """Of its files and environment together."""
    images: dict[str, str] = msgspec.field(default_factory=dict)
    """By service: the id of the image it ran."""
    rollback_of: int = 0
    """The revision it brought back; 0 = it came from a definition."""


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A revision with everything needed to deploy it again, but for values of its environment."""

    summary: RevisionSummary
    files: tuple[StackFile, ...] = ()
    folder: str = ""
    git: GitOrigin | None = None
    compose_files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    templates: dict[str, str] = msgspec.field(default_factory=dict)
    prints: dict[str, str] = msgspec.field(default_factory=dict)
    """Keyed fingerprints of the environment's values."""
    profiles: tuple[str, ...] = ()
    ignore_services: tuple[str, ...] = ()
    hashes: dict[str, str] = msgspec.field(default_factory=dict)
    """By service: the hash that compose labelled its containers with."""
    configs: dict[str, str] = msgspec.field(default_factory=dict)
    """By service: keyed fingerprint of its resolved configuration, values of env files included."""
    references: dict[str, str] = msgspec.field(default_factory=dict)
    """By service: its image as the file names it."""
    repo_digests: dict[str, str] = msgspec.field(default_factory=dict)
    """By service: ``name@sha256:…`` where the image came from a registry."""


class ComposePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a deploy would do now."""

    project: str
    fingerprint: str
    command: str
    """The ``up`` that would run."""
    compose: str
    """Which compose, e.g. ``docker compose 2.26.1``."""
    folder: str
    services: tuple[ServiceChange, ...] = ()
    environment: tuple[KeyChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    ports: tuple[Published, ...] = ()
    new_volumes: tuple[str, ...] = ()
    kept_volumes: tuple[str, ...] = ()
    dropped_volumes: tuple[str, ...] = ()
    """Named volumes of the project that no service uses any more. They are kept."""
    binds: tuple[str, ...] = ()
    """Folders of the host that are mounted."""
    conflicts: tuple[str, ...] = ()
    """Why it cannot be done as things stand; a deploy is refused."""
    warnings: tuple[str, ...] = ()
    git: GitNews | None = None
    wants: tuple[str, ...] = ()
    """``[[NAME]]`` in files that are there, with no ``VALUE_NAME`` in what was sent: ask again with them."""
    current: RevisionSummary | None = None
    """The newest revision."""
    last_good: RevisionSummary | None = None
    last_good_templates: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether a deploy would do anything."""
        moves = self.git is not None and self.git.deployed != self.git.target.id
        return moves or any(s.verb != "keep" for s in self.services) or bool(self.files) or bool(self.environment)


class RunningService(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a project as it runs."""

    service: str
    image: str
    containers: tuple[str, ...]
    state: str
    """Of the worst of its containers, with its health: ``running``, ``running (unhealthy)``, ``exited (1)``."""
    hash: str = ""
    drift: str = ""
    """How it differs from the newest good revision; empty when it does not, or nothing is recorded."""


class ComposeProject(msgspec.Struct, frozen=True, kw_only=True):
    """A compose project on this server: it runs, or the agent has deployed it before."""

    name: str
    services: tuple[RunningService, ...] = ()
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    managed: bool = False
    """The agent has revisions of it."""
    stack: str = ""
    folder: str = ""
    """That its newest revision was deployed from, where that is not the agent's own."""
    found: bool = False
    """Compose files that lie in ``working_dir``; nothing was made of them yet."""
    busy: bool = False
    """A job works on it now."""
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    revisions: tuple[RevisionSummary, ...] = ()
    """Newest first."""
    fingerprint: str = ""
    """Of its containers: what a destroy or stop is confirmed on."""
