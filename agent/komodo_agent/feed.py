"""The live feed: one WebSocket a client, a snapshot first, then deltas; one sampling task for all of them.

What happens within 30 ms goes out as one frame, and each message is encoded once, whoever gets it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web

from .feed_client import FeedClient
from .wire import feed as wire
from .wire.protocol import CLOSE_STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .engine.client import Engine
    from .sampling import Sampler
    from .wire.jobs import Job
    from .wire.models import Container, ContainerSample, Host, Oom
    from .wire.models import Engine as EngineState

FRAME_DELAY = 0.03
"""Seconds for which changes are gathered into one frame."""
FRAME_SIZE = 32 << 10
"""Bytes after which a frame is full."""
_UNHEARD_INTERVAL = 1.0
"""Seconds between samples while nobody listens, for the past…"""
_DEAR_INTERVAL = 10.0
"""…and where the engine has to be asked for some of them."""
_HEARTBEAT = 20.0
_REQUEST_LIMIT = 64 << 10
_SLICE = 32
"""Containers in one message."""
OOMS = 100
"""Kills for want of memory that a snapshot tells of: those who connect again have missed some."""
_SLACK = 0.05
"""Seconds by which a sample may come early and still be somebody's turn."""


class _Cadence:
    """Clients that want samples equally often, and what they were told last."""

    def __init__(self) -> None:
        self.due = 0.0
        self.told: dict[str, ContainerSample] = {}


class Hub:
    """Knows what clients know, and tells them what changed."""

    def __init__(self, engine: Engine, sampler: Sampler, host: Host, jobs: Callable[[], tuple[Job, ...]]) -> None:
        """``jobs`` gives those that belong to a snapshot."""
        self._engine = engine
        self._sampler = sampler
        self._host = host
        self._jobs = jobs
        self._clients: set[FeedClient] = set()
        self._cadences: dict[float, _Cadence] = {}
        self._wake = asyncio.Event()
        self.on_sample: Callable[[], None] = _nothing
        """Called after each sample."""
        self._flush_timer: asyncio.TimerHandle | None = None
        self._new_engine: EngineState | None = None
        self._new_containers: dict[str, Container | None] = {}
        self._new_jobs: dict[str, Job] = {}
        self._new_ooms: list[Oom] = []
        self._ooms: deque[Oom] = deque(maxlen=OOMS)

    # What happens: recorded now, told within FRAME_DELAY.

    def engine_changed(self, engine: EngineState) -> None:
        """The engine went up or down."""
        self._new_engine = engine
        self._flush_soon()

    def containers_changed(self, changed: Iterable[Container], removed: Iterable[str]) -> None:
        """Containers appeared, changed or went."""
        self._new_containers.update((c.id, c) for c in changed)
        self._new_containers.update((cid, None) for cid in removed)
        self._sampler.follow(self._engine.containers.values())
        self._flush_soon()

    def oom(self, oom: Oom) -> None:
        """The kernel ended a process of a container."""
        self._ooms.append(oom)
        self._new_ooms = [*self._new_ooms, oom][-OOMS:]
        self._flush_soon()

    def job_changed(self, job: Job) -> None:
        """A job began, moved or ended."""
        self._new_jobs[job.id] = job
        self._flush_soon()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Run the feed of one client until either side ends it."""
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, compress=False, max_msg_size=_REQUEST_LIMIT)
        await socket.prepare(request)
        client = FeedClient(socket, self._snapshot, self._wake.set)
        if not self._clients:
            self._sampler.refresh()
        self._clients.add(client)
        self._wake.set()
        writer, reader = asyncio.create_task(client.write()), asyncio.create_task(client.read())
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            writer.cancel()
            reader.cancel()
            ends = await asyncio.gather(writer, reader, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, ConnectionError):
                raise end
        return socket

    async def run(self) -> None:
        """Sample until cancelled: as often as the most eager client wants, and for the past when there is none."""
        while True:
            self._wake.clear()
            self._sort_clients()
            unheard = _DEAR_INTERVAL if self._sampler.asks_engine else _UNHEARD_INTERVAL
            due = self._sampler.taken + min(self._cadences, default=unheard)
            wait = due - time.monotonic()
            if wait > 0:
                waiter = asyncio.ensure_future(self._wake.wait())
                await asyncio.wait({waiter}, timeout=wait)
                waiter.cancel()
                if self._wake.is_set():
                    continue  # somebody came, or wants another interval
            self._sampler.take()
            self.on_sample()
            self._tell_samples()

    async def close(self) -> None:
        """Tell every client that the agent stops."""
        self._flush()
        await asyncio.gather(*(c.close(CLOSE_STOPPING, "the agent is stopping") for c in self._clients))

    def _snapshot(self, client: FeedClient) -> bytes:
        cadence = self._cadences.get(client.request.interval)
        if cadence is not None:
            # The snapshot is newer than what its cadence was told: the next samples must not be a delta of that.
            cadence.told = {}
        sampler = self._sampler
        client.told_filesystems = sampler.filesystems
        message = wire.Snapshot(
            at=time.time(),
            host=self._host,
            engine=self._engine.status,
            containers=tuple(self._engine.containers.values()),
            filesystems=sampler.filesystems,
            sample=sampler.host,
            samples=sampler.containers,
            jobs=self._jobs(),
            ooms=tuple(self._ooms),
        )
        return wire.encoder.encode([message])

    def _flush_soon(self) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(FRAME_DELAY, self._flush)

    def _flush(self) -> None:
        """Send what has been gathered to every client."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        messages: list[wire.FeedMessage] = []
        if self._new_engine is not None:
            messages.append(wire.EngineChanged(engine=self._new_engine))
        containers = list(self._new_containers.items())
        for start in range(0, len(containers), _SLICE):
            part = containers[start : start + _SLICE]
            messages.append(
                wire.ContainersChanged(
                    changed=tuple(c for _, c in part if c is not None),
                    removed=tuple(cid for cid, c in part if c is None),
                )
            )
        if self._new_ooms:
            messages.append(wire.ContainersChanged(ooms=tuple(self._new_ooms)))
        messages += [wire.JobChanged(job=job) for job in self._new_jobs.values()]
        self._new_engine, self._new_containers, self._new_jobs, self._new_ooms = None, {}, {}, []
        if self._clients and messages:
            frames = _frames([wire.encoder.encode(message) for message in messages])
            for client in self._clients:
                client.put(frames)

    def _sort_clients(self) -> None:
        wanted = {client.request.interval for client in self._clients}
        self._cadences = {interval: self._cadences.get(interval) or _Cadence() for interval in wanted}

    def _tell_samples(self) -> None:
        """Send the sample just taken to those whose turn it is."""
        self._flush()
        sampler, encode = self._sampler, _Encoder(self._sampler)
        for interval, cadence in self._cadences.items():
            if sampler.taken < cadence.due:
                continue
            cadence.due = sampler.taken + interval - _SLACK
            told, cadence.told = cadence.told, sampler.containers
            news = {cid: sample for cid, sample in sampler.containers.items() if told.get(cid) != sample}
            for client in self._clients:
                if client.request.interval == interval:
                    client.put(_frames(encode.pieces(client, news)))


