"""Agents that run nothing: one process answers on many sockets, each job ends after a time of its own.

With ``--containers`` their feeds tell of so many, every figure another one every five seconds, and a log that is
followed gets two lines a second. ``FOLDER/busy`` makes the processor of the first one busy and its logs tell of refused
connections; ``FOLDER/told`` and ``FOLDER/wrote`` are there once it has told and written so. Everything above the
agents' sockets (sshd, connections, the program) stays real.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from benchmarks.fleet import containers, made
from komodo_agent import __version__
from komodo_agent.wire import protocol
from komodo_agent.wire.feed import Snapshot, encoder
from komodo_agent.wire.jobs import Job, JobRequest
from komodo_agent.wire.logs import LogCaughtUp, request_decoder
from komodo_agent.wire.models import Engine, Host

EVERY = 5.0
"""Seconds between two frames of a feed."""
LINES, BAD = 2, 4
"""That a container writes each second; and those that tell of trouble beside them."""


def duration(number: int, count: int) -> float:
    """Seconds the job of a server takes: from a tenth of a second to two, most of them short."""
    return 0.1 + 1.9 * (number / max(1, count - 1)) ** 3


class Told:
    """What the feed of one tells of."""

    def __init__(self, name: str, count: int, busy: Path | None) -> None:
        self.listed = containers(name, count)
        self._running = [one.id for one in self.listed if one.state == "running"]
        self._busy = busy
        self._random = random.Random(name)

    @property
    def broken(self) -> bool:
        """Whether its logs tell of refused connections."""
        return self._busy is not None and self._busy.exists()

    def lines(self, tag: str) -> bytes:
        """What one of its containers has written in a second."""
        when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
        words = [f"request {self._random.random():.9f} served in 12 ms"] * LINES
        if self.broken:
            words += ["error: connection refused"] * BAD
        elif self._random.random() < 0.04:
            words[0] = "error: the upstream was slow, and answered"
        return "".join(f"{tag}o{when} {text}\n" for text in words).encode()

    def wrote(self) -> None:
        """Say that it was sent."""
        self._once("wrote")

    def _once(self, name: str) -> None:
        """A file that was made when this happened first."""
        if self._busy is not None and not (path := self._busy.with_name(name)).exists():
            path.touch()

    def frame(self) -> bytes:
        """The next one."""
        cpu = None
        if self._busy is not None:
            cpu = 99.0 if self._busy.exists() else 10.0
            if cpu > 50.0:
                self._once("told")
        return encoder.encode([made(self._random.random, self._running, time.time(), cpu)])


class Agent:
    """One of them."""

    def __init__(self, name: str, seconds: float, told: Told | None = None) -> None:
        self.name = name
        self._told = told
        self._seconds = seconds
        self._jobs: dict[str, tuple[Job, asyncio.Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """Its routes."""
        app = web.Application()
        app.router.add_get(protocol.ROUTE_HELLO, self._hello)
        app.router.add_get(protocol.ROUTE_HEALTH, self._health)
        app.router.add_get(protocol.ROUTE_FEED, self._feed)
        app.router.add_get(protocol.ROUTE_LOGS, self._logs)
        app.router.add_post(protocol.ROUTE_JOBS, self._submit)
        app.router.add_get(protocol.ROUTE_JOB, self._job)
        app.router.add_get(protocol.ROUTE_JOB_LOG, self._log)
        return app

    async def _hello(self, _: web.Request) -> web.Response:
        hello = protocol.Hello(
            version=__version__, protocol=protocol.PROTOCOL, protocol_min=protocol.PROTOCOL_MIN, instance=self.name,
            host_id=self.name, hostname=self.name, boot_id=self.name, python="3.11", uid=0, caller_uid=0,
        )  # fmt: skip
        return web.Response(body=msgspec.json.encode(hello), content_type="application/json")

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        host = Host(hostname=self.name, os="Debian", kernel="6", arch="x86_64", cores=2, memory=1 << 32, booted=1.0)
        listed = self._told.listed if self._told is not None else ()
        snapshot = Snapshot(at=time.time(), host=host, engine=Engine(status="up"), containers=listed, filesystems=())
        await socket.send_bytes(encoder.encode([snapshot]))
        if self._told is not None:
            task = asyncio.create_task(self._tell(socket, self._told))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        return socket

    async def _tell(self, socket: web.WebSocketResponse, told: Told) -> None:
        await asyncio.sleep(random.uniform(0.0, EVERY))  # servers do not tell in step
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                await socket.send_bytes(told.frame())
                await asyncio.sleep(EVERY)

    async def _logs(self, request: web.Request) -> web.WebSocketResponse:
        """Nothing of the past; from then on lines of each container every second."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        asked = request_decoder.decode(await socket.receive_str())
        for source in asked.sources:
            await socket.send_str(msgspec.json.encode(LogCaughtUp(tag=source.tag)).decode())
        task = asyncio.create_task(self._write(socket, [source.tag for source in asked.sources]))
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        task.cancel()
        return socket

    async def _write(self, socket: web.WebSocketResponse, tags: list[str]) -> None:
        await asyncio.sleep(random.random())
        with contextlib.suppress(ConnectionError):
            while self._told is not None and not socket.closed:
                broken = self._told.broken
                for tag in tags:
                    await socket.send_bytes(self._told.lines(tag))
                if broken:
                    self._told.wrote()
                await asyncio.sleep(1.0)

    async def _submit(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=JobRequest)
        job = Job(id=asked.id, kind="run", target=self.name, status="running", started=time.time())
        self._jobs[asked.id] = (job, asyncio.Event())
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if asked.wait:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._jobs[asked.id][1].wait(), asked.wait)
        return self._json(self._jobs[asked.id][0], 202)

    async def _run(self, job: Job) -> None:
        await asyncio.sleep(self._seconds)
        ended = msgspec.structs.replace(
            job, status="succeeded", finished=time.time(), result={"exit": "0", "output": f"{self.name} is well\n"}
        )
        event = self._jobs[job.id][1]
        self._jobs[job.id] = (ended, event)
        event.set()

    async def _job(self, request: web.Request) -> web.Response:
        return self._json(self._jobs[request.match_info["id"]][0])

    async def _log(self, request: web.Request) -> web.Response:
        """One line once it has ended; waits for it as the real one does."""
        job, event = self._jobs[request.match_info["id"]]
        wait, offset = float(request.query.get("wait", 0)), int(request.query.get("offset", 0))
        if not event.is_set() and wait:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), wait)
        job = self._jobs[request.match_info["id"]][0]
        data = f"{self.name} is well\n".encode()[offset:] if event.is_set() else b""
        return web.Response(body=data, headers={"X-Job-Status": job.status, "X-Job-Log-Size": str(len(data))})

    def _json(self, job: Job, status: int = 200) -> web.Response:
        return web.Response(body=msgspec.json.encode(job), status=status, content_type="application/json")


async def serve(folder: Path, count: int, each: int) -> None:
    """Answer on ``folder``/N.sock until killed; ``folder``/ready says that all of them do."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = f"s{number:03d}"
        told = Told(name, each, None if number else folder / "busy") if each else None
        runner = web.AppRunner(Agent(name, duration(number, count), told).application(), access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(folder / f"{number}.sock")).start()
    (folder / "ready").touch()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--containers", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(given.folder, given.count, given.containers))
