"""All of the past behind one face: takes every look of the sampler, writes once a minute, answers what was."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..wire import past as wire
from . import codes
from .chronicle import Chronicle
from .journal import Journal
from .looks import Looked, container_values, disk_values, host_values, peaks_of
from .query import gather, names_of_subjects, thin, touches
from .shelf import Shelf
from .tiers import MOST_SUBJECTS, Means, Tier
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from ..engine.events import Happening
    from ..wire.models import Container, ContainerSample, Filesystem, HostSample
    from .blocks import Block
    from .looks import Look
    from .tiers import Cells, Sums

_log = logging.getLogger(__name__)

_WRITE_EVERY = 60.0
_WRITE_EVENTS_AFTER = 1.0
_LONGEST_COVER = 60
"""Slots of a second that one look may speak for."""
_MOST_POINTS = 5_000
_MB = 1 << 20
_MOST_PENDING = 2_000
"""Events that wait for a disk that takes none."""


class Archive:
    """Owned by the event loop; files are read and written in threads, one at a time.

    Seconds are kept for an hour, minutes for a week and quarters of an hour for a year, each bounded in size: 8, 18 and
    34 MB. Containers are known by name, so that a container that was created anew goes on with its past.

    Of several agents with the same state one writes; the others answer from its files, and the next one takes over
    within a minute when it ends.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seconds = Tier(Shelf(folder / "1s", step=1, slots=600, keep=7, most=8 * _MB), 60)
        self._minutes = Tier(Shelf(folder / "60s", step=60, slots=1440, keep=9, most=18 * _MB), 60)
        self._quarters = Tier(Shelf(folder / "900s", step=900, slots=2880, keep=14, most=34 * _MB), 96)
        self._means = (Means(60), Means(900))
        self._journal = Journal(folder / "events")
        self._chronicle = Chronicle(clock())
        self._pending: list[wire.PastEvent] = []
        self._looked: dict[str, Looked] = {}
        """By subject, what was seen last: most containers are as they were."""
        self._disk = asyncio.Lock()
        self._writer = Writer(folder)
        self._writes = True
        """Whether it did at the last look; taking over means going on with what the other one left."""
        self._wake = asyncio.Event()
        self._in_trouble = False

    # What is seen.

    def look(
        self, host: HostSample, filesystems: Iterable[Filesystem], containers: Mapping[str, ContainerSample]
    ) -> None:
        """Take in one sample; ``containers`` by name. Costs some µs a container and never blocks."""
        at = host.at
        self._finish_slots(at)
        looks: list[Look] = [(wire.HOST, wire.HOST_SERIES, host, host_values)]
        looks += [(f"disk:{each.path}", wire.DISK_SERIES, each, disk_values) for each in filesystems]
        looks += [
            (f"container:{name}", wire.CONTAINER_SERIES, each, container_values) for name, each in containers.items()
        ]
        cells: dict[str, Cells] = {}
        for subject, names, seen, values_of in looks[:MOST_SUBJECTS]:
            kept = self._looked.get(subject)
            if kept is None or kept.seen is not seen:
                values = values_of(seen)
                kept = self._looked[subject] = Looked(seen, values, tuple(map(codes.encode, values)))
            cells[subject] = (names, kept.codes)
            self._means[0].add(at, subject, names, kept.values, kept.values[: peaks_of(names)])
        if len(self._looked) > len(cells) * 2:
            self._looked = {subject: kept for subject, kept in self._looked.items() if subject in cells}
        self._put_seconds(int(at), cells)

    def containers_changed(self, changed: Iterable[Container], removed: Iterable[str]) -> None:
        """Note what happened to containers."""
        self._note(self._chronicle.containers(changed, removed, self._clock()))

    def happened(self, happening: Happening) -> None:
        """Note what is over at once."""
        self._note(self._chronicle.happened(happening))

    def engine_changed(self, up: bool, detail: str) -> None:
        """Note that the engine came or went."""
        self._note(self._chronicle.engine(up, detail, self._clock()))

    # The disk.

    async def run(self) -> None:
        """Carry to disk what has come together, until cancelled. A disk that is full is tried again each minute."""
        async with self._disk:
            await asyncio.to_thread(self._resume)
        due = time.monotonic() + _WRITE_EVERY
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, due - time.monotonic()))
            if self._wake.is_set():
                await asyncio.sleep(_WRITE_EVENTS_AFTER)
                self._wake.clear()
                await self._write_events()
            if time.monotonic() >= due:
                due = time.monotonic() + _WRITE_EVERY
                await self.write()

    async def write(self) -> None:
        """Carry everything to disk now; what cannot be written is kept for the next time, within bounds."""
        await self._write_events()
        writes = await self._may_write()
        for tier in (self._seconds, self._minutes, self._quarters):
            full, filling = tier.take()
            if not writes:
                continue
            async with self._disk:
                left = await asyncio.to_thread(self._write_blocks, tier, full, filling)
            if left:
                tier.give_back(left)

    async def close(self) -> None:
        """Carry everything to disk for the last time, the seconds of a block that is not full too."""
        await self.write()
        filling = self._seconds.snapshot()
        if filling.length and await self._may_write():
            async with self._disk:
                await asyncio.to_thread(self._attempt, partial(self._seconds.shelf.append, filling))
        self._writer.let_go()

    # What was.

    async def read(self, subject: str, start: float, end: float, points: int) -> wire.Past:
        """The series of one subject from ``start`` to ``end`` (Unix times), in at most ``points`` steps.

        From the finest resolution that reaches back so far and does not give more than 5,000 values.
        """
        tier = self._tier_for(start, end)
        unwritten = tier.unwritten()
        async with self._disk:
            left = [] if self._writes else await asyncio.to_thread(self._of_the_writer, tier)
            found = await asyncio.to_thread(gather, tier.shelf, left + unwritten, subject, start, end)
        return thin(found, points)

    async def subjects(self, start: float, end: float) -> tuple[str, ...]:
        """Which subjects have values between two times."""
        tier = self._tier_for(start, end)
        known = {name for block in tier.unwritten() for name in block.subjects if touches(block, start, end)}
        async with self._disk:
            known |= await asyncio.to_thread(names_of_subjects, tier.shelf, start, end)
        return tuple(sorted(known))

    async def events(self, start: float, end: float, limit: int) -> wire.PastEvents:
        """What happened between two times: the newest ``limit`` of it."""
        pending = tuple(self._pending)
        async with self._disk:
            found = await asyncio.to_thread(self._journal.read, start, end)
        found += [event for event in pending if start <= event.at <= end]
        since = self._journal.since or (pending[0].at if pending else 0.0)
        return wire.PastEvents(events=tuple(found[-limit:]), truncated=len(found) > limit, since=since)

    def _tier_for(self, start: float, end: float) -> Tier:
        age = self._clock() - start
        for tier, reach in ((self._seconds, 3_660), (self._minutes, 8 * 86_400)):
            if age <= reach and (end - start) / tier.shelf.step <= _MOST_POINTS:
                return tier
        return self._quarters if age > 8 * 86_400 or end - start > _MOST_POINTS * 60 else self._minutes

    def _put_seconds(self, slot: int, cells: dict[str, Cells]) -> None:
        """Write the slot of a look, and those since the last one: its rates are averages over them too."""
        newest = self._seconds.newest
        unseen = slot if newest < 0 or slot - newest > _LONGEST_COVER else min(slot, newest + 1)
        for each in range(unseen, slot + 1):
            self._seconds.put(each, cells)

    def _finish_slots(self, at: float) -> None:
        """Write the minute that is over, if one is, and the quarter of an hour."""
        minute, quarter = self._means
        slot = minute.slot
        done = minute.due(at)
        if not done:
            return
        middle = (slot + 0.5) * self._minutes.shelf.step
        self._put_means(self._quarters, quarter.slot, quarter.due(middle))
        for subject, sums in done.items():
            quarter.add(middle, subject, sums.names, sums.means(), sums.peaks())
        self._put_means(self._minutes, slot, done)

    def _put_means(self, tier: Tier, slot: int, done: Mapping[str, Sums]) -> None:
        cells: dict[str, Cells] = {}
        for subject, sums in done.items():
            peaks = sums.peaks()
            names = (*sums.names, *(name + wire.PEAK for name in sums.names[: len(peaks)]))
            cells[subject] = (names, tuple(map(codes.encode, (*sums.means(), *peaks))))
        if cells:
            tier.put(slot, cells)

    def _note(self, events: list[wire.PastEvent]) -> None:
        if events:
            self._pending = (self._pending + events)[-_MOST_PENDING:]
            self._wake.set()

    async def _write_events(self) -> None:
        pending = tuple(self._pending)
        if not pending:
            return
        if not await self._may_write():
            self._pending = self._pending[len(pending) :]
            return
        async with self._disk:
            written = await asyncio.to_thread(self._attempt, partial(self._journal.append, pending))
        if written:
            self._pending = [event for event in self._pending if event not in pending]

    async def _may_write(self) -> bool:
        async with self._disk:
            before = self._writes
            self._writes = await asyncio.to_thread(self._writer.hold)
            if self._writes and not before:
                await asyncio.to_thread(self._take_over)
        return self._writes

    def _resume(self) -> None:
        self._writes = self._writer.hold()
        for tier in (self._minutes, self._quarters):
            if self._writes:
                tier.resume()

    def _of_the_writer(self, tier: Tier) -> list[Block]:
        left = tier.shelf.left_open()
        return [] if left is None else [left]

    def _take_over(self) -> None:
        """Shelve what the one that wrote before was filling: this one fills blocks of its own."""
        for tier in (self._minutes, self._quarters):
            for left in self._of_the_writer(tier):
                self._attempt(partial(tier.shelf.append, left))

    def _write_blocks(self, tier: Tier, full: list[Block], filling: Block | None) -> list[Block]:
        """Write blocks; returns those that could not be."""
        for n, block in enumerate(full):
            if not self._attempt(partial(tier.shelf.append, block)):
                return full[n:]
        if filling is not None and tier is not self._seconds:
            self._attempt(partial(tier.shelf.keep_open, filling))
        return []

    def _attempt(self, act: Callable[[], None]) -> bool:
        """Whether it worked. Trouble with the disk is said once, and once more when it is over."""
        try:
            act()
        except OSError as error:
            if not self._in_trouble:
                _log.warning("the past cannot be kept: %s", error)
            self._in_trouble = True
            return False
        if self._in_trouble:
            _log.info("the past is kept again")
        self._in_trouble = False
        return True
