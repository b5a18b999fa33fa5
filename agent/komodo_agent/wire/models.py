"""What a server has and how it is: host, engine, containers, samples.

Units: bytes, bytes/s, seconds, Unix time in seconds; CPU of a container in percent of one core
(250.0 = two and a half cores), CPU of a host in percent of all its cores (0-100).
Text in these structs is as the engine gave it: hostile until the client has cleaned it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

EngineStatus = Literal["up", "starting", "down", "absent", "denied"]
"""``down``: there is a socket, nobody answers; ``absent``: no socket; ``denied``: the agent may not open it."""

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Health = Literal["", "starting", "healthy", "unhealthy"]


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """The Docker (or Podman) engine of a server."""

    status: EngineStatus
    message: str = ""
    """Why it is not up, in a sentence, with what to do."""
    name: str = "docker"
    version: str = ""
    api_version: str = ""
    socket: str = ""
    since: float = 0.0
    """When this status began."""
    cgroup: str = ""
    """``v1`` or ``v2`` with the driver, e.g. ``v2 systemd``."""
    builder: str = ""
    """What builds images there, in words; known a moment after the engine is."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a server that change with a reboot at most."""

    hostname: str
    os: str
    kernel: str
    arch: str
    cores: int
    memory: int
    booted: float


class Pressure(msgspec.Struct, frozen=True, array_like=True):
    """Pressure stall information, 10 s averages in percent (Linux Documentation/accounting/psi)."""

    cpu_some: float
    memory_some: float
    memory_full: float
    io_some: float
    io_full: float


class HostSample(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the host. Rates are averages since the sample before."""

    at: float
    cpu: float
    cores: tuple[float, ...]
    load: tuple[float, float, float]
    memory_total: int
    memory_used: int
    """Total less available, as ``free`` counts it."""
    memory_cached: int
    swap_total: int
    swap_used: int
    net_rx: float
    net_tx: float
    disk_read: float
    disk_write: float
    pressure: Pressure | None = None
    """None where the kernel has no PSI."""


class Filesystem(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted file system."""

    path: str
    device: str
    kind: str
    total: int
    used: int
    available: int
    stalled_since: float | None = None
    """Set while a network mount does not answer; the figures are then the last known."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Rates of one disk or one network interface."""

    name: str
    kind: Literal["disk", "net"]
    read: float
    """Bytes/s read, or received."""
    write: float
    """Bytes/s written, or sent."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the host."""

    pid: int
    user: str
    cpu: float
    memory: int
    command: str


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port a container exposes, published or not."""

    private: int
    protocol: str = "tcp"
    public: int | None = None
    ip: str = ""


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A container as lists show it."""

    id: str
    """The full 64 hexadecimal digits."""
    name: str
    """Without the leading slash."""
    image: str
    image_id: str = ""
    command: str = ""
    state: ContainerState
    health: Health = ""
    exit_code: int | None = None
    """Of the last run; None while it runs or before it ran."""
    created: float = 0.0
    started: float = 0.0
    finished: float = 0.0
    restarts: int = 0
    restart_policy: str = ""
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    pid: int = 0
    tty: bool = False
    log_driver: str = ""
    oom_killed: bool = False

    @property
    def stack(self) -> str:
        """The compose project it belongs to, or an empty string."""
        return self.labels.get("com.docker.compose.project", "")

    @property
    def service(self) -> str:
        """The compose service it belongs to, or an empty string."""
        return self.labels.get("com.docker.compose.service", "")


class Oom(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel ended a process of a container for want of memory: the last of it, or one that it lives on without."""

    id: str
    """The container's, in full."""
    container: str
    """Its name."""
    at: float
    """By the server's clock."""


class ContainerDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A container with the engine's whole inspect document."""

    container: Container
    inspect: dict[str, Any]


class ContainerSample(msgspec.Struct, frozen=True, array_like=True):
    """One look at a running container."""

    cpu: float
    memory: int
    """As Docker counts it: usage less inactive page cache."""
    memory_limit: int
    """0 when there is none."""
    net_rx: float
    net_tx: float
    block_read: float | None
    """None where the kernel does not say (cgroup v1 does not attribute buffered writes)."""
    block_write: float | None
    pids: int
    source: Literal["cgroup", "api"] = "cgroup"


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's ``top`` of one container."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Series out of the agent's rings, oldest first, all of one length and step."""

    step: float
    end: float
    """Time of the newest value."""
    series: dict[str, list[float | None]]
    """By name: ``cpu memory net_rx net_tx disk_read disk_write`` of a host,
    ``cpu memory net_rx net_tx block_read block_write pids`` of a container. None where nothing was seen."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image the engine has."""

    id: str
    tags: tuple[str, ...]
    size: int
    created: float


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network the engine has."""

    id: str
    name: str
    driver: str
