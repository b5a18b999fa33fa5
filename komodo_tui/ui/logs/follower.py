"""Fills a ring with the merged logs of some containers, and knows how each of them stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.text import clean
from komodo_tui.operations.log_batch import ServerBack, ServerLost, SourceCaughtUp, SourceEnded, SourceGap
from komodo_tui.operations.logs import MergedLogs
from komodo_tui.ui.logs import record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from komodo_tui.operations.log_batch import LogNotice
    from komodo_tui.operations.logs import LogBatch, LogClient, LogOptions, LogTarget
    from komodo_tui.ui.logs.ring import LogRing


class Follower:
    """Follows one set of containers after another. All of it belongs to the event loop.

    What happens to containers and servers stands in the ring as lines of ours, where it happened.
    """

    def __init__(self, connect: Callable[[str], Awaitable[LogClient]], ring: LogRing, now: Callable[[], float]) -> None:
        """``connect`` gives the agent client of a server, ``now`` Unix time."""
        self._connect = connect
        self._ring = ring
        self._now = now
        self._merged: MergedLogs | None = None
        self._reading = asyncio.Event()
        self._again = asyncio.Event()
        self.away: dict[str, str] = {}
        """Servers whose logs are interrupted, and why."""
        self.caught_up: set[str] = set()
        """Tags of containers whose past has been read."""
        self.gone: set[bytes] = set()
        """Tags of containers that were removed."""
        self.lost_lines = 0
        """Lines that the engine threw away before they could be read, where their number is known…"""
        self.lost_bytes = 0
        """…and about how many bytes where it is not."""
        self.version = 0
        """Grows with everything that happens."""

    @property
    def targets(self) -> dict[bytes, LogTarget]:
        """The containers by tag."""
        return self._merged.targets if self._merged is not None else {}

    @property
    def ended(self) -> frozenset[bytes]:
        """Tags of the containers of which nothing more comes."""
        return self._merged.ended if self._merged is not None else frozenset()

    @property
    def over(self) -> bool:
        """Whether all of them have ended."""
        return bool(self.targets) and len(self.ended) == len(self.targets)

    def prepare(self, targets: Sequence[LogTarget], options: LogOptions) -> MergedLogs:
        """Empty the ring for these containers; :meth:`run` follows them.

        Raises:
            UsageError: there are too many.
        """
        merged = MergedLogs(self._connect, targets, options)
        self._merged = merged
        self._ring.clear()
        self.away.clear()
        self.caught_up.clear()
        self.gone.clear()
        self.lost_lines = self.lost_bytes = 0
        self._reading.set()
        self.version += 1
        return merged

    async def run(self, merged: MergedLogs) -> None:
        """Follow until cancelled. Containers that end may be taken up again (:meth:`reopen`)."""
        async with merged:
            while True:
                async for batch in merged:
                    self._take(batch)
                    await self._reading.wait()
                self.version += 1
                self._again.clear()
                await self._again.wait()

    def hold(self) -> None:
        """Read no more for now: what comes waits at the servers."""
        self._reading.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reading.set()

    def reopen(self, tag: bytes) -> None:
        """A container whose log had ended was started again."""
        if self._merged is not None:
            self._merged.reopen(tag)
            self._again.set()
            self.version += 1

    def add(self, target: LogTarget) -> bytes | None:
        """Follow one more container; returns its tag, None when nothing is followed.

        Raises:
            UsageError: there are too many.
        """
        if self._merged is None:
            return None
        tag = self._merged.add(target)
        self._again.set()
        self.version += 1
        return tag

    def _take(self, batch: LogBatch) -> None:
        self.version += 1
        if batch.data:
            self._ring.append(batch.data)
        for event in batch.events:
            self._note(event)

    def _note(self, event: LogNotice) -> None:
        if isinstance(event, SourceCaughtUp):
            self.caught_up.add(event.tag)
            return
        if isinstance(event, ServerLost):
            if event.server in self.away:
                return
            self.away[event.server] = event.error.message
        elif isinstance(event, SourceGap):
            if event.lines is not None:
                self.lost_lines += event.lines
            else:
                self.lost_bytes += event.size
        elif isinstance(event, ServerBack):
            self.away.pop(event.server, None)
        elif isinstance(event, SourceEnded):
            self.caught_up.add(event.tag)
            if event.reason == "complete":
                return
            if event.reason == "removed":
                self.gone.add(event.tag.encode())
        self.tell(event.message)

    def tell(self, message: str, at: float = 0.0) -> None:
        """A line of ours among the others, of this Unix time; 0 = now."""
        self._ring.append(record.notice(record.stamp(at or self._now()), f"-- {clean(message)}"))
        self.version += 1
