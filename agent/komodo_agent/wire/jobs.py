"""Jobs: acts that belong to the agent and end there, whatever happens to the client.

The client chooses the job's id (a UUID); the same id sent twice is one job.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .builds import BuildJob
from .compose import ComposeAct, ComposeAdopt, ComposeDeploy, ComposeRollback
from .compose_files import ComposeWrite
from .registry import RegistryJob
from .repos import RepoJob
from .resources import ResourceJob
from .tasks import TaskJob

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
INTERRUPTED = "interrupted: "
"""A failed job's error begins with this when the agent ended while it ran: how far it came is not known."""
ContainerVerb = Literal["start", "stop", "restart", "pause", "unpause", "kill", "rename", "remove"]


class ContainerAct(msgspec.Struct, frozen=True, kw_only=True, tag="container", tag_field="kind"):
    """One verb on one container."""

    container: str
    """Full id."""
    verb: ContainerVerb
    timeout: int | None = None
    """Seconds to wait before the engine kills it (stop, restart); None = the container's own."""
    signal: str = ""
    """For kill; empty = KILL."""
    new_name: str = ""
    """For rename."""
    force: bool = False
    """For remove: also when it runs."""
    volumes: bool = False
    """For remove: its anonymous volumes as well."""


class PublishedPort(msgspec.Struct, frozen=True, kw_only=True):
    """``-p ip:public:private/protocol``."""

    private: int
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    public: int | None = None
    """None = a port the engine picks."""
    ip: str = ""


class Bind(msgspec.Struct, frozen=True, kw_only=True):
    """``-v source:destination[:ro]``; a source without a slash is a named volume."""

    source: str
    destination: str
    read_only: bool = False


class CreateContainer(msgspec.Struct, frozen=True, kw_only=True, tag="create", tag_field="kind"):
    """Create (and start) a container, pulling its image when asked or needed."""

    image: str
    name: str = ""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    ports: tuple[PublishedPort, ...] = ()
    binds: tuple[Bind, ...] = ()
    network: str = ""
    restart_policy: Literal["no", "always", "unless-stopped", "on-failure"] = "no"
    restart_max: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    tty: bool = False
    user: str = ""
    workdir: str = ""
    pull: Literal["missing", "always", "never"] = "missing"
    start: bool = True
    registry_auth: str = ""
    """Base64 JSON as ``X-Registry-Auth`` takes it; a secret: never logged, never in a job's state."""


ComposeJob = ComposeDeploy | ComposeRollback | ComposeAct | ComposeAdopt | ComposeWrite
EngineJob = ContainerAct | CreateContainer | ResourceJob | RegistryJob | TaskJob
JobSpec = EngineJob | ComposeJob | RepoJob | BuildJob


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Start this job under this id."""

    id: str
    spec: JobSpec
    actor: str = ""
    """Who asks, for the agent's own record."""
    wait: float = 0.0
    """Seconds to wait for its end before the answer: short jobs take one call then."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    text: str
    """What it does now."""
    done: float | None = None
    """0-1, or None when unknown."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    id: str
    kind: str
    target: str
    """What it acts on: a container's name, an image."""
    status: JobStatus
    started: float = 0.0
    finished: float = 0.0
    progress: Progress | None = None
    commands: tuple[str, ...] = ()
    """The exact calls it makes, as a person would type them (``docker restart -t 10 web``)."""
    error: str = ""
    result: dict[str, str] = msgspec.field(default_factory=dict)
    """E.g. ``{"container": id}`` of a create."""

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.status in ("succeeded", "failed", "cancelled")
