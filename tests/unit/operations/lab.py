"""An executor over real stores, real locks and the agent's real job manager; the wire between is cut short."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.jobs import JobManager
from komodo_agent.problems import AgentError
from komodo_agent.wire.feed import Snapshot
from komodo_agent.wire.models import Container, ContainerDetail, Engine, Host
from komodo_tui.domain.errors import HostUnreachableError, NotFoundError
from komodo_tui.domain.operations import Actor, ContainerOperation, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations.definitions import ServerDefinitions
from komodo_tui.operations.executor import Executor
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.history import History

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from komodo_agent.jobs import JobContext
    from komodo_agent.wire.jobs import ContainerVerb, Job, JobRequest, JobSpec, JobStatus
    from komodo_agent.wire.repos import RepoSource

ACTOR = Actor(name="ana", ssh_client="10.0.0.9", via="cli")


def container(name: str, number: int = 1, **fields: object) -> Container:
    """A running container with a full id."""
    plain = Container(id=f"{number:064x}", name=name, image="busybox", state="running", started=time.time() - 90)
    return msgspec.structs.replace(plain, **fields)


class LabServer:
    """One server: its containers, the real job manager of its agent, and a line that can be cut."""

    def __init__(self, folder: Path) -> None:
        self.containers: dict[str, Container] = {}
        self.ran: list[JobSpec] = []
        self.gate = asyncio.Event()
        """Jobs wait for it."""
        self.gate.set()
        self.away = False
        self.broken: dict[str, str] = {}
        """Container id -> the error its job ends with."""
        self.jobs = JobManager(folder, self._work, lambda job: None)

    async def _work(self, context: JobContext, spec: JobSpec) -> None:
        self.ran.append(spec)
        context.command(f"docker {type(spec).__name__}")
        await self.gate.wait()
        problem = self.broken.get(getattr(spec, "container", ""))
        if problem:
            raise AgentError("failed", problem)

    # what the executor sees of it

    async def client(self, timeout: float = 0.0) -> LabServer:
        self._check()
        return self

    async def submit(self, request: JobRequest) -> Job:
        self._check()
        return (await self.jobs.submit(request, kind="container", target="x", uid=0))[0]

    async def job(self, job_id: str) -> Job:
        self._check()
        try:
            return self.jobs.get(job_id)
        except AgentError as error:
            raise NotFoundError(str(error)) from error

    async def job_log(self, job_id: str, offset: int, wait: float) -> tuple[bytes, JobStatus]:
        self._check()
        try:
            data, job, _ = await self.jobs.read_log(job_id, offset, wait)
        except AgentError as error:
            raise NotFoundError(str(error)) from error
        self._check()
        return data, job.status

    async def cancel_job(self, job_id: str) -> None:
        self._check()
        self.jobs.cancel(job_id)

    async def container(self, container_id: str) -> ContainerDetail:
        self._check()
        return ContainerDetail(container=self.containers[container_id], inspect={})

    def lending(self, source: RepoSource | None) -> AbstractAsyncContextManager[None]:
        assert source is None
        return nullcontext()

    def _check(self) -> None:
        if self.away:
            raise HostUnreachableError("connection lost")


class LabFleet:
    """The servers of a lab."""

    def __init__(self) -> None:
        self.state = FleetState()
        self.servers: dict[str, LabServer] = {}

    def link(self, name: str) -> LabServer:
        try:
            return self.servers[name]
        except KeyError:
            raise NotFoundError(f"there is no server {name!r}") from None

    async def add(self, definition: ServerDefinition) -> None:
        self.state.define(definition)

    async def update(self, definition: ServerDefinition) -> None:
        self.state.define(definition)

    async def remove(self, name: str) -> None:
        self.state.forget(name)


class Lab:
    """A state directory with two servers; :meth:`process` gives executors that share it, as processes would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fleet = LabFleet()
        self.history = History(folder / "history")
        self.store = DefinitionStore(folder / "definitions.json")
        self.definitions = ServerDefinitions(self.store)
        self._executors: list[Executor] = []

    async def open(self) -> None:
        for name, tags in (("web-1", ("lab",)), ("db-1", ("prod",))):
            await self.add_server(name, tags)

    async def add_server(self, name: str, tags: tuple[str, ...] = ()) -> LabServer:
        definition = ServerDefinition(name=name, address=f"root@{name}", tags=tags)
        await self.definitions.add(definition)
        self.fleet.state.define(definition)
        self.fleet.state.set_status(name, "up")
        server = self.fleet.servers[name] = LabServer(self.folder / "agents" / name)
        await server.jobs.open()
        return server

    def has(self, server: str, *containers: Container) -> None:
        """These are the containers of a server from now on."""
        self.fleet.servers[server].containers = {c.id: c for c in containers}
        self.fleet.state.apply(
            server,
            [
                Snapshot(
                    at=time.time(),
                    engine=Engine(status="up"),
                    containers=containers,
                    filesystems=(),
                    host=Host(hostname=server, os="", kernel="", arch="", cores=1, memory=1, booted=1.0),
                )
            ],
        )

    def process(self, settings: Settings | None = None) -> Executor:
        """The executor of one more process."""
        executor = Executor(
            self.fleet,  # type: ignore[arg-type]
            self.history,
            self.definitions,
            settings or Settings(),
            TargetLocks(self.folder / "locks"),
        )
        self._executors.append(executor)
        return executor

    async def close(self) -> None:
        for executor in self._executors:
            await executor.close()
        for server in self.fleet.servers.values():
            server.gate.set()
            await server.jobs.close(1.0)
        self.history.close()
        self.store.close()


def operation(verb: ContainerVerb, *targets: tuple[str, Container], **options: object) -> ContainerOperation:
    """One verb on some containers, given as (server, container)."""
    chosen = tuple(Target(server=server, name=c.name, id=c.id) for server, c in targets)
    plain = ContainerOperation(verb=verb, targets=chosen)
    return msgspec.structs.replace(plain, **options)


async def until(condition: Callable[[], bool | Awaitable[bool]], timeout: float = 5.0) -> None:
    """Wait until it holds; a TimeoutError when it never does."""
    async with asyncio.timeout(timeout):
        while True:
            value = condition()
            if value if isinstance(value, bool) else await value:
                return
            await asyncio.sleep(0.005)
