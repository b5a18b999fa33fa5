"""Output that is made to hang or to fill a terminal, into a guarded worker. ``python -m tests.unit.terminal.hostile``

Says for each how long the slowest piece took: how long the worker answered nobody.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.host import WorkerHost

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
PIECE = 32 << 10
"""What a core is given at once."""


def _broken_utf8() -> bytes:
    chance = random.Random(3)
    letters = ("é漢😀e\u0301" * 1000).encode()
    parts = [letters[chance.randrange(len(letters)) :][: chance.randrange(1, 7)] for _ in range(200_000)]
    return b"".join(parts)


STREAMS: dict[str, Callable[[], bytes]] = {
    "a line of 1,000,000 characters": lambda: b"x" * 1_000_000 + b"\r\n",
    "a line of 1,000,000 wide characters": lambda: ("漢" * 1_000_000).encode(),
    "OSC of 10 MB without an end": lambda: b"\x1b]0;" + b"x" * 10 * MIB,
    "OSC 52 of 10 MB without an end": lambda: b"\x1b]52;c;" + b"A" * 10 * MIB,
    "DCS of 10 MB without an end": lambda: b"\x1bPq" + b"x" * 10 * MIB,
    "APC of 10 MB without an end": lambda: b"\x1b_G" + b"x" * 10 * MIB,
    "PM of 10 MB without an end": lambda: b"\x1b^" + b"x" * 10 * MIB,
    "CSI of 10 MB without an end": lambda: b"\x1b[" + b"1;" * 5 * MIB,
    "malformed UTF-8": _broken_utf8,
    "100,000 combining characters in a cell": lambda: ("e" + "\u0301" * 100_000).encode(),
    "100,000 questions": lambda: b"\x1b[6n" * 100_000,
    "100,000 styles": lambda: b"".join(
        b"\x1b[38;2;%d;%d;%dmx" % (n & 255, n >> 8 & 255, n % 251) for n in range(100_000)
    ),
    "100,000 hyperlinks": lambda: b"".join(b"\x1b]8;;http://x/%d\x1b\\x" % n for n in range(100_000)),
    "10,000 huge repetitions": lambda: b"x\x1b[99999b" * 10_000,
    "10,000 huge scrolls": lambda: b"\x1b[99999S\x1b[99999T\x1b[99999L\x1b[99999M" * 10_000,
    "10,000 changes of the screen": lambda: b"\x1b[?1049hx\x1b[?1049l" * 10_000,
}


class Found(NamedTuple):
    """What a stream came to."""

    slowest: float
    """Seconds that the slowest piece, or picture, took from question to answer."""
    busiest: float
    """Of processor time the most that one took: without what others on the machine took."""
    grown: int
    """Bytes that the worker is larger than before."""
    restarts: int


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def resident(pid: int) -> int:
    """Bytes of memory that a process takes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def run(data: bytes, cols: int = 120, rows: int = 40) -> Found:
    """Feed it as a session would, with a picture after each piece."""
    host = WorkerHost()
    slowest = busiest = 0.0
    try:
        core = await host.open(cols, rows, Options())
        await core.take_frame(force=True)
        assert host.pid is not None
        before = resident(host.pid)
        for at in range(0, len(data), PIECE):
            for ask in (lambda at=at: core.feed(data[at : at + PIECE]), lambda: core.take_frame(force=True)):
                pid, begin = host.pid, time.perf_counter()
                used = processor(pid)
                await ask()
                slowest = max(slowest, time.perf_counter() - begin)
                if host.pid == pid:
                    busiest = max(busiest, processor(pid) - used)
        assert host.pid is not None
        return Found(slowest, busiest, resident(host.pid) - before, host.restarts)
    finally:
        await host.close()


def main() -> int:
    """Run all and say."""
    bad = 0
    for name, make in STREAMS.items():
        found = asyncio.run(run(make()))
        bad += found.restarts > 0
        print(f"{name:<45} {1000 * found.slowest:>7.1f} ms, {1000 * found.busiest:>7.1f} of the processor, "
              f"{found.grown / MIB:>6.1f} MiB more, {found.restarts} restarts", flush=True)  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
