"""What the program writes to the terminal while nothing changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.lab import environment, private_server, program, start_idle, stop_agents
from benchmarks.measure import Terminal

SECONDS = 60.0
_SETTLED = 15.0
"""Seconds for what a start brings: first figures, histories."""


def measure() -> dict[str, float]:
    """Bytes in a quiet minute, on a list of containers that do nothing."""
    with private_server("idle") as server, tempfile.TemporaryDirectory() as folder:
        for n in range(5):
            start_idle(server, f"marker-{n}")
        with Terminal(program(), environment(Path(folder), DOCKER_HOST=server.docker_host)) as terminal:
            terminal.until(lambda seen: b"Containers" in seen, 10)
            terminal.type(b"3")
            if terminal.until(lambda seen: b"marker-0" in seen, 20) is None:
                raise RuntimeError("no container came on screen")
            terminal.pump(_SETTLED)
            before = len(terminal.output)
            terminal.pump(SECONDS)
            written = bytes(terminal.output[before:])
        stop_agents(folder)
    return {f"bytes in {SECONDS:.0f} s": len(written)}
