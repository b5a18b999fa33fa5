"""The agent's API as methods. All text that comes out of here has been cleaned; log and terminal bytes have not.

Every call raises :class:`~komodo_tui.domain.errors.KomodoError` and nothing else: an ``UnreachableError`` when the
agent cannot be asked, another one when it refused.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire import protocol
from komodo_agent.wire.jobs import Job, JobRequest, JobStatus
from komodo_agent.wire.models import Container, ContainerDetail, Image, Network, ProcessTable
from komodo_agent.wire.protocol import Hello
from komodo_tui.domain.errors import (
    ActError,
    NotFoundError,
)
from komodo_tui.fleet.calls import CALL_TIMEOUT, path_of
from komodo_tui.fleet.compose_calls import ComposeCalls
from komodo_tui.fleet.connector import LIVE, LOGS, PING, SHELL
from komodo_tui.fleet.past_calls import PastCalls
from komodo_tui.fleet.repo_calls import RepoCalls
from komodo_tui.fleet.resource_calls import ResourceCalls
from komodo_tui.fleet.ship_calls import ShipCalls
from komodo_tui.fleet.streams import ExecSession, Feed, LogStream
from komodo_tui.fleet.terminal_calls import TerminalCalls
from komodo_tui.fleet.update_calls import UpdateCalls
from komodo_tui.fleet.volume_calls import VolumeCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from komodo_agent.wire.exec import ExecRequest
    from komodo_agent.wire.feed import FeedRequest
    from komodo_agent.wire.logs import LogRequest

JOB_TIMEOUT = 30.0
_STATUSES = frozenset({"queued", "running", "succeeded", "failed", "cancelled"})


class AgentClient(
    ResourceCalls, ComposeCalls, VolumeCalls, TerminalCalls, ShipCalls, RepoCalls, PastCalls, UpdateCalls
):
    """Talks to the agent of one server over one tunnel. When the tunnel goes, a new client takes its place."""

    async def close(self) -> None:
        """Close all connections; streams that are open end with an error."""
        await self._session.close()

    async def hello(self, timeout: float = CALL_TIMEOUT) -> Hello:
        """Who answers there.

        Raises:
            AgentMismatchError: it is no agent.
        """
        try:
            hello = await self._get(protocol.ROUTE_HELLO, Hello, timeout=timeout)
        except (NotFoundError, ActError) as error:
            raise self._stranger() from error
        if hello.product != "komodo-agent":
            raise self._stranger()
        return hello

    async def ping(self, timeout: float = CALL_TIMEOUT) -> float:
        """How many seconds the agent takes to answer."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        await self._call("GET", protocol.ROUTE_HEALTH, kind=PING, timeout=timeout)
        return loop.time() - start

    async def containers(self) -> list[Container]:
        """All containers of the engine."""
        return await self._get(protocol.ROUTE_CONTAINERS, list[Container])

    async def container(self, container_id: str) -> ContainerDetail:
        """One container with its inspect document."""
        return await self._get(protocol.ROUTE_CONTAINER, ContainerDetail, id=container_id)

    async def container_top(self, container_id: str) -> ProcessTable:
        """The processes inside a container."""
        return await self._get(protocol.ROUTE_CONTAINER_TOP, ProcessTable, id=container_id)

    async def images(self) -> list[Image]:
        """The images the engine has."""
        return await self._get(protocol.ROUTE_IMAGES, list[Image])

    async def networks(self) -> list[Network]:
        """The networks the engine has."""
        return await self._get(protocol.ROUTE_NETWORKS, list[Network])

    async def submit(self, request: JobRequest) -> Job:
        """Start a job; the same id again gives the job that is there."""
        body = msgspec.json.encode(request)
        answer, _ = await self._call("POST", protocol.ROUTE_JOBS, body=body, timeout=JOB_TIMEOUT)
        return self._decode(answer, Job)

    async def job(self, job_id: str) -> Job:
        """A job as it stands."""
        return await self._get(protocol.ROUTE_JOB, Job, id=job_id)

    async def cancel_job(self, job_id: str) -> None:
        """Ask a job to stop; it ends as ``cancelled`` when it does."""
        await self._call("DELETE", path_of(protocol.ROUTE_JOB, job_id))

    async def job_log(self, job_id: str, offset: int, wait: float = 0.0) -> tuple[bytes, JobStatus]:
        """What the job has written from ``offset`` bytes on, and its status then.

        Waits up to ``wait`` seconds for more while the job runs; the bytes are not cleaned.
        """
        parameters = {"offset": str(offset), "wait": f"{wait:g}"}
        path = path_of(protocol.ROUTE_JOB_LOG, job_id)
        data, headers = await self._call("GET", path, parameters, timeout=CALL_TIMEOUT + wait)
        status = headers.get("X-Job-Status", "")
        if status not in _STATUSES:
            raise self._stranger()
        return data, msgspec.convert(status, JobStatus)

    async def feed(self, request: FeedRequest) -> Feed:
        """Open the live feed."""
        feed = Feed(self.server, await self._stream(protocol.ROUTE_FEED, LIVE))
        async with _closed_on_failure(feed):
            await feed.want(request)
        return feed

    async def logs(self, request: LogRequest) -> LogStream:
        """Open the logs of some containers; close the stream when done."""
        stream = LogStream(self.server, await self._stream(protocol.ROUTE_LOGS, LOGS))
        async with _closed_on_failure(stream):
            await stream.begin(request)
        return stream

    async def exec(self, request: ExecRequest, title: str = "") -> ExecSession:
        """Run a process in a container. Waits until it runs.

        Raises:
            ActError: it could not be started.
        """
        session = ExecSession(self.server, await self._stream(protocol.ROUTE_EXEC, SHELL), title or self.server)
        async with _closed_on_failure(session):
            await session.begin(request)
        return session


@asynccontextmanager
async def _closed_on_failure(stream: Feed | LogStream | ExecSession) -> AsyncIterator[None]:
    """A stream that did not begin is closed, or it would hold its channel for ever."""
    begun = False
    try:
        yield
        begun = True
    finally:
        if not begun:
            await stream.close()
