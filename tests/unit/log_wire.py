"""For tests of the log views: wire lines, a clock that does not wait, and an agent's /v1/logs made of lists."""

from __future__ import annotations

import asyncio
import random
import selectors
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from komodo_agent.wire.logs import LogCaughtUp, LogEnded, LogEvent, LogRequest, LogSource
from komodo_tui.domain.errors import HostUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from komodo_tui.domain.errors import KomodoError


T = TypeVar("T")


def stamp(nanoseconds: int) -> str:
    """TIME of the wire: nanoseconds after a fixed moment."""
    seconds, rest = divmod(nanoseconds, 10**9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"2026-11-24T{hours:02}:{minutes:02}:{seconds:02}.{rest:09}Z"


def wire(tag: str, time: str, text: bytes | str, stream: str = "o") -> bytes:
    """One wire line."""
    raw = text if isinstance(text, bytes) else text.encode()
    return f"{tag}{stream}{time} ".encode() + raw + b"\n"


class _NoWait(selectors.DefaultSelector):
    """A selector that lets time pass instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready:
            if timeout is None:
                raise AssertionError("everything waits for something that never comes")
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer: hours of log in milliseconds, the same each time."""

    def __init__(self) -> None:
        self._jumping = _NoWait()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` under :class:`VirtualLoop`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


@dataclass
class Log:
    """One container's log as an engine keeps it: lines in the order they were written."""

    lines: list[tuple[str, str, bytes]] = field(default_factory=list)
    """TIME, stream, text."""
    ended: str = ""
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, time: str, text: bytes, stream: str = "o") -> None:
        self.lines.append((time, stream, text))
        self.grown.set()

    def end(self, reason: str) -> None:
        self.ended = reason
        self.grown.set()

    def begin(self, source: LogSource) -> int:
        """Where a request begins to read."""
        if source.after:
            same = 0
            for at, (time, _, _) in enumerate(self.lines):
                same += time == source.after
                if time > source.after or (time == source.after and same > source.after_count):
                    return at
            return len(self.lines)
        first = next((i for i, line in enumerate(self.lines) if line[0] >= source.since), len(self.lines))
        return first if source.tail is None else max(first, len(self.lines) - source.tail)


class Agent:
    """Serves logs as ``wire/logs.py`` says, and loses connections when told to."""

    def __init__(self, logs: dict[str, Log], *, seed: int = 0, frame_lines: int = 7) -> None:
        self.logs = logs
        self.refuse: KomodoError | None = None
        """Raised instead of a connection."""
        self.requests: list[LogRequest] = []
        self.streams: set[Stream] = set()
        self.random = random.Random(seed)
        self.frame_lines = frame_lines

    async def logs_of(self, request: LogRequest) -> Stream:
        if self.refuse is not None:
            raise self.refuse
        self.requests.append(request)
        stream = Stream(self, request)
        self.streams.add(stream)
        return stream

    def cut(self) -> None:
        """Lose every connection with all that is under way on it."""
        for stream in self.streams:
            stream.cut()
        self.streams.clear()


class Client:
    """What ``MergedLogs`` sees of an :class:`Agent`."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def logs(self, request: LogRequest) -> Stream:
        await asyncio.sleep(self._agent.random.random() * 0.01)
        return await self._agent.logs_of(request)


class Stream:
    """One WebSocket: frames of one source each, those of several sources between one another."""

    def __init__(self, agent: Agent, request: LogRequest) -> None:
        self._agent = agent
        self._queue: asyncio.Queue[bytes | LogEvent | None] = asyncio.Queue(4)
        self._tasks = [asyncio.create_task(self._send(source, request.follow)) for source in request.sources]

    def cut(self) -> None:
        for task in self._tasks:
            task.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _send(self, source: LogSource, follow: bool) -> None:
        log = self._agent.logs[source.container]
        at, end, caught_up = log.begin(source), len(log.lines), False
        while True:
            part = log.lines[at : at + self._agent.random.randint(1, self._agent.frame_lines)]
            at += len(part)
            # What is earlier than asked for is not sent, wherever it stands in the log.
            frame = b"".join(wire(source.tag, time, text, s) for time, s, text in part if time >= source.after)
            if frame:
                await self._queue.put(frame)
            if not caught_up and at >= end:
                caught_up = True
                await self._queue.put(LogCaughtUp(tag=source.tag))
            if at < len(log.lines):
                continue
            if log.ended or not follow:
                await self._queue.put(LogEnded(tag=source.tag, reason=log.ended or "complete"))
                return
            log.grown.clear()
            await log.grown.wait()

    async def __aiter__(self) -> AsyncIterator[bytes | LogEvent]:
        while (message := await self._queue.get()) is not None:
            yield message
        raise HostUnreachableError("connection lost")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._agent.streams.discard(self)
