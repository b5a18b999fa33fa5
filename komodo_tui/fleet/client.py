"""The agent's API as methods. All text that comes out of here has been cleaned; log and terminal bytes have not.

Every call raises :class:`~komodo_tui.domain.errors.KomodoError` and nothing else: an ``UnreachableError`` when the
agent cannot be asked, another one when it refused.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from komodo_agent.wire import protocol
from komodo_agent.wire.feed import MAX_FRAME
from komodo_agent.wire.jobs import Job, JobRequest, JobStatus
from komodo_agent.wire.models import Container, ContainerDetail, Image, Network, ProcessTable
from komodo_agent.wire.protocol import Hello
from komodo_tui.domain.errors import (
    ActError,
    AgentMismatchError,
    AgentTimeoutError,
    EngineError,
    HostUnreachableError,
    KomodoError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from komodo_tui.domain.text import clean
from komodo_tui.fleet.cleaning import clean_value
from komodo_tui.fleet.compose_calls import ComposeCalls
from komodo_tui.fleet.connector import CONNECT_TIMEOUT, LIVE, LOGS, PING, RPC, SHELL, AgentConnector
from komodo_tui.fleet.past_calls import PastCalls
from komodo_tui.fleet.plain_http import aiohttp
from komodo_tui.fleet.repo_calls import RepoCalls
from komodo_tui.fleet.resource_calls import ResourceCalls
from komodo_tui.fleet.ship_calls import ShipCalls
from komodo_tui.fleet.streams import ExecSession, Feed, LogStream
from komodo_tui.fleet.terminal_calls import TerminalCalls
from komodo_tui.fleet.update_calls import UpdateCalls
from komodo_tui.fleet.volume_calls import VolumeCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from komodo_agent.wire.exec import ExecRequest
    from komodo_agent.wire.feed import FeedRequest
    from komodo_agent.wire.logs import LogRequest

T = TypeVar("T")

CALL_TIMEOUT = 10.0
"""Seconds a call may take; those that wait by nature get their waiting time on top."""
JOB_TIMEOUT = 30.0
_BODY_LIMIT = 8 << 20
_MESSAGE_LIMIT = 2000
_CLOSE_TIMEOUT = 2.0
_PROBLEMS: dict[str, type[KomodoError]] = {
    "not_found": NotFoundError,
    "engine_unavailable": EngineError,
    "engine": EngineError,
    "forbidden": RefusedError,
    "bad_request": UsageError,
}
_STATUSES = frozenset({"queued", "running", "succeeded", "failed", "cancelled"})


class AgentClient(
    ResourceCalls, ComposeCalls, VolumeCalls, TerminalCalls, ShipCalls, RepoCalls, PastCalls, UpdateCalls
):
    """Talks to the agent of one server over one tunnel. When the tunnel goes, a new client takes its place."""

    def __init__(self, server: str, connector: AgentConnector) -> None:
        """``server`` is its name in messages. Needs a running event loop."""
        self.server = server
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            auto_decompress=False,  # a compressed body would be inflated without any limit
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

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
        await self._call("DELETE", _path(protocol.ROUTE_JOB, job_id))

    async def job_log(self, job_id: str, offset: int, wait: float = 0.0) -> tuple[bytes, JobStatus]:
        """What the job has written from ``offset`` bytes on, and its status then.

        Waits up to ``wait`` seconds for more while the job runs; the bytes are not cleaned.
        """
        parameters = {"offset": str(offset), "wait": f"{wait:g}"}
        path = _path(protocol.ROUTE_JOB_LOG, job_id)
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

    async def _get(
        self,
        route: str,
        kind: type[T],
        parameters: dict[str, str] | None = None,
        *,
        id: str = "",
        timeout: float = CALL_TIMEOUT,
    ) -> T:
        body, _ = await self._call("GET", _path(route, id), parameters, timeout=timeout)
        return self._decode(body, kind)

    def _decode(self, body: bytes, kind: type[T]) -> T:
        try:
            return clean_value(msgspec.json.decode(body, type=kind))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._stranger() from error

    async def _call(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        *,
        body: bytes | None = None,
        kind: str = RPC,
        timeout: float = CALL_TIMEOUT,
    ) -> tuple[bytes, Mapping[str, str]]:
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        headers = {"Content-Type": "application/json"} if body is not None else None
        async with (
            self._translated(),
            self._session.request(
                method, f"http://{kind}{path}", params=parameters, data=body, headers=headers,
                timeout=limits, allow_redirects=False,
            ) as response,
        ):  # fmt: skip
            data = await self._read(response)
            if response.status >= 300:
                raise self._refusal(response.status, data)
            return data, response.headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > _BODY_LIMIT:
                raise ActError(f"the agent's answer is larger than {_BODY_LIMIT >> 20} MiB", server=self.server)
            parts.append(part)
        return b"".join(parts)

    async def _stream(self, path: str, kind: str) -> aiohttp.ClientWebSocketResponse:
        async with self._translated(), asyncio.timeout(CALL_TIMEOUT):
            # No heartbeat: behind unread data its answer would come too late and end a stream that is well.
            return await self._session.ws_connect(
                f"http://{kind}{path}",
                compress=0,
                max_msg_size=MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT),
            )

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """The one place where aiohttp's errors become ours."""
        try:
            yield
        except TimeoutError as error:
            hint = "it is frozen, or the server is overloaded"
            raise AgentTimeoutError("the agent does not answer in time", hint=hint, server=self.server) from error
        except aiohttp.WSServerHandshakeError as error:
            raise self._refusal(error.status, b"") from error
        except aiohttp.ClientResponseError as error:
            raise self._stranger() from error
        except (aiohttp.ClientError, OSError) as error:
            raise HostUnreachableError("the connection to the agent was lost", server=self.server) from error
        except KomodoError as error:
            error.server = error.server or self.server
            raise

    def _refusal(self, status: int, body: bytes) -> KomodoError:
        try:
            problem = msgspec.json.decode(body, type=protocol.Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if status == 404:
                return NotFoundError("the agent knows no such thing", server=self.server)
            return ActError(f"the agent refused (HTTP {status})", server=self.server)
        kind = _PROBLEMS.get(problem.code, ActError)
        message = clean(problem.message, keep_newlines=True)[:_MESSAGE_LIMIT]
        return kind(message, hint=clean(problem.hint)[:_MESSAGE_LIMIT], server=self.server)

    def _stranger(self) -> AgentMismatchError:
        return AgentMismatchError(
            "what answers on the agent's socket is no komodo-agent, or speaks another language",
            hint="install the agent again, or name its socket in the server's definition (agent_socket)",
            server=self.server,
        )


def _path(route: str, id: str) -> str:
    return route.format(id=quote(id, safe=""))


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
