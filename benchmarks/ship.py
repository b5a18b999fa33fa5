"""Bringing an image to a second server against ``docker save | ssh … docker load``, in turns in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import private_server, stop_agents
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.ship_plans import prepare_ship
from tests.integration.resources.lab import act
from tests.integration.ship.lab import load_image
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.packages import find

if TYPE_CHECKING:
    from tests.integration.ssh.lab import Fleet
    from tests.rig.server import Server

ROUNDS = 5
MIB = 1 << 20
BASE = (("system", 150 * MIB), ("libraries", 100 * MIB), ("assets", 45 * MIB))
FIRST, SECOND = "shop/api:1", "shop/api:2"


def measure() -> dict[str, float]:
    """Seconds and shares, medians."""
    with ExitStack() as stack:
        alpha = stack.enter_context(private_server("ship-a"))
        beta = stack.enter_context(private_server("ship-b"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        agents = [RemoteAgent(server) for server in (alpha, beta)]
        for agent in agents:
            agent.start()
            stack.callback(agent.kill)
        stack.callback(stop_agents, str(folder))
        load_image(alpha, FIRST, *BASE, ("api-1", 5 * MIB))
        load_image(alpha, SECOND, *BASE, ("api-2", 5 * MIB))
        (folder / "ssh_config").write_text("".join(Path(one.ssh_config).read_text() for one in (alpha, beta)))
        os.environ["DOCKER_HOST"] = alpha.docker_host  # of "here", this machine
        stack.callback(os.environ.pop, "DOCKER_HOST")
        return asyncio.run(_measure(agents[0], agents[1], folder))


async def _measure(alpha: RemoteAgent, beta: RemoteAgent, folder: Path) -> dict[str, float]:
    figures: dict[str, list[float]] = {}
    here = ServerDefinition(name="here", address="local")
    servers = (here, definition(alpha, "alpha"), definition(beta, "beta"))
    async with fleet(folder / "home", folder / "ssh_config", *servers) as our:
        for name in ("here", "alpha", "beta"):
            await our.up(name)
        for _ in range(ROUNDS):
            for what, source in (("from this machine", "here"), ("between two servers", "alpha")):
                await asyncio.to_thread(_forget, beta.server)
                theirs = await asyncio.to_thread(_plain, alpha.server, beta.server, over_ssh=source == "alpha")
                await asyncio.to_thread(_forget, beta.server)
                ours, first = await _ours(our, FIRST, source)
                again, second = await _ours(our, SECOND, source)
                for label, value in (
                    (f"save | ssh load, {what}", theirs), (f"ours, {what}", ours),
                    (f"ours over theirs, {what}", ours - theirs), (f"second version, {what}", again),
                    (f"bytes of the second version, % of the first's, {what}", 100 * second / first),
                ):  # fmt: skip
                    figures.setdefault(label, []).append(value)
    return {what: statistics.median(values) for what, values in sorted(figures.items())}


async def _ours(our: Fleet, image: str, source: str) -> tuple[float, int]:
    """Seconds from the wish to the end of the act, and bytes on the wire."""
    start = time.perf_counter()
    record = await act(our, await prepare_ship(our.manager, image, ["beta"], source))
    assert record.outcome == "success", record
    return time.perf_counter() - start, int(record.steps[0].result["sent"])


def _plain(alpha: Server, beta: Server, *, over_ssh: bool) -> float:
    docker = find("docker") or "docker"
    save = [docker, "-H", alpha.docker_host, "save", FIRST]
    if over_ssh:
        save = ["ssh", "-F", alpha.ssh_config, alpha.name, *save]
    load = ["ssh", "-F", beta.ssh_config, beta.name, docker, "-H", beta.docker_host, "load", "-q"]
    start = time.perf_counter()
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saving:
        subprocess.run(load, stdin=saving.stdout, check=True, capture_output=True)
    return time.perf_counter() - start


def _forget(server: Server) -> None:
    for image in (FIRST, SECOND):
        if server.docker("image", "ls", "-q", image).strip():
            server.docker("image", "rm", image)
