"""Where the readers of all servers put what they receive, and the one caller takes it in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.operations.log_batch import OrderLost
from komodo_tui.operations.log_merge import Merger

if TYPE_CHECKING:
    from komodo_tui.operations.log_batch import LogNotice
    from komodo_tui.operations.log_merge import State

_TOGETHER = 16 << 20
"""Bytes that all servers together may have waiting to be taken…"""
_ALONE = 1 << 20
"""…and what one server may have in any case."""


class Inbox:
    """A :class:`Merger` with a clock, and with waiting on both sides of it."""

    def __init__(self, *, window: float, patience: float | None) -> None:
        self._merger = Merger(window=window, patience=patience)
        self._servers: list[str] = []
        self._told: set[int] = set()
        self._events: list[LogNotice] = []
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()

    def group(self, server: str) -> int:
        """A new group: what is read over one connection of this server."""
        self._servers.append(server)
        return len(self._servers) - 1

    def add(self, key: bytes, group: int) -> None:
        """The past of a source is about to be read."""
        self._merger.add(key, group, _now())

    def state(self, key: bytes, state: State) -> None:
        """The source caught up, ended or went away."""
        self._merger.set_state(key, state, _now())
        self._wake.set()

    def lines(self, key: bytes, data: bytes) -> None:
        """Whole lines of the source."""
        self._merger.push(key, data, _now())
        self._wake.set()

    def notice(self, key: bytes | None, notice: LogNotice) -> None:
        """Something happened to the source after its lines so far; or, without one, to a server."""
        if key is None:
            self._events.append(notice)
        else:
            self._merger.push_notice(key, notice, _now())
        self._wake.set()

    def release(self) -> None:
        """Wait for no source any more: what is here may all be taken."""
        self._merger.release()
        self._wake.set()

    def wake(self) -> None:
        """Let the taker look again."""
        self._wake.set()

    async def room(self, group: int) -> None:
        """Wait until more of this group may be read."""
        allowance = max(_ALONE, _TOGETHER // len(self._servers))
        while (held := self._merger.held(group)) > allowance:
            if held <= self._merger.limit and group in self._merger.waited_for(_now()):
                return
            self._drained.clear()
            await self._drained.wait()

    def take(self) -> tuple[bytes, tuple[LogNotice, ...]]:
        """What may go now; both parts may be empty."""
        data, notices = self._merger.take(_now())
        for group in self._merger.disordered - self._told:
            self._told.add(group)
            notices.append(OrderLost(self._servers[group]))
        notices += self._events
        self._events.clear()
        self._drained.set()
        return data, tuple(notices)

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return self._merger.empty and not self._events

    async def arrival(self) -> None:
        """Wait until :meth:`take` may give more than it did."""
        try:
            async with asyncio.timeout_at(self._merger.next_time(_now())):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
