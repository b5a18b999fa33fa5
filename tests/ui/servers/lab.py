"""A fleet that stands still: servers in every state, at a fixed time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from komodo_agent.wire.models import (
    Container,
    ContainerSample,
    Device,
    Engine,
    Filesystem,
    History,
    Host,
    HostSample,
    Pressure,
    Process,
)
from komodo_agent.wire.past import Past, PastEvents
from komodo_agent.wire.protocol import Hello
from komodo_tui.domain.errors import (
    AgentMissingError,
    AuthenticationError,
    HostKeyChangedError,
    HostKeyUnknownError,
    HostUnreachableError,
    NotFoundError,
)
from komodo_tui.domain.operations import ActionRecord, Actor, Plan, PlanStep, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.changes import FleetEvent
from komodo_tui.ui.app import KomodoApp
from tests.ui.still import StillFleet, StillRuntime, still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.operations import Operation
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import FleetState, ServerLive, ServerStatus

NOW = 1_800_000_000.0
GIB = 1 << 30
PATIENCE = 60.0
"""Seconds to wait for anything. No figure: only the end of the wait for what does not come."""


@dataclass
class StillClient:
    """An agent that remembers a wave."""

    async def past_events(self, start: float, end: float, limit: int = 1000) -> PastEvents:
        """There are none."""
        return PastEvents(events=(), since=start)

    async def past(self, start: float, end: float, *, subject: str = "host", points: int = 600) -> Past:
        """Nothing was seen."""
        return Past(subject=subject, step=60.0, start=start, series={})

    async def host_history(self, window: float) -> History:
        """Sixty values."""
        wave = [20.0 + 15 * ((n % 12) / 12) for n in range(60)]
        series: dict[str, Any] = {"cpu": wave, "net_rx": [v * 5000 for v in wave], "net_tx": [v * 900 for v in wave]}
        series["memory"] = [v * GIB / 3 for v in wave]
        series["disk_read"] = [v * 100 for v in wave]
        series["disk_write"] = [v * 4000 for v in wave]
        return History(step=window / 60, end=NOW, series=series)


@dataclass
class StillLink:
    """What a page asks of a server."""

    feed: dict[str, bool] = field(default_factory=dict)

    async def client(self, timeout: float = 10.0) -> StillClient:
        """At once."""
        return StillClient()

    def set_feed(self, **wanted: bool) -> None:
        """Only noted."""
        self.feed.update(wanted)

    async def probe(self) -> Any:
        """Nobody answers."""
        raise HostUnreachableError("not now")


@dataclass
class FleetLab(StillFleet):
    """With links and hosts of an SSH configuration."""

    links: dict[str, StillLink] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)

    def link(self, name: str) -> StillLink:
        """As the manager does."""
        if name not in self.state.servers:
            raise NotFoundError(f"there is no server {name!r}")
        return self.links.setdefault(name, StillLink())

    def ssh_hosts(self) -> list[str]:
        """Those given."""
        return self.hosts


@dataclass
class DefinitionsLab:
    """Reads the state's definitions."""

    state: FleetState

    def known(self) -> dict[str, ServerDefinition]:
        """By name."""
        return {name: live.definition for name, live in self.state.servers.items()}

    def revision(self, name: str) -> int | None:
        """Always the same."""
        return 3


@dataclass
class ExecutorLab:
    """Plans with one step, and does what is asked by noting it."""

    confirm: Any = "yes"
    done: list[tuple[Operation, bool | str]] = field(default_factory=list)

    def plan(self, operation: Any) -> Plan:
        """One step."""
        step = PlanStep(target=Target(server=operation.server), text=f"{operation.verb} {operation.server}")
        return Plan(
            operation=operation, title=f"{operation.verb}: server {operation.server}", verb=operation.verb,
            steps=(step,), confirm=self.confirm,
        )  # fmt: skip

    async def submit(
        self, plan: Plan, actor: Actor, *, given: str | bool = False, progress: Any = None, act_id: str = ""
    ) -> ActionRecord:
        """Done at once."""
        self.done.append((plan.operation, given))
        return ActionRecord(
            id="1", seq=1, started=NOW, ended=NOW + 1, actor=actor, act=plan.verb, outcome="success", title=plan.title
        )

    async def cancel(self, act: str) -> None:
        """Nothing runs."""


def sample(cpu: float = 23.0, memory: float = 0.4) -> HostSample:
    """One look at a host of eight cores and 32 GiB."""
    return HostSample(
        at=NOW, cpu=cpu, cores=tuple(cpu * share for share in (0.2, 0.5, 1, 1, 1.1, 0.4, 0.8, 1)),
        load=(1.2, 0.9, 0.7), memory_total=32 * GIB, memory_used=int(32 * GIB * memory), memory_cached=GIB,
        swap_total=4 * GIB, swap_used=GIB // 2, net_rx=1_200_000.0, net_tx=80_000.0, disk_read=0.0,
        disk_write=4_100_000.0, pressure=Pressure(1.2, 0.0, 0.0, 22.5, 3.0),
    )  # fmt: skip


def container(name: str, number: int, **fields: Any) -> Container:
    """A running container."""
    wanted = {"id": f"{number:064x}", "name": name, "image": f"shop/{name}:1.9", "state": "running", **fields}
    return Container(**wanted)


