"""A small fleet for screens: three servers, some containers, all as it was at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent import __version__
from komodo_agent.wire.feed import Snapshot
from komodo_agent.wire.models import (
    Container,
    ContainerDetail,
    ContainerSample,
    Engine,
    Filesystem,
    History,
    Host,
    HostSample,
    Image,
    Network,
    Port,
    Pressure,
    ProcessTable,
)
from komodo_agent.wire.past import Past, PastEvents
from komodo_agent.wire.protocol import Hello
from komodo_tui.domain.errors import HostUnreachableError, NotFoundError
from komodo_tui.domain.operations import ActionRecord, StepResult
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.planner import Planner, check_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Actor, Operation, Plan
    from komodo_tui.domain.settings import Settings
    from komodo_tui.fleet.live import FleetState
    from tests.ui.still import StillRuntime

NOW = 1_780_000_000.0
"""When all screens are."""
MIB = 1 << 20
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"


def container(name: str, number: int, **fields: Any) -> Container:
    """A running container, three days old."""
    plain = Container(
        id=f"{number:064x}", name=name, image="busybox:1.36", command="sleep 1d", state="running",
        created=NOW - 90_000, started=NOW - 3 * 86400, networks=("bridge",), log_driver="json-file",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


CONTAINERS = {
    "web-01": (
        container("api-1", 1, image="shop/api:1.9", labels={_PROJECT: "shop", _SERVICE: "api"}, health="healthy",
                  ports=(Port(private=80, public=8080, ip="0.0.0.0"),)),
        container("worker-2", 2, image="shop/wrk:1.9", labels={_PROJECT: "shop", _SERVICE: "worker"}, restarts=2),
        container("migrate", 3, image="shop/api:1.9", state="exited", exit_code=0, started=NOW - 7200,
                  finished=NOW - 7100, labels={_PROJECT: "shop", _SERVICE: "migrate"}),
        container("[bold red]evil[/] :smile:", 4, image="evil/[blink]x", labels={"[red]k": "[/red]"}),
    ),
    "db-01": (
        container("redis", 5, image="redis:7", labels={_PROJECT: "cache", _SERVICE: "redis"}, health="unhealthy"),
        container("pg", 6, image="postgres:16", state="paused"),
        container("backup", 7, image="backup:2", state="exited", exit_code=137, oom_killed=True,
                  finished=NOW - 86400),
    ),
    "edge-03": (container("proxy", 8, image="caddy:2", ports=(Port(private=443, public=443),)),),
}  # fmt: skip


def sample(cpu: float, memory: int, net: float = 0.0, limit: int = 0) -> ContainerSample:
    """Figures of one container."""
    return ContainerSample(cpu, memory * MIB, limit * MIB, net, 2 * net, 0.0, 4096.0, 7)


SAMPLES = {
    "web-01": {f"{1:064x}": sample(41.2, 312, 1e6, 512), f"{2:064x}": sample(22.0, 210, 8e3),
               f"{4:064x}": sample(0.0, 1)},
    "db-01": {f"{5:064x}": sample(3.1, 88, 2e3, 96), f"{6:064x}": sample(0.0, 700)},
    "edge-03": {},
}  # fmt: skip


def host_sample(cpu: float, memory: float) -> HostSample:
    """Figures of one host of four cores; ``memory`` in percent of 32 GiB."""
    return HostSample(
        at=NOW, cpu=cpu, cores=(cpu, cpu / 2, cpu, 0.0), load=(cpu / 25, 1.0, 0.5), memory_total=32 << 30,
        memory_used=int(memory / 100 * (32 << 30)), memory_cached=1 << 30, swap_total=2 << 30, swap_used=0,
        net_rx=1.2e6, net_tx=8e4, disk_read=0.0, disk_write=4096.0, pressure=Pressure(1.0, 0.0, 0.0, 2.0, 0.0),
    )  # fmt: skip


def snapshot(server: str, cpu: float, memory: float) -> Snapshot:
    """All that an agent says at first."""
    return Snapshot(
        at=NOW,
        host=Host(hostname=server, os="Debian 13", kernel="6.12", arch="x86_64", cores=4, memory=32 << 30,
                  booted=NOW - 41 * 86400),
        engine=Engine(status="up", version="27.3.1", api_version="1.47", socket="/var/run/docker.sock",
                      cgroup="v2 systemd"),
        containers=CONTAINERS[server],
        filesystems=(Filesystem(path="/", device="/dev/sda1", kind="ext4", total=100 << 30, used=48 << 30,
                                available=52 << 30),
                     Filesystem(path="/var", device="/dev/sdb1", kind="ext4", total=200 << 30, used=142 << 30,
                                available=58 << 30)),
        sample=host_sample(cpu, memory),
        samples=SAMPLES[server],
    )  # fmt: skip


def fill(state: FleetState) -> None:
    """web-01 is well, db-01 strained, edge-03 was seen four minutes ago."""
    for name, cpu, memory, tags in (
        ("web-01", 23.0, 61.0, ("prod",)),
        ("db-01", 91.0, 88.0, ("prod", "db")),
        ("edge-03", 5.0, 20.0, ()),
    ):
        state.define(ServerDefinition(name=name, address=f"deploy@{name}.example", tags=tags))
        state.set_hello(
            name,
            Hello(
                version=__version__,
                protocol=1,
                protocol_min=1,
                instance="1",
                host_id=name,
                hostname=name,
                boot_id="1",
                python="3.13",
                uid=1000,
                caller_uid=1000,
            ),
        )
        state.set_status(name, "up")
        state.apply(name, [snapshot(name, cpu, memory)])
        state.servers[name].seen = state.servers[name].since = NOW
        state.set_latency(name, 0.018)  # fmt: skip
    error = HostUnreachableError("edge-03.example does not answer on port 22", hint="is it on?", server="edge-03")
    state.set_status("edge-03", "unreachable", error)
    edge = state.servers["edge-03"]
    edge.seen = edge.since = NOW - 240


class StillClient:
    """Answers what a page asks of an agent, always the same."""

    def __init__(self, state: FleetState, server: str) -> None:
        self._state = state
        self._server = server

    async def container(self, container_id: str) -> ContainerDetail:
        """Inspect, with a secret in the environment and a health check."""
        found = self._state.servers[self._server].containers[container_id]
        inspect = {
            "Id": found.id,
            "Config": {
                "Env": ["COLOR=[red]blue[/red]", "DB_PASSWORD=hunter2"],
                "Healthcheck": {"Test": ["CMD-SHELL", "wget -q localhost"]},
            },
            "State": {"Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [
                {"Start": "2026-05-28T20:26:40Z", "ExitCode": 1, "Output": "wget: [bold]refused[/bold]"}]}},
            "HostConfig": {"Memory": 512 * MIB, "Privileged": True},
            "Mounts": [{"Type": "volume", "Name": "data", "Destination": "/data", "RW": True}],
            "NetworkSettings": {"Networks": {"shop_default": {"IPAddress": "172.18.0.2", "Aliases": ["api"]}}},
            "LogPath": "/var/lib/docker/containers/x-json.log",
        }  # fmt: skip
        return ContainerDetail(container=found, inspect=inspect)

    async def container_top(self, container_id: str) -> ProcessTable:
        """Two processes."""
        titles = ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
        rows = (
            ("root", "100", "1", "0", "20:26", "?", "00:00:01", "nginx: master"),
            ("www", "101", "100", "0", "20:26", "?", "00:01:00", "nginx: worker [bold]"),
        )
        return ProcessTable(titles=titles, rows=rows)

    async def container_history(self, container_id: str, window: float) -> History:
        """A saw."""
        values: list[float | None] = [float(n % 20) for n in range(90)]
        names = ("cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids")
        return History(step=10.0, end=NOW, series={name: list(values) for name in names})

    async def host_history(self, window: float) -> History:
        """A saw."""
        values: list[float | None] = [float(n % 60) for n in range(90)]
        names = ("cpu", "memory", "net_rx", "net_tx", "disk_read", "disk_write")
        return History(step=10.0, end=NOW, series={name: list(values) for name in names})

    async def logs(self, request: object) -> None:
        """There are none."""
        raise NotFoundError("no logs here")

    async def images(self) -> list[Image]:
        """Two."""
        return [Image(id=f"sha256:{n}", tags=(tag,), size=MIB, created=NOW) for n, tag in enumerate(("a:1", "redis:7"))]

    async def networks(self) -> list[Network]:
        """The default one."""
        return [Network(id="n1", name="bridge", driver="bridge")]

    async def past(self, start: float, end: float, *, subject: str = "host", points: int = 600) -> Past:
        """An hour in which the memory grows; nothing of anything but hosts."""
        if subject != "host":
            raise NotFoundError(f"nothing is kept of {subject}")
        return Past(subject=subject, step=60.0, start=start, series={"memory": [n * 2.0**29 for n in range(60)]})

    async def past_events(self, start: float, end: float, limit: int = 1000) -> PastEvents:
        """There are none."""
        return PastEvents(events=(), since=start)


class StillLink:
    """One server, as pages see it."""

    def __init__(self, state: FleetState, name: str) -> None:
        self._client = StillClient(state, name)
        self.feeds: list[dict[str, Any]] = []

    async def client(self, timeout: float = 0.0) -> StillClient:
        """At once."""
        return self._client

    def set_feed(self, **wanted: Any) -> None:
        """Only noted."""
        self.feeds.append(wanted)


@dataclass
class StillExecutor:
    """Plans as the real one does; what is submitted is only noted, and succeeds."""

    state: FleetState
    settings: Settings
    done: list[Operation] = field(default_factory=list)
    procedures: Any = None
    alerts: Any = None
    alerting: Any = None

    def plan(self, operation: Operation) -> Plan:
        """A real plan."""
        planner = Planner(
            self.state, dict, self.settings, procedures=self.procedures, alerts=self.alerts, alerting=self.alerting
        )
        return planner.plan(operation)

    async def submit(
        self, plan: Plan, actor: Actor, *, given: bool | str, progress: Callable[..., None], act_id: str = ""
    ) -> ActionRecord:
        """Notes the operation."""
        check_given(plan, given)
        self.done.append(plan.operation)
        steps = tuple(StepResult(target=step.target, ok=True) for step in plan.steps)
        return ActionRecord(
            id=act_id or "1", seq=1, started=NOW, ended=NOW + 1, actor=actor, act=plan.verb, outcome="success",
            title=plan.title, targets=tuple(step.target for step in plan.steps), steps=steps,
        )  # fmt: skip

    async def cancel(self, act_id: str) -> None:
        """Nothing runs."""


def furnish(runtime: StillRuntime) -> StillExecutor:
    """Give a still runtime the fleet, links and an executor."""
    fill(runtime.fleet.state)
    links = {name: StillLink(runtime.fleet.state, name) for name in runtime.fleet.state.servers}
    runtime.fleet.link = links.__getitem__
    executor = StillExecutor(runtime.fleet.state, runtime.settings)
    runtime.executor = executor
    return executor
