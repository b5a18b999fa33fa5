"""``--run-procedure`` with one restart step, against ``docker restart -t 0`` of the same container in the same run; and
:mod:`benchmarks.procedure_fleet`, :mod:`benchmarks.procedure_view`."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks import procedure_fleet, procedure_view
from benchmarks.lab import environment, private_server, program, start_idle, stop_agents
from benchmarks.measure import interleaved

ROUNDS = 11
_STAGES = [{"steps": [{"restart_containers": {"match": "idle", "grace": "0s"}}]}]


def measure() -> dict[str, float]:
    """Of one small run, of one over many servers, and of the view of a long one."""
    return {**_one_restart(), **procedure_fleet.measure(), **procedure_view.measure()}


def _one_restart() -> dict[str, float]:
    """Medians in milliseconds; resident memory of the run's process at most."""
    with private_server("procedure") as server, tempfile.TemporaryDirectory() as folder:
        start_idle(server, "idle")
        env = environment(Path(folder), DOCKER_HOST=server.docker_host)
        recipe = Path(folder) / "recipe.yaml"
        recipe.write_text(json.dumps({"procedures": [{"name": "one", "stages": _STAGES}]}))
        subprocess.run(program("apply", "-f", str(recipe), "--yes"), env=env, check=True, capture_output=True)
        commands = {
            "docker": ["docker", "restart", "-t", "0", "idle"],
            "run": program("--run-procedure", "one", "--quiet"),
        }
        found = interleaved(commands, ROUNDS, env)
        memory = _peak(commands["run"], env)
        stop_agents(folder)
    return {
        "docker restart -t 0, ms": found["docker"].wall * 1000,
        "--run-procedure, ms more": (found["run"].wall - found["docker"].wall) * 1000,
        "--run-procedure, ms of CPU": found["run"].cpu * 1000,
        "resident memory of the run at most, MB": memory / 1e6,
    }


def _peak(command: list[str], env: dict[str, str]) -> float:
    """Bytes that one run had resident at most."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024.0
