"""The run view with a run of 500 steps over 20 servers that goes on meanwhile: from a key to the paint."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.measure import yardstick
from komodo_tui.domain.operations import Actor, Target
from komodo_tui.domain.procedures import journal as j
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.runs import RunStore
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.pages.procedures import ProceduresPage
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES, STEPS, SERVERS = 25, 20, 20
KEYS = 200
RUN = "20260528-202640-a1b2c3"
_DONE = 320
"""Steps that have ended when somebody looks; the others end while keys are pressed."""


class _Watched(KomodoApp):
    """Tells of its paints."""

    painted = 0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted += 1


def measure() -> dict[str, float]:
    """Milliseconds by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


def _definition() -> ProcedureDefinition:
    step = {"run": {"command": ["true"], "servers": "server-*", "continue_on_error": True}}
    stages = [{"name": f"stage-{n}", "steps": [step] * STEPS} for n in range(STAGES)]
    return msgspec.convert({"name": "big", "allow_dangerous": True, "stages": stages}, ProcedureDefinition)


def _entries() -> Iterator[tuple[j.Entry, ...]]:
    """What the run writes, as much at once as a runner does."""
    targets = tuple(Target(server=f"server-{n:02d}") for n in range(SERVERS))
    for stage in range(STAGES):
        yield (j.StageStarted(stage=stage),)
        for step in range(STEPS):
            yield (j.StepStarted(stage=stage, step=step, targets=targets),)
            yield tuple(j.TargetStarted(stage=stage, step=step, target=t, attempt=1, action="x") for t in targets)
            for n, target in enumerate(targets):
                bad = (stage * STEPS + step + n) % 97 == 0
                yield (
                    j.TargetEnded(stage=stage, step=step, target=target, attempt=1, end="failed" if bad else "success",
                                  error="it ended with status 1" if bad else "", seconds=0.1,
                                  output=f"line of {target}\n" * 40),
                )  # fmt: skip
            yield (j.StepEnded(stage=stage, step=step, end="success", summary=f"{SERVERS} done", seconds=0.2),)
        yield (j.StageEnded(stage=stage, end="success"),)


async def _measure(folder: Path) -> dict[str, float]:
    definitions = DefinitionStore(folder / "definitions.json")
    definitions.put("procedure", "big", _definition(), None)
    runtime = still_runtime(folder)
    runtime.procedures = lambda: ProcedureDefinitions(definitions)
    store = RunStore(runtime.state_dir.runs)
    store.begin(j.RunStarted(run=RUN, procedure="big", definition=msgspec.to_builtins(_definition()), parameters={},
                             actor=Actor(name="ana"), pid=os.getpid()))  # fmt: skip
    rest = iter(_entries())
    ended = 0
    while ended < _DONE:
        entries = next(rest)
        store.append(RUN, *entries)
        ended += isinstance(entries[0], j.StepEnded)
    stop = threading.Event()
    writer = threading.Thread(target=_go_on, args=(store, rest, stop))
    with _held(store):
        app = _Watched(runtime, tab="procedures")
        async with app.run_test(size=(160, 50)) as pilot:
            found = await _keys(app, pilot, writer)
            stop.set()
            await asyncio.to_thread(writer.join)
    store.close()
    return found


def _held(store: RunStore) -> Any:
    """The lock that says the run is alive."""
    return store.lock(RUN)


def _go_on(store: RunStore, rest: Iterator[tuple[j.Entry, ...]], stop: threading.Event) -> None:
    """The run goes on: about eighty targets a second."""
    for entries in rest:
        if stop.wait(0.012):
            return
        store.append(RUN, *entries)


async def _keys(app: _Watched, pilot: Any, writer: threading.Thread) -> dict[str, float]:
    figures = {"yardstick: two million additions, ms of CPU": yardstick() * 1000}
    await _until(lambda: app.query(ProceduresPage) and app.query_one(ProceduresPage).book.read)
    page = app.query_one(ProceduresPage)
    start = time.monotonic()
    page._show_run(RUN)
    await _until(lambda: len(page.run_view.table.model.rows) > STAGES * STEPS)
    figures["10,000 lines, from the key to the list, ms"] = (time.monotonic() - start) * 1000
    await asyncio.sleep(1)
    writer.start()
    table, times = page.run_view.table, []
    for n in range(KEYS):
        key = ("pagedown", "down", "down", "down", "pageup", "down", "up", "down")[n % 8]
        before, painted, start = table.cursor, app.painted, time.monotonic()
        pressing = asyncio.create_task(pilot.press(key))
        await _until(lambda: table.cursor != before and app.painted > painted)  # noqa: B023 - used at once
        times.append((time.monotonic() - start) * 1000)
        await pressing
        await asyncio.sleep(0.05)
    times.sort()
    figures["a key, to the paint, median, ms"] = statistics.median(times)
    figures["a key, to the paint, p95, ms"] = times[int(0.95 * len(times))]
    figures["a key, to the paint, slowest, ms"] = times[-1]
    start = time.monotonic()
    await pilot.press("v")
    figures["the matrix of servers, ms"] = (time.monotonic() - start) * 1000
    return figures


async def _until(reached: Any) -> None:
    async with asyncio.timeout(60):
        while not reached():
            await asyncio.sleep(0.001)
