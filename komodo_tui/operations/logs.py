"""Follow the logs of any number of containers on any number of servers as one log, in order of time."""

from __future__ import annotations

import asyncio
import string
from itertools import product
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.log_batch import LogBatch, LogLine, LogTarget
from komodo_tui.operations.log_inbox import Inbox
from komodo_tui.operations.log_reader import LogClient, LogStream, Reader
from komodo_tui.operations.log_source import LogOptions, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from types import TracebackType

__all__ = ["LogBatch", "LogClient", "LogLine", "LogOptions", "LogStream", "LogTarget", "MergedLogs"]

_ALPHABET = string.ascii_letters + string.digits
MAX_SOURCES = len(_ALPHABET) ** 2
"""Containers one view can follow: there are as many tags."""


class MergedLogs:
    """An async iterator of :class:`LogBatch`.

    ::

        async with MergedLogs(lambda name: fleet.link(name).client(), targets, LogOptions(tail=100)) as merged:
            async for batch in merged:
                for line in batch.lines(): ...
                for event in batch.events: ...

    One WebSocket a server. A lost connection is made again and its containers go on where they stopped: no line is
    lost, none comes twice. What happens to containers and servers comes as events; iteration ends when every
    container's log has. Not reading holds the servers back; nothing is dropped here.
    """

    def __init__(
        self,
        connect: Callable[[str], Awaitable[LogClient]],
        targets: Iterable[LogTarget],
        options: LogOptions | None = None,
        *,
        window: float = 0.3,
        patience: float | None = None,
        give_up: float | None = None,
    ) -> None:
        """Nothing is opened before the first batch is asked for.

        :param connect: gives the agent client of a server; raises :class:`KomodoError`.
        :param window: seconds a live line waits for earlier ones of other containers.
        :param patience: seconds the past of one container may keep the others waiting; None: for follow 2, else
            until it answers or fails.
        :param give_up: seconds a server may be away before its logs end with an error; None: for follow for ever,
            else 15.
        :raises UsageError: for no containers, or too many.
        """
        options = options or LogOptions()
        wanted = list(dict.fromkeys(targets))
        if not 0 < len(wanted) <= MAX_SOURCES:
            raise UsageError(f"logs of {len(wanted)} containers asked for", hint=f"choose 1 to {MAX_SOURCES}")
        tags = ("".join(pair) for pair in product(_ALPHABET, repeat=2))
        self._sources = {s.key: s for s in (Source(t, tag, options) for t, tag in zip(wanted, tags, strict=False))}
        self.targets: dict[bytes, LogTarget] = {key: source.target for key, source in self._sources.items()}
        """By the tag that the lines of a batch begin with."""
        self.options = options
        self._connect = connect
        self._give_up = give_up if give_up is not None or options.follow else 15.0
        self._inbox = Inbox(window=window, patience=2.0 if patience is None and options.follow else patience)
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = False

    def reopen(self, tag: bytes) -> None:
        """Go on with a container whose log ended, after its last line: it was started again, say."""
        source = self._sources[tag]
        if source.ended and self._started:
            source.ended = False
            self._start_reader([source])

    def add(self, target: LogTarget) -> bytes:
        """Read one more container: one that took the place of another, say. Returns the tag of its lines.

        :raises UsageError: there are too many.
        """
        number = len(self._sources)
        if number >= MAX_SOURCES:
            raise UsageError(f"logs of {number + 1} containers asked for", hint=f"at most {MAX_SOURCES}")
        first, second = divmod(number, len(_ALPHABET))
        source = Source(target, _ALPHABET[first] + _ALPHABET[second], self.options)
        self._sources[source.key] = source
        self.targets[source.key] = target
        if self._started:
            self._start_reader([source])
        return source.key

    @property
    def ended(self) -> frozenset[bytes]:
        """Tags of the containers of which nothing more will come."""
        return frozenset(key for key, source in self._sources.items() if source.ended)

    async def close(self) -> None:
        """End all connections. Safe to call twice, and while a batch is awaited elsewhere."""
        self._started = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._inbox.release()

    async def __aenter__(self) -> MergedLogs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[LogBatch]:
        return self

    async def __anext__(self) -> LogBatch:
        if not self._started:
            self._start()
        while True:
            data, events = self._inbox.take()
            if data or events:
                await asyncio.sleep(0)  # a full buffer would otherwise be emptied without anybody else's turn
                return LogBatch(data, events, self.targets)
            if not self._running() and self._inbox.empty:
                raise StopAsyncIteration
            await self._inbox.arrival()

    def _start(self) -> None:
        self._started = True
        by_server: dict[str, list[Source]] = {}
        for source in self._sources.values():
            by_server.setdefault(source.target.server, []).append(source)
        for sources in by_server.values():
            self._start_reader(sources)

    def _start_reader(self, sources: list[Source]) -> None:
        server = sources[0].target.server
        reader = Reader(
            server, sources, self._connect, self._inbox, group=self._inbox.group(server),
            follow=self.options.follow, give_up=self._give_up,
        )  # fmt: skip
        task = asyncio.create_task(reader.run(), name=f"logs of {server}")
        task.add_done_callback(lambda _: self._inbox.wake())
        self._tasks.add(task)

    def _running(self) -> bool:
        """Whether a reader still works; raises what ended one that should not have ended."""
        done = {task for task in self._tasks if task.done()}
        self._tasks -= done
        for task in done:
            if not task.cancelled():
                task.result()
        return bool(self._tasks)
