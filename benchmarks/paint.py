"""When the program shows its first screen and its first container, with a dead server in the list."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.lab import environment, private_server, program, start_idle, stop_agents
from benchmarks.measure import Terminal, cpu_seconds, time_command

ROUNDS = 9
_DEAD_PORT = 2299


def measure() -> dict[str, float]:
    """Seconds from the start of the process, medians."""
    found: dict[str, float] = {}
    with private_server("paint") as server, tempfile.TemporaryDirectory() as folder:
        for n in range(5):
            start_idle(server, f"marker-{n}")
        env = environment(Path(folder), DOCKER_HOST=server.docker_host)
        time_command(program("server", "add", "local", "local"), env)
        server.drop(_DEAD_PORT)
        time_command(program("server", "add", "dead", f"root@{server.address}:{_DEAD_PORT}", "--timeout", "1"), env)
        for agent in ("agent to be started", "agent running"):
            first, rows, work = [], [], []
            for _ in range(ROUNDS):
                if agent == "agent to be started":
                    stop_agents(folder)
                paint, row, cpu = _round(env)
                first.append(paint)
                rows.append(row)
                work.append(cpu)
            found[f"first paint, {agent}, s"] = statistics.median(first)
            found[f"first container row, {agent}, s"] = statistics.median(rows)
            found[f"first paint, {agent}, s of CPU"] = statistics.median(work)
        stop_agents(folder)
    return found


def _round(env: dict[str, str]) -> tuple[float, float, float]:
    """Both times, and the processor time up to the first paint.

    The tab strip is there; the key of the Containers tab, pressed then, has brought a container.
    """
    with Terminal(program(), env) as terminal:
        paint = terminal.must(lambda seen: b"Containers" in seen, 30)
        cpu = cpu_seconds([terminal.pid])
        terminal.type(b"3")
        row = terminal.must(lambda seen: b"marker-0" in seen, 30)
    return paint, row, cpu
