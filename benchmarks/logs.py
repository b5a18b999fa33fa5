"""Following a container that writes as fast as it can, over SSH, against ``docker logs -f | wc -l`` on that engine.

Both start from a fresh container that does nothing but write, and see as much of its log as they can in the same
time. Then the program's own screen follows one, while keys are pressed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import environment, private_server, program
from benchmarks.measure import Terminal, cpu_seconds, rss_bytes
from komodo_tui.operations.logs import LogOptions, LogTarget, MergedLogs
from komodo_tui.wiring import build_runtime
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.packages import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

ROUNDS = 5
SECONDS = 8.0
KEYS = 120
_LINE = "a line of log as programs write them, about as long as most are"
_ECHO = [
    sys.executable, "-c",
    "import os, tty; tty.setraw(0); os.write(1, b'ready')\nwhile True: os.write(1, os.read(0, 64))",
]  # fmt: skip
_FIRST_LETTER = 0x100
"""Letters that stand in no log line, so that one on the screen is one that was typed."""


def measure() -> dict[str, float]:
    """Lines per second, the median of the ratios of each round, milliseconds from key to paint, megabytes."""
    with private_server("follow") as server, tempfile.TemporaryDirectory() as folder:
        agent = RemoteAgent(server)
        agent.start()
        try:
            ours, theirs = asyncio.run(_rates(agent, Path(folder) / "rates"))
            keys, bare, work, memory = _keys(agent, Path(folder) / "keys")
        finally:
            agent.kill()
    keys.sort()
    bare.sort()
    return {
        "docker logs -f | wc -l, lines/s": statistics.median(theirs),
        "ours over SSH, lines/s": statistics.median(ours),
        "ours / docker logs": statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        "key to paint meanwhile, median, ms": statistics.median(keys) * 1000,
        "CPU of the program for a key and 0.1 s after it, mean, ms": work * 1000,
        "key to paint meanwhile, p95, ms": keys[int(len(keys) * 0.95)] * 1000,
        "the same of a program that only echoes, median, ms": statistics.median(bare) * 1000,
        "the same of a program that only echoes, p95, ms": bare[int(len(bare) * 0.95)] * 1000,
        "memory of the program before, MB": memory[0] / 1e6,
        "memory of the program after, MB": memory[1] / 1e6,
    }


@contextlib.contextmanager
def _flood(server: Server) -> Iterator[str]:
    """A container that writes as fast as it can; gone afterwards."""
    container = server.docker("run", "-d", "--network", "none", "--name", "flood", "busybox", "yes", _LINE).strip()
    try:
        yield container
    finally:
        server.docker("rm", "-f", "flood")


async def _rates(agent: RemoteAgent, home: Path) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    async with fleet(home, agent.server.ssh_config, definition(agent)) as our:
        await our.up("alpha")
        for _ in range(ROUNDS):
            with _flood(agent.server):
                theirs.append(await asyncio.to_thread(_docker_rate, agent.server))
            with _flood(agent.server) as container:
                await our.container("alpha", "flood")
                target = LogTarget(server="alpha", container=container, name="flood")
                merged = MergedLogs(lambda name: our.manager.link(name).client(), [target], LogOptions(follow=True))
                ours.append(await _our_rate(merged))
    return ours, theirs


def _docker_rate(server: Server) -> float:
    docker = f"{shlex.quote(find('docker') or 'docker')} -H {shlex.quote(server.docker_host)}"
    process = subprocess.Popen(
        ["sh", "-c", f"exec timeout {SECONDS} {docker} logs -f flood 2>/dev/null | wc -l"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = process.communicate(timeout=SECONDS * 4)
    return int(out) / SECONDS


async def _our_rate(merged: MergedLogs) -> float:
    lines = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS), merged:
            async for batch in merged:
                lines += batch.data.count(b"\n")
    return lines / SECONDS


def _keys(agent: RemoteAgent, home: Path) -> tuple[list[float], list[float], float, tuple[int, int]]:
    """Seconds from each key to the bytes that show it, while the screen follows the log; memory before and after.

    In between, the same keys go to a program that does nothing but echo: what the machine alone makes of it.
    """
    home.mkdir()
    asyncio.run(_define(agent, home))
    command = program("--ssh-config", agent.server.ssh_config)
    env = environment(home)
    with _flood(agent.server), Terminal(command, env) as terminal, Terminal(_ECHO, env) as echo:
        echo.must(lambda seen: b"ready" in seen, 20)
        terminal.must(lambda seen: b"Containers" in seen, 20)
        terminal.type(b"3")
        terminal.must(lambda seen: b"busybox" in seen, 30)  # its image: only the table of containers has it
        terminal.pump(1)
        before = rss_bytes(terminal.pid)
        terminal.type(b"l")
        terminal.must(lambda seen: b"FOLLOW" in seen, 20)
        terminal.pump(SECONDS)
        terminal.type(b"/q")  # one letter stays, as while somebody types: without any there is no pattern to show
        terminal.pump(2)
        delays, bare, work = [], [], []
        for n in range(KEYS):
            used = cpu_seconds([terminal.pid])
            delays.append(_key(terminal, n))
            work.append(cpu_seconds([terminal.pid]) - used)
            bare.append(_key(echo, n, meanwhile=terminal))
        return delays, bare, statistics.fmean(work), (before, rss_bytes(terminal.pid))


async def _define(agent: RemoteAgent, home: Path) -> None:
    runtime = build_runtime(home=home, ssh_config=Path(agent.server.ssh_config))
    try:
        await runtime.servers.add(definition(agent))
    finally:
        await runtime.close()


def _key(terminal: Terminal, n: int, meanwhile: Terminal | None = None) -> float:
    """Type a letter nobody has seen yet, wait until it is on the screen, take it away."""
    letter = chr(_FIRST_LETTER + n).encode()
    terminal.forget()
    begun = time.perf_counter()
    terminal.type(letter)
    terminal.must(lambda seen: letter in seen, 10)
    delay = time.perf_counter() - begun
    terminal.type(b"\x7f")
    (meanwhile or terminal).pump(0.1)
    return delay
