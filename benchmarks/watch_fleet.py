"""A real watch of 500 simulated servers: real sshd, 500 connections, feeds of 40 containers each that never rest.

Each of the 200 rules for logs fits two containers of one server: 400 logs are followed, two lines a second in each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import environment, private_server, program, stop_agents
from benchmarks.measure import cpu_seconds, rss_bytes, yardstick
from komodo_tui.store.paths import StateDirectory
from komodo_tui.watch.turn import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS, EACH, RULES = 500, 40, 200
LASTS, WINDOW = 60.0, 60.0
"""Seconds the first server has to be busy; and of measuring."""
PATIENCE = 600.0


def measure() -> dict[str, float]:
    """Percent of a core, MB, seconds."""
    with private_server("watched") as server, tempfile.TemporaryDirectory(prefix="watched") as name:
        folder = Path(name)
        agents = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.simulated", str(folder / "agents"), str(SERVERS), "--containers",
             str(EACH)]
        )  # fmt: skip
        env = environment(folder, DOCKER_HOST=server.docker_host)
        try:
            _until(lambda: (folder / "agents" / "ready").exists())
            _define(folder, server.ssh_config, env)
            return _watched(folder, [*program("--ssh-config", server.ssh_config, "watch")], env)
        finally:
            agents.terminate()
            agents.wait()
            stop_agents(name)


def _define(folder: Path, ssh_config: str, env: dict[str, str]) -> None:
    limits = {"cpu": {"warning": 85, "critical": 101, "for": f"{LASTS:g}s"}}
    servers = [
        {"name": f"s{n:03d}", "address": Path(ssh_config).parent.name, "agent_socket": f"{folder}/agents/{n}.sock",
         "alerts": {} if n else limits}
        for n in range(SERVERS)
    ]  # fmt: skip
    rules = [
        {"name": f"rule-{n}", "match": f"s{n:03d} shop-000 !redis !db !worker", "pattern": "error: .* refused",
         "at_least": 3}
        for n in range(RULES)
    ]  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps({"alerts": {"logs": rules}}))
    path = folder / "fleet.yaml"
    path.write_text(json.dumps({"servers": servers}))
    subprocess.run(program("apply", "-f", str(path), "--yes"), env=env, check=True, stdout=subprocess.DEVNULL)


def _watched(folder: Path, command: list[str], env: dict[str, str]) -> dict[str, float]:
    log = folder / "said"
    root = StateDirectory(folder, folder, folder).root
    with log.open("wb") as said, subprocess.Popen(command, env=env, stdout=said, stderr=said) as watch:
        try:
            began = time.monotonic()
            _until(lambda: (holder := holder_of(root)) is not None and holder.servers >= SERVERS)
            connected, connecting = time.monotonic() - began, cpu_seconds([watch.pid])
            time.sleep(20)  # each feed has told more than once
            before = cpu_seconds([watch.pid])
            time.sleep(WINDOW)
            core = 100 * (cpu_seconds([watch.pid]) - before) / WINDOW
            (folder / "agents" / "busy").touch()
            _until(lambda: "/rule-0@s000" in log.read_text())
            read = time.time() - (folder / "agents" / "wrote").stat().st_mtime
            _until(lambda: "cpu s000" in log.read_text())
            late = time.time() - (folder / "agents" / "told").stat().st_mtime - LASTS
            return {
                "seconds until all are connected": connected,
                "… of the watch's processor": connecting,
                "percent of a core": core,
                "memory (MB)": rss_bytes(watch.pid) / 1e6,
                f"alert after {LASTS:g} s of what the feed told (s)": late,
                "alert of a log after its lines were sent (s)": read,
                "alerts in all": float(log.read_text().count("alert opened")),
                "yardstick (s)": yardstick(),
                "load": os.getloadavg()[0],
            }
        finally:
            watch.terminate()


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the watch does not get there")
        time.sleep(0.1)


if __name__ == "__main__":
    for what, value in measure().items():
        print(f"{what:<60} {value:>10.2f}")
    sys.exit(0)
