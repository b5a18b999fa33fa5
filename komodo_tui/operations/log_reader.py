"""The logs of one server's containers over one WebSocket, made again whenever it is lost."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Protocol

from komodo_agent.wire.logs import PREFIX, TAG, LogCaughtUp, LogEnded, LogEvent, LogGap, LogRequest
from komodo_tui.domain.errors import AgentMismatchError, HostUnreachableError, KomodoError, UnreachableError
from komodo_tui.domain.text import clean
from komodo_tui.operations.log_batch import ServerBack, ServerLost, SourceCaughtUp, SourceEnded, SourceGap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from komodo_tui.operations.log_batch import LogTarget
    from komodo_tui.operations.log_inbox import Inbox
    from komodo_tui.operations.log_source import Source

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 5.0


class LogStream(Protocol):
    """What :meth:`LogClient.logs` returns."""

    def __aiter__(self) -> AsyncIterator[bytes | LogEvent]:
        """Frames and events; ends when the agent closes, raises :class:`KomodoError` when the connection is lost."""
        ...

    async def close(self) -> None:
        """Close the WebSocket."""
        ...


class LogClient(Protocol):
    """The part of ``fleet.client.AgentClient`` that is used here."""

    async def logs(self, request: LogRequest) -> LogStream:
        """Open /v1/logs."""
        ...


class Reader:
    """Reads some containers of one server until each has ended, across any number of connections."""

    def __init__(
        self,
        server: str,
        sources: Sequence[Source],
        connect: Callable[[str], Awaitable[LogClient]],
        inbox: Inbox,
        *,
        group: int,
        follow: bool,
        give_up: float | None,
    ) -> None:
        self._server = server
        self._sources = {source.key: source for source in sources}
        self._connect = connect
        self._inbox = inbox
        self._group = group
        self._follow = follow
        self._give_up = give_up
        self._lost_at: float | None = None
        self._failures = 0
        for source in sources:
            inbox.add(source.key, group)

    async def run(self) -> None:
        """Read until every source has ended; all but programming errors become notices."""
        while self._open():
            try:
                await self._read()
                error: KomodoError = HostUnreachableError("the agent closed the log stream", server=self._server)
            except KomodoError as raised:
                error = raised
            if not self._open():
                return
            self._lose(error)
            if self._hopeless(error):
                self._end_all(error)
                return
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures, 10))
            self._failures += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _open(self) -> list[Source]:
        return [source for source in self._sources.values() if not source.ended]

    async def _read(self) -> None:
        """One connection, from the request to its end."""
        client = await self._connect(self._server)
        sources = self._open()
        request = LogRequest(sources=tuple(source.request() for source in sources), follow=self._follow)
        stream = await client.logs(request)
        try:
            for source in sources:
                self._inbox.add(source.key, self._group)
            async for message in stream:
                self._return()
                if isinstance(message, bytes):
                    self._frame(message)
                    await self._inbox.room(self._group)
                else:
                    self._event(message)
                    if not self._open():
                        return
        finally:
            await stream.close()

    def _frame(self, data: bytes) -> None:
        source = self._sources.get(data[:TAG])
        if source is None or len(data) <= PREFIX or data[PREFIX - 1 : PREFIX] != b" " or data[-1:] != b"\n":
            raise AgentMismatchError(
                "the agent sent something that is no log", hint="install the agent again", server=self._server
            )
        lines = source.receive(data)
        if lines:
            self._inbox.lines(source.key, lines)

    def _event(self, event: LogEvent) -> None:
        source = self._sources.get(event.tag.encode())
        if source is None or source.ended:
            return
        if isinstance(event, LogCaughtUp):
            source.catch_up()
            self._inbox.state(source.key, "live")
            self._inbox.notice(source.key, SourceCaughtUp(target=source.target, tag=source.tag))
        elif isinstance(event, LogGap):
            self._inbox.notice(
                source.key,
                SourceGap(
                    target=source.target, tag=source.tag, after=clean(event.after), lines=event.lines, size=event.size,
                    reason=clean(event.reason),
                ),
            )  # fmt: skip
        elif isinstance(event, LogEnded):
            self._end(source, clean(event.reason), error=event.error)

    def _end(self, source: Source, reason: str, *, error: bool) -> None:
        source.ended = True
        self._inbox.state(source.key, "away")
        self._inbox.notice(source.key, SourceEnded(target=source.target, tag=source.tag, reason=reason, error=error))

    def _end_all(self, error: KomodoError) -> None:
        for source in self._open():
            self._end(source, f"{error.message}" + (f"; {error.hint}" if error.hint else ""), error=True)

    def _lose(self, error: KomodoError) -> None:
        for source in self._open():
            self._inbox.state(source.key, "away")
        if self._lost_at is None:
            self._lost_at = asyncio.get_running_loop().time()
            self._inbox.notice(None, ServerLost(self._server, self._targets(), error))

    def _return(self) -> None:
        self._failures = 0
        if self._lost_at is not None:
            away = asyncio.get_running_loop().time() - self._lost_at
            self._lost_at = None
            self._inbox.notice(None, ServerBack(self._server, self._targets(), away))

    def _targets(self) -> tuple[LogTarget, ...]:
        return tuple(source.target for source in self._open())

    def _hopeless(self, error: KomodoError) -> bool:
        """Whether trying again would not help, or has been tried for long enough."""
        if not isinstance(error, UnreachableError) or not error.retry:
            return True
        away = asyncio.get_running_loop().time() - (self._lost_at or 0.0)
        return self._give_up is not None and away >= self._give_up
