"""What the table of containers costs with 20,000 rows: sorting, filtering, and every row changing each second."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fleet import NOW, Fleet
from benchmarks.measure import yardstick
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.containers.listing import ContainerList
from tests.ui.still import StillFleet, still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Never

    from komodo_tui.ui.widgets.list_pane import ListPane

SERVERS, EACH = 20, 1000
ROUNDS = 7
SECONDS = 20
_PAINTED = 0.25
"""Seconds after an operation in which what it changed is painted."""
_FILTERS = {"": "", "word": "redis", "field": "state:exited", "regex": r"/^shop-1\d\d-(api|web)/", "fuzzy": "~shpdb"}


class _NoAgents(StillFleet):
    """Servers of which only what was fed in is known."""

    def link(self, name: str) -> _NoAgents:
        """Where the past of a container is asked for."""
        return self

    async def client(self, patience: float) -> Never:
        """There is nobody to ask."""
        raise HostUnreachableError("no agent")


def measure() -> dict[str, float]:
    """Medians of processor time in milliseconds; percent of a core."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    runtime = still_runtime(folder)
    runtime.fleet = _NoAgents()
    fleet = Fleet(runtime.fleet.state, SERVERS, EACH)
    fleet.take(fleet.frames(NOW))
    async with KomodoApp(runtime, tab="containers", now=lambda: NOW).run_test(size=(160, 50)) as pilot:
        await asyncio.sleep(2)  # past the first paint and the rest of its start
        pane = pilot.app.query_one(ContainerList).pane
        found: dict[str, float] = {"rows": len(pane.table.model.rows)}
        found["yardstick: two million additions, ms of CPU"] = yardstick() * 1000
        found.update(await _operations(pane))
        found["nothing changes, % of a core"] = await _share(None)
        for column in ("", "cpu"):
            pane.table.sort_by(column)
            name = column or "its natural order"
            found[f"all rows change at 1 Hz, by {name}, % of a core"] = await _share(fleet)
        return found


async def _operations(pane: ListPane[Any]) -> dict[str, float]:
    """Each filter and order, from what the person set before to the painted screen."""
    quiet = statistics.median([await _cost(lambda: None) for _ in range(ROUNDS)])
    found = {}
    for name, text in _FILTERS.items():
        if text:
            costs = []
            for _ in range(ROUNDS):
                costs.append(await _cost(lambda text=text: pane.set_filter(text)))  # type: ignore[misc]
                await _cost(lambda: pane.set_filter(""))
            found[f"filter by {name}, ms of CPU"] = (statistics.median(costs) - quiet) * 1000
    for column in ("name", "cpu", "image"):
        costs = []
        for _ in range(ROUNDS):
            costs.append(await _cost(lambda column=column: pane.table.sort_by(column)))  # type: ignore[misc]
            await _cost(lambda: pane.table.sort_by(""))
        found[f"sort by {column}, ms of CPU"] = (statistics.median(costs) - quiet) * 1000
    return found


async def _cost(operation: Callable[[], object]) -> float:
    """Processor time of an operation and of painting it."""
    start = time.process_time()
    operation()
    await asyncio.sleep(_PAINTED)
    return time.process_time() - start


async def _share(fleet: Fleet | None) -> float:
    """Percent of a core of taking every server's figures in and showing them, once a second."""
    seconds = [fleet.frames(NOW + n) for n in range(SECONDS)] if fleet is not None else [{}] * SECONDS
    begun, start = time.monotonic(), time.process_time()
    for n, frames in enumerate(seconds):
        if fleet is not None:
            # As from 20 servers: each frame comes at its own moment of the second.
            for name, frame in frames.items():
                fleet.take({name: frame})
                await asyncio.sleep(0.8 / len(frames))
        await asyncio.sleep(max(0.0, begun + n + 1 - time.monotonic()))
    return (time.process_time() - start) / (time.monotonic() - begun) * 100
