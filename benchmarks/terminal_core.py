"""The emulator core of the terminal pane: memory, return after a crash, output made to hang it, and how right it is.

A part of ``python -m benchmarks terminal``. How right it is, is held against the recordings in ``tests/unit/terminal``.
Where the variable ESCTEST names a clone of ThomasDickey/esctest2, its tests are run too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import rss_bytes
from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.host import WorkerHost
from tests.unit.terminal import esctest, fuzz, hostile
from tests.unit.terminal import test_terminal_features as features
from tests.unit.terminal import test_terminal_keys as key_tests
from tests.unit.terminal import test_terminal_recordings as recordings
from tests.unit.terminal import test_terminal_vttest as vttest
from tests.unit.terminal.test_terminal_worker import LETHAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from komodo_tui.ui.terminal.core import PaneCore

_LINES = 10_000
_CRASHES = 5
_FUZZ_SECONDS = 40.0
_CORE_TESTS = "|".join(f"^{name}Tests" for name in esctest.CORE)


def measure() -> dict[str, object]:
    """All of it."""
    figures = asyncio.run(_history()) | _comes_back() | _hostile()
    return figures | _right()


async def _history() -> dict[str, object]:
    """Memory of one more terminal whose history is full."""
    host = WorkerHost()
    try:
        first = await host.open(80, 24, Options(history=_LINES))
        await _fill(first, b"warm\r\n" * 100)
        assert host.pid is not None
        before = rss_bytes(host.pid)
        second = await host.open(80, 24, Options(history=_LINES))
        await _fill(second, b"".join(b"%06d %s\r\n" % (number, b"x" * 70) for number in range(_LINES + 100)))
        grown = rss_bytes(host.pid) - before
    finally:
        await host.close()
    return {"memory of 10,000 lines at 80 columns, MB": grown / 1e6}


def _comes_back() -> dict[str, object]:
    figures: dict[str, object] = {}
    for what, end in (("killed", _kill), ("killed by its output", _crash)):
        found = [asyncio.run(_back(end)) for _ in range(_CRASHES)]
        figures[f"a core {what} is back with its screen, median ms"] = 1000 * statistics.median(found)
        figures[f"  the slowest of {_CRASHES}, {what}, ms"] = 1000 * max(found)
    return figures


async def _back(end: Callable[[WorkerHost, PaneCore], Awaitable[None]]) -> float:
    """Seconds from the death of a core until it is back with its screen."""
    host = WorkerHost(guarded=False)
    try:
        core = await host.open(200, 50, Options(history=_LINES))
        await _fill(core, b"the last screen\r\n")
        while not host.is_warm:
            await asyncio.sleep(0.05)
        death = _death(host.pid or 0)
        await end(host, core)
        frame = await core.take_frame(force=True)
        back = time.perf_counter()
        assert host.restarts == 1, "it did not die"
        assert any("the last screen" in text for _, row in frame.dirty for text, _, _ in row), "the screen is another"
        return back - await death
    finally:
        await host.close()


def _death(pid: int) -> asyncio.Future[float]:
    """When the process dies."""
    loop, process = asyncio.get_running_loop(), os.pidfd_open(pid)
    found: asyncio.Future[float] = loop.create_future()

    def died() -> None:
        found.set_result(time.perf_counter())
        loop.remove_reader(process)
        os.close(process)

    loop.add_reader(process, died)
    return found


async def _kill(host: WorkerHost, _core: PaneCore) -> None:
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)


async def _crash(_host: WorkerHost, core: PaneCore) -> None:
    """With the guard off: what a guarded core survives."""
    await core.feed(LETHAL)


async def _fill(core: PaneCore, data: bytes) -> None:
    for begin in range(0, len(data), 1 << 16):
        await core.feed(data[begin : begin + (1 << 16)])
    await core.take_frame(force=True)


def _hostile() -> dict[str, object]:
    found = {name: asyncio.run(hostile.run(make())) for name, make in hostile.STREAMS.items()}
    slowest = max(found, key=lambda name: found[name].slowest)
    random = asyncio.run(fuzz.run(_FUZZ_SECONDS, seed=int(time.time())))
    return {
        "streams made to hang it, the slowest piece, ms": 1000 * found[slowest].slowest,
        "  which": slowest,
        "  of the processor, the busiest piece, ms": 1000 * max(each.busiest for each in found.values()),
        "  the most that a worker grew, MB": max(each.grown for each in found.values()) / 1e6,
        "  restarts": sum(each.restarts for each in found.values()),
        f"mutated recordings in {_FUZZ_SECONDS:.0f} s": random.rounds,
        "  the slowest piece, ms": 1000 * random.slowest,
        "  the busiest piece, processor ms": 1000 * random.busiest,
        "  the worker at the end, MB": random.memory / 1e6,
        "  restarts ": random.restarts,
    }


def _right() -> dict[str, object]:
    wrong = {name: recordings.differences(name, recordings.replayed(name, cut=False)) for name in recordings.NAMES}
    unlike_xterm = sum(len(set(cells) - recordings.OTHERWISE.get(name, set())) for name, cells in wrong.items())
    figures: dict[str, object] = {
        f"cells of {len(wrong)} recorded programs otherwise than in tmux": sum(map(len, wrong.values())),
        "  and than in xterm": unlike_xterm,
        f"vttest: checkpoints of {len(vttest.CHECKPOINTS)} as in xterm": vttest.same(),
    }
    figures[f"feature streams of {len(features.SHOWN)} as in tmux or xterm"] = features.alike()
    for mode, before in (("normal", b""), ("application-cursor", b"\x1b[?1h")):
        wrong_keys = len(key_tests.wrong_keys("ghostty", before))
        figures[f"keys of {len(key_tests.SAME)} as a terminal sends them, {mode}"] = len(key_tests.SAME) - wrong_keys
    checkout = os.environ.get("ESCTEST")
    if checkout is None:
        figures["esctest: cases of the core VT part"] = "no ESCTEST"
    else:
        results = esctest.run(Path(checkout), include=_CORE_TESTS)
        core = {name: result for name, result in results.items() if esctest.is_core(name) and result != "skipped"}
        figures[f"esctest: cases of {len(core)} of the core VT part"] = sum(each == "ok" for each in core.values())
    return figures
