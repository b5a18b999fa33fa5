"""The agent as a whole: its parts, the order they start and stop in, and its HTTP server."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from .access import door, must_upgrade
from .builds.work import Builds
from .compose import work as compose
from .compose.deploy import Host
from .compose.found import FoundFolders
from .engine.address import find_address
from .engine.client import Engine
from .engine.stats import EngineStats
from .engine.tracker import Tracker
from .engine.updates import UpdateChecks
from .engine.work import describe, run_job
from .feed import Hub
from .hello import hello
from .jobs import JobContext, JobManager
from .metrics.containers import ContainerMetrics
from .metrics.facts import host_facts
from .past.archive import Archive
from .peer import AllowList
from .problems import AgentError
from .repos.clones import Clones, usual_roots
from .routes import Routes
from .sampling import Sampler
from .ship.spool import Spool
from .terminals.registry import Terminals
from .wire.builds import BuildJob
from .wire.jobs import ComposeJob
from .wire.models import Oom
from .wire.protocol import CLOSE_STOPPING
from .wire.repos import RepoJob

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

    from .engine.events import Happening
    from .wire.jobs import Job, JobRequest, JobSpec
    from .wire.models import Container
    from .wire.models import Engine as EngineState

_log = logging.getLogger(__name__)

_KEEPALIVE = 90.0
"""Seconds an idle connection is kept: longer than the client keeps it, so that the client is the one who closes."""
_BODY_LIMIT = 1 << 20
_STREAM_MESSAGE_LIMIT = 1 << 20
_STREAMS = 256
"""Log views and shells at once."""
_SETTLE = 0.5
"""Seconds a feed waits for the engine's first answer, so that its snapshot is worth something."""
_GRACE = 5.0
"""Seconds that running jobs and open streams get when the agent stops."""


@dataclass(frozen=True)
class ServeOptions:
    """What ``serve`` was told."""

    state: Path
    docker_host: str = ""
    allow_uids: frozenset[int] = frozenset()
    group: int | None = None
    idle_exit: float = 0.0
    """Seconds without a connection after which the agent ends; 0 = never."""


