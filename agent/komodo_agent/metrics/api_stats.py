"""Containers whose cgroup files are out of reach: the engine's stats, fetched in the background.

An engine in a VM, a cgroup namespace around the agent, or files this user may not read. One look costs the engine
some 100 times what a read of the files does, so it is taken every 2 s at most, and one at a time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from .. import timestamps
from ..wire.models import ContainerSample
from .counters import memory_used, rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    ApiStats = Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]]
    """Full ids -> the engine's one-shot stats documents (JSON) of those that answered; raises nothing."""

_PERIOD = 2.0


class _Cpu(msgspec.Struct):
    cpu_usage: dict[str, Any] = {}


class _Memory(msgspec.Struct):
    usage: int = 0
    limit: int = 0
    stats: dict[str, Any] | None = None


class _Block(msgspec.Struct):
    io_service_bytes_recursive: list[dict[str, Any]] | None = None


class _Pids(msgspec.Struct):
    current: int = 0


class _Document(msgspec.Struct):
    """The engine's stats as far as they are used (Engine API, ``ContainerStats``)."""

    read: str
    cpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    memory_stats: _Memory = msgspec.field(default_factory=_Memory)
    blkio_stats: _Block = msgspec.field(default_factory=_Block)
    pids_stats: _Pids = msgspec.field(default_factory=_Pids)
    networks: dict[str, dict[str, Any]] | None = None


class _Counts(msgspec.Struct, frozen=True):
    at: int
    cpu: int
    received: int
    sent: int
    block: tuple[int, int] | None


_decoder = msgspec.json.Decoder(_Document)


class ApiReader:
    """Samples of the containers it is told of; :meth:`sample` starts fetches and never waits for them."""

    def __init__(self, fetch: ApiStats, host_total: int) -> None:
        self._fetch = fetch
        self._host_total = host_total
        self._counts: dict[str, _Counts] = {}
        self._samples: dict[str, tuple[ContainerSample, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    def sample(self, containers: Sequence[str], now: float) -> dict[str, tuple[ContainerSample, float]]:
        """The latest known samples of these, each with the seconds it is an average of."""
        if containers and (self._task is None or self._task.done()) and now - self._asked_at >= _PERIOD:
            self._asked_at = now
            self._task = asyncio.get_running_loop().create_task(self._read(tuple(containers)))
        return {container: self._samples[container] for container in containers if container in self._samples}

    def forget(self, container: str) -> None:
        """Drop what is known of a container, which has stopped."""
        self._counts.pop(container, None)
        self._samples.pop(container, None)

    async def close(self) -> None:
        """End the fetch that may be out."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _read(self, containers: Sequence[str]) -> None:
        documents = await self._fetch(containers)
        for container, raw in documents.items():
            try:
                self._take(container, _decoder.decode(raw))
            except (msgspec.DecodeError, ValueError):
                self.forget(container)

    def _take(self, container: str, document: _Document) -> None:
        memory, network = document.memory_stats, document.networks or {}
        counts = _Counts(
            timestamps.parse(document.read),
            int(document.cpu_stats.cpu_usage.get("total_usage") or 0),
            sum(int(each.get("rx_bytes") or 0) for each in network.values()),
            sum(int(each.get("tx_bytes") or 0) for each in network.values()),
            _block(document.blkio_stats.io_service_bytes_recursive),
        )
        before = self._counts.get(container)
        self._counts[container] = counts
        if before is None or counts.at <= before.at:
            return
        seconds = (counts.at - before.at) / 1e9
        stats = memory.stats or {}
        inactive = int(stats.get("total_inactive_file", stats.get("inactive_file", 0)) or 0)
        read = written = None
        if counts.block is not None:
            since = before.block or (0, 0)
            read, written = (rate(since[n], counts.block[n], seconds) for n in (0, 1))
        sample = ContainerSample(
            cpu=round(max(0.0, (counts.cpu - before.cpu) / (seconds * 1e7)), 2),
            memory=memory_used(memory.usage, inactive),
            memory_limit=0 if memory.limit >= self._host_total else memory.limit,
            net_rx=rate(before.received, counts.received, seconds),
            net_tx=rate(before.sent, counts.sent, seconds),
            block_read=read,
            block_write=written,
            pids=document.pids_stats.current,
            source="api",
        )
        self._samples[container] = (sample, seconds)


def _block(entries: list[dict[str, Any]] | None) -> tuple[int, int] | None:
    """Bytes read and written, or None when the engine lists no device."""
    if not entries:
        return None
    totals = {"read": 0, "write": 0}
    for entry in entries:
        operation = str(entry.get("op", "")).lower()
        if operation in totals:
            totals[operation] += int(entry.get("value") or 0)
    return totals["read"], totals["write"]