def _nothing() -> None:
    """What to do after a sample until somebody wants something."""


class _Encoder:
    """The messages of one sample, each encoded once, when the first client wants it."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._encoded: dict[tuple[str, float, bool], bytes] = {}

    def pieces(self, client: FeedClient, news: dict[str, ContainerSample]) -> list[bytes]:
        """What this client gets: samples, and file systems and processes it has not been told yet."""
        sampler, wants = self._sampler, client.request
        pieces = [self._once(("samples", wants.interval, wants.devices), lambda: self._samples(news, wants.devices))]
        if client.told_filesystems is not sampler.filesystems:
            client.told_filesystems = sampler.filesystems
            changed = wire.FilesystemsChanged(filesystems=sampler.filesystems)
            pieces.append(self._once(("filesystems", 0, False), lambda: changed))
        if wants.processes and client.told_processes is not sampler.processes():
            client.told_processes = sampler.processes()
            busiest = wire.Processes(at=sampler.at, processes=client.told_processes)
            pieces.append(self._once(("processes", 0, False), lambda: busiest))
        return pieces

    def _samples(self, news: dict[str, ContainerSample], devices: bool) -> wire.Samples:
        sampler = self._sampler
        return wire.Samples(
            at=sampler.at, host=sampler.host, containers=news, devices=sampler.devices() if devices else ()
        )

    def _once(self, key: tuple[str, float, bool], make: Callable[[], wire.FeedMessage]) -> bytes:
        if key not in self._encoded:
            self._encoded[key] = wire.encoder.encode(make())
        return self._encoded[key]


def _frames(pieces: list[bytes]) -> list[bytes]:
    """Encoded messages as frames of about FRAME_SIZE."""
    frames: list[bytes] = []
    part: list[bytes] = []
    size = 0
    for piece in pieces:
        if part and size + len(piece) > FRAME_SIZE:
            frames.append(b"[" + b",".join(part) + b"]")
            part, size = [], 0
        part.append(piece)
        size += len(piece)
    frames.append(b"[" + b",".join(part) + b"]")
    return frames