class Agent:
    """Everything one agent process is made of."""

    def __init__(self, options: ServeOptions) -> None:
        self.engine = Engine(find_address(options.docker_host))
        self.sampler = Sampler(ContainerMetrics(EngineStats(self.engine)))
        self.jobs = JobManager(options.state / "jobs", self._run_job, self._job_changed)
        self.compose = Host(self.engine, options.state / "stacks", FoundFolders())
        self.clones = Clones(options.state / "repos")
        self.builds = Builds(self.engine, options.state / "builds", usual_roots())
        self.spool = Spool(options.state / "spool")
        self.updates = UpdateChecks(self.engine, options.state / "updates.json")
        self.terminals = Terminals(self.engine)
        self.hub = Hub(self.engine, self.sampler, host_facts(), self.jobs.recent)
        self.past = Archive(options.state / "past")
        self.hub.on_sample = self._remember
        self.engine.on_status = self._engine_changed
        self.tracker = Tracker(self.engine, self._containers_changed, self._happened)
        self.hello = hello(options.state)
        self._streams: set[web.WebSocketResponse] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._looking: asyncio.Task[None] | None = None
        self.failed = asyncio.Event()
        """Set when a part that must run has ended: the agent is of no use any more."""

    async def start(self) -> None:
        """Begin to follow the engine and to sample.

        Raises:
            OSError: the state folder cannot be used.
        """
        self._tasks = [asyncio.create_task(part.run()) for part in (self.tracker, self.hub, self.past)]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        await asyncio.to_thread(self.spool.open)
        await self.jobs.open()
        await self.builds.open()

    async def settled(self) -> None:
        """Wait a little for what the engine has, at the start."""
        if not self.tracker.settled.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.tracker.settled.wait(), _SETTLE)

    async def submit(self, request: JobRequest, uid: int) -> tuple[Job, bool]:
        """Start a job for this user, or find the one that has its id."""
        spec = request.spec
        if isinstance(spec, RepoJob):
            kind, target = f"repo {spec.verb}", spec.name
        elif isinstance(spec, BuildJob):
            kind, target = "build", spec.name
        else:
            kind, target = compose.describe(spec) if isinstance(spec, ComposeJob) else describe(self.engine, spec)
        return await self.jobs.submit(request, kind=kind, target=target, uid=uid)

    @asynccontextmanager
    async def stream(self, request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
        """A bulk WebSocket. Without a heartbeat: one whose reader pauses must not be taken for dead."""
        must_upgrade(request)
        if len(self._streams) >= _STREAMS:
            raise AgentError("failed", f"the agent has {_STREAMS} streams open", hint="close some", retryable=True)
        await self.settled()
        socket = web.WebSocketResponse(compress=False, max_msg_size=_STREAM_MESSAGE_LIMIT)
        await socket.prepare(request)
        self._streams.add(socket)
        try:
            yield socket
        finally:
            self._streams.discard(socket)
            await socket.close()

    async def stop(self) -> None:
        """Take no more: jobs get a moment to end, clients a reason. Their handlers then end what they started."""
        await self.jobs.close(_GRACE)
        await self.hub.close()
        await self.terminals.close()
        closing = [socket.close(code=CLOSE_STOPPING, message=b"the agent is stopping") for socket in self._streams]
        await asyncio.gather(*closing, return_exceptions=True)

    async def close(self) -> None:
        """Give everything up, once no handler runs any more."""
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.past.close()
        await self.sampler.close()
        await self.engine.close()

    async def _run_job(self, context: JobContext, spec: JobSpec) -> None:
        if isinstance(spec, RepoJob):
            await self.clones.run(context, spec)
            return
        await self.settled()
        if isinstance(spec, BuildJob):
            await self.builds.run(context, spec)
        elif isinstance(spec, ComposeJob):
            await compose.run(self.compose, context, spec)
        else:
            await run_job(self.engine, context, spec)

    def _engine_changed(self, engine: EngineState) -> None:
        self.hub.engine_changed(engine)
        if engine.status == "up" and not engine.builder:
            self._looking = asyncio.create_task(self.builds.look(), name="look for a builder")
        if engine.status != "starting":
            self.past.engine_changed(engine.status == "up", engine.message)

    def _containers_changed(self, changed: tuple[Container, ...], removed: tuple[str, ...]) -> None:
        self.hub.containers_changed(changed, removed)
        self.past.containers_changed(changed, removed)

    def _happened(self, happening: Happening) -> None:
        if happening.kind == "oom":
            self.hub.oom(Oom(id=happening.id, container=happening.container, at=happening.at))
        self.past.happened(happening)

    def _remember(self) -> None:
        """Let the past have the sample just taken."""
        if self.sampler.host is not None:
            named = self.engine.containers
            seen = {named[cid].name: sample for cid, sample in self.sampler.containers.items() if cid in named}
            self.past.look(self.sampler.host, self.sampler.filesystems, seen)

    def _job_changed(self, job: Job) -> None:
        self.hub.job_changed(job)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            _log.critical("a part of the agent failed; the agent ends", exc_info=task.exception())
            self.failed.set()


def serve(sock: socket.socket, options: ServeOptions) -> int:
    """Serve on a listening socket until SIGTERM or SIGINT, or until idle; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    _raise_descriptor_limit()
    # What the imports made stays for good: keep the collector from walking it again and again.
    gc.freeze()
    gc.enable()
    return asyncio.run(_serve(sock, options))


async def _serve(sock: socket.socket, options: ServeOptions) -> int:
    agent = Agent(options)
    app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[door(AllowList(options.allow_uids, options.group))])
    Routes(agent).add_to(app)
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=_KEEPALIVE, auto_decompress=False, shutdown_timeout=_GRACE
    )
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await agent.start()
        await runner.setup()
        await web.SockSite(runner, sock).start()
        await _until_done(agent, runner, stopping, options.idle_exit)
    except OSError as error:
        _log.critical("cannot use %s: %s", options.state, error.strerror or error)
        return 1
    finally:
        await agent.stop()
        await runner.cleanup()
        await agent.close()
    return 1 if agent.failed.is_set() else 0


async def _until_done(agent: Agent, runner: web.AppRunner, stopping: asyncio.Event, idle_exit: float) -> None:
    """Return when told to stop, when a part failed, or when nobody was connected for ``idle_exit`` seconds."""
    ends: set[asyncio.Future[object]] = {
        asyncio.ensure_future(stopping.wait()),
        asyncio.ensure_future(agent.failed.wait()),
    }
    if idle_exit > 0:
        ends.add(asyncio.ensure_future(_until_idle(agent, runner, idle_exit)))
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


async def _until_idle(agent: Agent, runner: web.AppRunner, seconds: float) -> None:
    last = time.monotonic()
    while time.monotonic() - last < seconds:
        await asyncio.sleep(min(1.0, seconds / 4))
        server = runner.server
        if agent.jobs.busy() or agent.terminals.busy() or (server is not None and server.connections):
            last = time.monotonic()


def _raise_descriptor_limit() -> None:
    """Seven descriptors a container: 150 of them are more than the usual limit of 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
