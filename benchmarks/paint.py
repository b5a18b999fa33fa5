"""When the program shows its first screen and its first container, and what it writes while nothing happens."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.lab import environment, private_server, program, start_idle
from benchmarks.measure import Terminal, matching, time_command
from tests.rig.processes import stop

ROUNDS = 7
IDLE_SECONDS = 60.0
_DEAD_PORT = 2299


def measure() -> dict[str, float]:
    """Seconds from the start of the process, medians; bytes in a quiet minute."""
    first, rows = [], []
    with private_server("paint") as server, tempfile.TemporaryDirectory() as folder:
        for n in range(5):
            start_idle(server, f"marker-{n}")
        env = environment(Path(folder), DOCKER_HOST=server.docker_host)
        time_command(program("server", "add", "local", "local"), env)
        server.drop(_DEAD_PORT)
        time_command(program("server", "add", "dead", f"root@{server.address}:{_DEAD_PORT}"), env)
        for _ in range(ROUNDS):
            for pid in matching(f"{folder}/"):
                stop(pid)
            with Terminal(program("--tab", "containers"), env) as terminal:
                first.append(terminal.until(lambda seen: b"Containers" in seen, 10) or float("nan"))
                rows.append(terminal.until(lambda seen: b"marker-0" in seen, 10) or float("nan"))
        with Terminal(program("--tab", "containers"), env) as terminal:
            terminal.until(lambda seen: b"marker-0" in seen, 10)
            terminal.pump(10)
            idle = terminal.pump(IDLE_SECONDS)
        for pid in matching(f"{folder}/"):
            stop(pid)
    return {
        "first paint, s": statistics.median(first),
        "first container row, s": statistics.median(rows),
        f"bytes written in {IDLE_SECONDS:.0f} idle seconds": idle,
    }
