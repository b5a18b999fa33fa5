"""What a year of an agent's past costs: 100 containers that are never still, on disk, in time and in processor time."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import yardstick
from komodo_agent.past.archive import Archive
from komodo_agent.past.tiers import Sums
from komodo_agent.wire.models import ContainerSample, Filesystem, HostSample
from komodo_agent.wire.past import CONTAINER_SERIES

if TYPE_CHECKING:
    from komodo_agent.past.tiers import Tier

CONTAINERS = 100
HOUR, DAY = 3_600, 86_400
_NOW = 1_900_000_000.0 // DAY * DAY
_FILESYSTEMS = tuple(
    Filesystem(path=path, device=path, kind="ext4", total=1 << 40, used=1 << 38, available=1 << 39)
    for path in ("/", "/var", "/home")
)


class _Walk:
    """A value that wanders by some percent at each step, as those of a busy container do."""

    def __init__(self, chance: random.Random, start: float) -> None:
        self._chance, self._value, self._start = chance, start, start

    def __call__(self) -> float:
        self._value = max(self._value * self._chance.gauss(1.0, 0.08), self._start / 50)
        if self._value > self._start * 50:
            self._value = self._start
        return self._value


class _Containers:
    """All containers, each series of each a walk of its own."""

    def __init__(self) -> None:
        chance = random.Random(1)
        starts = (3.0, 80e6, 2e4, 9e3, 1e3, 5e3, 12.0)
        self._walks = {f"shop-{n:03}-web": [_Walk(chance, start) for start in starts] for n in range(CONTAINERS)}

    def samples(self) -> dict[str, ContainerSample]:
        found = {}
        for name, walks in self._walks.items():
            cpu, memory, rx, tx, read, written, pids = (walk() for walk in walks)
            found[name] = ContainerSample(cpu, int(memory), 0, rx, tx, read, written, int(pids))
        return found

    def means(self) -> dict[str, Sums]:
        found = {}
        for name, walks in self._walks.items():
            values = [walk() for walk in walks]
            sums = found[f"container:{name}"] = Sums(CONTAINER_SERIES)
            sums.add(values, (values[0] * 1.7, values[1] * 1.1))
        return found


def measure() -> dict[str, float]:
    """Bytes, milliseconds and percent of a core."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    now = [_NOW]
    archive, containers = Archive(folder, clock=lambda: now[0]), _Containers()
    await _fill(archive, archive._quarters, containers, _NOW - 365 * DAY, _NOW - HOUR)
    await _fill(archive, archive._minutes, containers, _NOW - 7 * DAY, _NOW - HOUR)
    looked = await _an_hour(archive, containers, now)
    subject = "container:shop-042-web"
    figures = {
        "yardstick: two million additions, ms of CPU": yardstick() * 1000,
        "looks and writes of an hour at 1 Hz, % of a core": looked / HOUR * 100,
        "on disk, MB": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
    }
    for tier in ("1s", "60s", "900s"):
        figures[f"  {tier}, MB"] = sum(path.stat().st_size for path in (folder / tier).iterdir()) / 1e6
    for what, start, end in (
        ("the last hour, by the second", now[0] - HOUR, now[0]),
        ("one day of this week, by the minute", _NOW - 4 * DAY, _NOW - 3 * DAY),
        ("one day of half a year ago", _NOW - 180 * DAY, _NOW - 179 * DAY),
        ("the whole year", _NOW - 365 * DAY, _NOW),
    ):
        figures[f"{what}: one container, ms"] = await _asked(archive, subject, start, end)
    return figures


async def _fill(archive: Archive, tier: Tier, containers: _Containers, start: float, end: float) -> None:
    """Write every slot of a tier, a block at a time to disk."""
    step = tier.shelf.step
    for slot in range(int(start // step), int(end // step)):
        archive._put_means(tier, slot, containers.means())
        if slot % tier.length == 0:
            await archive.write()
    await archive.write()


async def _an_hour(archive: Archive, containers: _Containers, now: list[float]) -> float:
    """Processor seconds of an hour's looks, without those the walks take."""
    used = 0.0
    for second in range(HOUR):
        now[0] = _NOW + second
        seen = containers.samples()
        host = HostSample(
            at=now[0], cpu=20.0 + second % 7, cores=(), load=(1.0, 1.0, 1.0), memory_total=1 << 34,
            memory_used=(1 << 33) + second * 4096, memory_cached=0, swap_total=0, swap_used=0,
            net_rx=1e6, net_tx=1e5, disk_read=0.0, disk_write=1e5,
        )  # fmt: skip
        before = time.process_time()
        archive.look(host, _FILESYSTEMS, seen)
        if second % 60 == 59:
            await archive.write()
        used += time.process_time() - before
    return used


async def _asked(archive: Archive, subject: str, start: float, end: float) -> float:
    """Median milliseconds of an answer that has values."""
    times = []
    for _ in range(5):
        before = time.perf_counter()
        past = await archive.read(subject, start, end, 1_000)
        times.append(time.perf_counter() - before)
        assert any(value is not None for value in past.series["cpu"])
    return statistics.median(times) * 1000
