"""A procedure of one ``run`` step on 200 simulated servers, 50 at a time: real sshd, real connections."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.lab import environment, private_server, program, stop_agents
from benchmarks.simulated import duration

SERVERS, AT_ONCE, ROUNDS = 200, 50, 5
_STEP = {"run": {"command": ["true"], "servers": "s*", "parallel": AT_ONCE}}
_NOTHING = {"sleep": {"seconds": "0s"}}


def measure() -> dict[str, float]:
    """Medians. The step's time is its own in the journal: connecting is not in it."""
    with private_server("fleet") as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agents = subprocess.Popen([sys.executable, "-m", "benchmarks.simulated", str(folder / "agents"), str(SERVERS)])
        try:
            while not (folder / "agents" / "ready").exists():
                time.sleep(0.1)
            env = environment(folder, DOCKER_HOST=server.docker_host)
            _define(folder, server.ssh_config, env)
            step, whole, idle = [], [], []
            for _ in range(ROUNDS):
                idle.append(_cpu(program("--ssh-config", server.ssh_config, "--run-procedure", "nothing"), env))
                whole.append(_cpu(program("--ssh-config", server.ssh_config, "--run-procedure", "all"), env))
                step.append(_step_seconds(env))
            stop_agents(name)
        finally:
            agents.terminate()
            agents.wait()
    slowest = duration(SERVERS - 1, SERVERS)
    return {
        "slowest server's command, s": slowest,
        "all commands one after the other, s": sum(duration(n, SERVERS) for n in range(SERVERS)),
        f"run step on {SERVERS} servers, {AT_ONCE} at once, s": statistics.median(step),
        "…times the slowest server's": statistics.median(step) / slowest,
        "own CPU of connecting to all and doing nothing, s": statistics.median(idle),
        "own CPU beyond that, ms a server": 1000 * (statistics.median(whole) - statistics.median(idle)) / SERVERS,
    }


def _define(folder: Path, ssh_config: str, env: dict[str, str]) -> None:
    host = Path(ssh_config).parent.name
    servers = [
        {"name": f"s{n:03d}", "address": host, "agent_socket": str(folder / "agents" / f"{n}.sock")}
        for n in range(SERVERS)
    ]
    procedures = [
        {"name": "all", "allow_dangerous": True, "stages": [{"steps": [_STEP]}]},
        {"name": "nothing", "stages": [{"steps": [_NOTHING]}]},
    ]
    recipe = folder / "fleet.yaml"
    recipe.write_text(json.dumps({"servers": servers, "procedures": procedures}))
    subprocess.run(program("apply", "-f", str(recipe), "--yes"), env=env, check=True, stdout=subprocess.DEVNULL)


def _cpu(command: list[str], env: dict[str, str]) -> float:
    """Processor seconds of one run. Raises RuntimeError where it failed."""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said.decode()[-2000:])
    return usage.ru_utime + usage.ru_stime


def _step_seconds(env: dict[str, str]) -> float:
    runs = subprocess.run(program("procedure", "runs", "all", "--json"), env=env, check=True, capture_output=True)
    run = json.loads(runs.stdout.splitlines()[0])["run"]
    log = subprocess.run(program("procedure", "log", run, "--json"), env=env, check=True, capture_output=True)
    entries = [json.loads(line) for line in log.stdout.splitlines()]
    return next(float(entry["seconds"]) for entry in entries if entry["k"] == "step_end")