def put_up(live: ServerLive, *, cpu: float = 23.0, memory: float = 0.4, disk: float = 0.48) -> None:
    """A healthy server with three containers."""
    live.status, live.met, live.seen, live.latency, live.since = "up", True, NOW, 0.018, NOW - 300
    live.hello = Hello(
        version="0.1.0", protocol=1, protocol_min=1, instance="i", host_id="h", hostname=live.name, boot_id="b",
        python="3.11.2", uid=0, caller_uid=0,
    )  # fmt: skip
    live.host = Host(
        hostname=live.name, os="Debian GNU/Linux 12 (bookworm)", kernel="6.1.0-18", arch="x86_64", cores=8,
        memory=32 * GIB, booted=NOW - 41 * 86400,
    )  # fmt: skip
    live.engine = Engine(
        status="up", version="27.3.1", api_version="1.47", socket="/var/run/docker.sock", cgroup="v2 systemd"
    )
    live.sample = sample(cpu, memory)
    live.cpu_history.extend([cpu * 0.6, cpu * 0.8, cpu, cpu * 0.9, cpu])
    total = 200 * GIB
    live.filesystems = (
        Filesystem(path="/", device="/dev/vda1", kind="ext4", total=total, used=int(total * disk),
                   available=int(total * (1 - disk))),
        Filesystem(path="/srv/backup", device="nas:/srv", kind="nfs4", total=total, used=total // 10,
                   available=total, stalled_since=NOW - 40),
    )  # fmt: skip
    running = [container("api", 1), container("worker", 2, health="unhealthy"), container("old", 3, state="exited")]
    live.containers = {one.id: one for one in running}
    live.samples = {
        running[0].id: ContainerSample(41.2, 312 << 20, 0, 1e6, 2e6, None, None, 12),
        running[1].id: ContainerSample(22.0, 210 << 20, 0, 8e3, 1e3, None, None, 4),
    }
    live.devices = (Device(name="vda", kind="disk", read=0.0, write=4_100_000.0),)
    live.processes = (Process(pid=812, user="postgres", cpu=9.1, memory=88 << 20, command="postgres: [writer]"),)


def put_down(live: ServerLive, status: ServerStatus, error: KomodoError, *, seen: float = 0.0) -> None:
    """A server that is not reached."""
    live.status, live.error, live.since, live.seen = status, error, NOW - 240, seen


def unknown_key() -> HostKeyUnknownError:
    """A key nobody has seen."""
    return HostKeyUnknownError(
        "the ssh-ed25519 key of new-01 (10.0.0.9:22) is not known yet: SHA256:abc", host="10.0.0.9", port=22,
        algorithm="ssh-ed25519", fingerprint="SHA256:F2ae7LcT7uR5pMxD7ctLUmfPHs8nHYqgqYPRR4ei4", key="ssh-ed25519 AAAA",
    )  # fmt: skip


def build(folder: Path, settings: Settings | None = None) -> StillRuntime:
    """A runtime with one server of each kind."""
    fleet = FleetLab(hosts=["web-01", "bastion", "staging"])
    runtime = still_runtime(folder, settings)
    runtime.fleet, runtime.servers, runtime.executor = fleet, DefinitionsLab(fleet.state), ExecutorLab()
    state = fleet.state

    def server(name: str, *tags: str) -> ServerLive:
        return state.define(ServerDefinition(name=name, address=f"{name}.example", tags=tags))

    put_up(server("web-01", "prod"))
    put_up(server("db-01", "prod"), cpu=98.0, memory=0.88)
    down = server("edge-03", "edge")
    put_up(down)
    gone = HostUnreachableError("no answer from edge-03.example:22", hint="is it on, and does a firewall let us in?")
    put_down(down, "unreachable", gone, seen=NOW - 245)
    down.latency = None
    put_down(server("new-01"), "host_key_unknown", unknown_key())
    put_down(server("bare-01"), "agent_missing", AgentMissingError(
        "the agent is not installed on bare-01", hint="komodo-tui server install-agent bare-01"))  # fmt: skip
    put_down(server("gate"), "host_key_changed", HostKeyChangedError(
        "the key of gate (10.0.0.7:22) has CHANGED: it now shows ssh-ed25519 SHA256:zzz. "
        "It was installed anew, or somebody is in between",
        hint="once you know which: ssh-keygen -f ~/.ssh/known_hosts -R 'gate', then connect again"))  # fmt: skip
    put_down(server("vault"), "auth", AuthenticationError(
        "ana@vault was not let in; it did not take ~/.ssh/id_ed25519", hint="try: ssh vault"))  # fmt: skip
    return runtime


def no_docker(live: ServerLive) -> None:
    """Its engine is not there."""
    put_up(live)
    live.engine = Engine(
        status="absent",
        message="There is no engine at /var/run/docker.sock. Install Docker, or point DOCKER_HOST at its socket.",
    )
    live.containers, live.samples = {}, {}


def happen(state: FleetState) -> None:
    """Two events, told to whoever listens."""
    from komodo_tui.fleet.live import Changes

    events = [
        FleetEvent(NOW - 60, "edge-03", "server", "no answer from edge-03.example:22"),
        FleetEvent(NOW - 30, "web-01", "container", "worker is unhealthy"),
    ]
    for subscription in state._subscriptions:
        subscription.note(Changes(servers={"edge-03", "web-01"}, events=events))


def app_of(runtime: StillRuntime) -> KomodoApp:
    """The app on the Servers tab, at the fixed time."""
    return KomodoApp(runtime, tab="servers", now=lambda: NOW)


async def until(pilot: Pilot[int], check: Callable[[], object]) -> None:
    """Let the app work until this holds; an app that ended fails the test."""
    async with asyncio.timeout(PATIENCE):
        while not check():
            assert pilot.app.is_running, "the app ended"
            await pilot.pause()
