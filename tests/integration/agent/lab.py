"""Starts the agent as a process of its own and talks to it as a client does."""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from komodo_agent.wire import feed as wire
from komodo_agent.wire.exec import ExecEvent, ExecRequest, event_decoder
from komodo_agent.wire.jobs import Job, JobRequest, JobSpec
from tests.rig.processes import stop, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

    from komodo_agent.wire.models import Container, Engine, Oom

_decode_job = msgspec.json.Decoder(Job).decode


class AgentProcess:
    """A running agent."""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
        self.process = process
        self.socket = socket
        self.log = log

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """An HTTP session whose connections are the agent's socket."""
        connector = aiohttp.UnixConnector(str(self.socket), limit=0)
        async with aiohttp.ClientSession("http://agent", connector=connector) as session:
            yield session

    @asynccontextmanager
    async def feed(self, session: aiohttp.ClientSession) -> AsyncIterator[Feed]:
        """A feed that is read as it comes."""
        async with session.ws_connect("/v1/feed", max_msg_size=wire.MAX_FRAME) as socket:
            feed = Feed(socket)
            reader = asyncio.create_task(feed.read())
            try:
                yield feed
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader

    async def run_job(self, session: aiohttp.ClientSession, spec: JobSpec, job_id: str = "") -> Job:
        """Submit a job and wait for its end."""
        wanted = JobRequest(id=job_id or str(uuid.uuid4()), spec=spec, actor="tests")
        async with session.post("/v1/jobs", data=msgspec.json.encode(wanted)) as answer:
            assert answer.status in (200, 202), await answer.text()
            job = _decode_job(await answer.read())
        offset = 0
        while not job.ended:
            async with session.get(f"/v1/jobs/{job.id}/log", params={"offset": offset, "wait": 20}) as answer:
                offset += len(await answer.read())
            job = await self.job(session, job.id)
        return job

    async def job(self, session: aiohttp.ClientSession, job_id: str) -> Job:
        """A job as it stands."""
        async with session.get(f"/v1/jobs/{job_id}") as answer:
            return _decode_job(await answer.read())

    async def job_log(self, session: aiohttp.ClientSession, job_id: str) -> str:
        """All of a job's log."""
        async with session.get(f"/v1/jobs/{job_id}/log") as answer:
            return await answer.text()


class Feed:
    """What a client knows by its feed alone."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.messages: list[wire.FeedMessage] = []
        self.containers: dict[str, Container] = {}
        self.ooms: list[Oom] = []
        self.engine: Engine | None = None
        self._changed = asyncio.Event()

    async def read(self) -> None:
        async for frame in self.socket:
            for message in wire.frame_decoder.decode(frame.data):
                self.take(message)
            self._changed.set()
        self._changed.set()

    def take(self, message: wire.FeedMessage) -> None:
        """Apply one message, as the wire format tells a client to."""
        self.messages.append(message)
        if isinstance(message, wire.Snapshot | wire.ContainersChanged):
            self.ooms += [oom for oom in message.ooms if oom not in self.ooms]
        if isinstance(message, wire.Snapshot):
            self.engine = message.engine
            self.containers = {c.id: c for c in message.containers}
        elif isinstance(message, wire.EngineChanged):
            self.engine = message.engine
        elif isinstance(message, wire.ContainersChanged):
            self.containers.update((c.id, c) for c in message.changed)
            for cid in message.removed:
                self.containers.pop(cid, None)

    async def until(self, condition: Callable[[], Any], timeout: float = 20.0) -> Any:
        """Wait until a message makes it true; returns its value."""

        async def wait() -> Any:
            while not (value := condition()):
                self._changed.clear()
                await self._changed.wait()
            return value

        return await asyncio.wait_for(wait(), timeout)

    def all(self, kind: type[Any]) -> list[Any]:
        """Messages of one kind so far."""
        return [message for message in self.messages if isinstance(message, kind)]


class Exec:
    """A process in a container, run to its end."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[ExecEvent] = []
        self.output = {1: b"", 2: b""}

    async def until(self, condition: Callable[[Exec], Any], timeout: float = 20.0) -> None:
        """Read until it holds or the socket closes."""

        async def read() -> None:
            while not condition(self):
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.events.append(event_decoder.decode(message.data))
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self.output[message.data[0]] += message.data[1:]
                else:
                    return

        await asyncio.wait_for(read(), timeout)

    async def to_end(self) -> ExecEvent:
        """Read everything; returns how it ended."""
        await self.until(lambda _: False)
        return self.events[-1]


@asynccontextmanager
async def run_exec(session: aiohttp.ClientSession, request: ExecRequest) -> AsyncIterator[Exec]:
    """Open an exec and wait for its first event."""
    async with session.ws_connect("/v1/exec", max_msg_size=0) as socket:
        await socket.send_str(msgspec.json.encode(request).decode())
        process = Exec(socket)
        await process.until(lambda e: e.events)
        yield process


@contextmanager
def agent_process(
    folder: Path, docker_host: str, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[AgentProcess]:
    """Run ``komodo-agent serve`` until the end of the block."""
    socket, log = folder / "agent.sock", folder / "agent.log"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "komodo_agent", "serve", "--socket", str(socket), "--state", str(folder / "state"),
               "--docker-host", docker_host, *options]  # fmt: skip
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**_environment(), **(environment or {})}
        )
    try:
        wait_for(lambda: answers(socket) or process.poll() is not None, 20, what="an answer of the agent")
        assert process.poll() is None, log.read_text()
        yield AgentProcess(process, socket, log)
    finally:
        stop(process.pid)
        process.wait(timeout=10)


def answers(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with sockets.socket(sockets.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("DOCKER")}
