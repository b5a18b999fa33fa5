"""How long the headless verbs take, against ``python -c pass`` in the same run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.lab import environment, private_server, program, stop_agents
from benchmarks.measure import interleaved

ROUNDS = 11


def measure() -> dict[str, float]:
    """Medians in milliseconds, and what each verb adds to a bare interpreter."""
    with private_server("startup", 10) as server, tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder), DOCKER_HOST=server.docker_host)
        commands = {
            "pass": [sys.executable, "-c", "pass"],
            "version": program("--version"),
            "status, agent running": program("status", "--json"),
        }
        warm = interleaved(commands, ROUNDS, env)
        cold_runs = []
        for _ in range(ROUNDS):
            stop_agents(folder)
            cold_runs.append(interleaved({"status": program("status", "--json")}, 1, env)["status"].wall)
        stop_agents(folder)
    base = warm["pass"].wall * 1000
    cold = sorted(cold_runs)[len(cold_runs) // 2] * 1000
    return {
        "python -c pass, ms": base,
        "--version, ms more": warm["version"].wall * 1000 - base,
        "status --json (agent runs already), ms more": warm["status, agent running"].wall * 1000 - base,
        "status --json (starting the agent), ms more": cold - base,
        "--version, ms of CPU more": (warm["version"].cpu - warm["pass"].cpu) * 1000,
        "status --json (agent runs already), ms of CPU more": (warm["status, agent running"].cpu - warm["pass"].cpu)
        * 1000,
    }
