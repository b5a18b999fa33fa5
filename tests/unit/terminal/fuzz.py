"""Mutated recordings into a guarded worker. ``python -m tests.unit.terminal.fuzz [SECONDS]``

Says how often the worker had to be restarted, the longest that one piece took, and what its memory came to.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.host import WorkerHost
from tests.unit.terminal.hostile import processor, resident

FOLDER = Path(__file__).parent / "recordings"
_PIECES = (
    b"\x1b", b"\x9b", b"\xff\xfe", b"\xf0\x9f", b"\x1b[999999999;1H", b"\x1b]0;", b"\x1bP", b"\x18", b"\x1b[?1049h",
    b"\x1b[?1049l", b"\x1b[1000@", b"\x1b[99999b", b"\x1b]8;;x\x1b\\", b"\x1b[r", b"\x1bc", b"\x00" * 20,
)  # fmt: skip


class Found(NamedTuple):
    """What a run came to."""

    rounds: int
    restarts: int
    slowest: float
    """Seconds that the slowest piece took."""
    busiest: float
    """Of processor time the most that one took: without what others on the machine took."""
    memory: int
    """Resident bytes of the worker at the end."""


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The recording with bytes changed, taken out, repeated, and sequences put in."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 60)):
        at = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at : at + chance.randrange(1, 40)]
        elif kind == 2:
            changed[at:at] = chance.choice(_PIECES)
        else:
            changed[at:at] = changed[at : at + chance.randrange(1, 400)]
        if not changed:
            break
    return bytes(changed)


async def run(seconds: float = 0.0, rounds: int = 0, seed: int = 1) -> Found:
    """Feed for some seconds, or some rounds."""
    chance = random.Random(seed)
    recordings = [path.read_bytes() for path in sorted(FOLDER.glob("*.out"))]
    host, slowest, busiest, count, end = WorkerHost(), 0.0, 0.0, 0, time.monotonic() + seconds
    try:
        core = await host.open(80, 24, Options(history=1000))
        while count < rounds or time.monotonic() < end:
            count += 1
            data = mutated(chance.choice(recordings), chance)
            for at in range(0, len(data), 4096):
                pid, begin = host.pid or 0, time.perf_counter()
                used = processor(pid)
                await core.feed(data[at : at + 4096])
                slowest = max(slowest, time.perf_counter() - begin)
                if host.pid == pid:
                    busiest = max(busiest, processor(pid) - used)
            await core.take_frame(force=True)
            if count % 20 == 0:
                await core.resize(chance.randrange(2, 200), chance.randrange(2, 60))
        return Found(count, host.restarts, slowest, busiest, resident(host.pid or 0))
    finally:
        await host.close()


def main() -> int:
    """Run and say."""
    found = asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, seed=int(time.time())))
    print(f"{found.rounds} rounds, {found.restarts} restarts, slowest piece {1000 * found.slowest:.0f} ms, "
          f"{1000 * found.busiest:.0f} ms of the processor, {found.memory >> 20} MiB")  # fmt: skip
    return 1 if found.restarts else 0


if __name__ == "__main__":
    sys.exit(main())
