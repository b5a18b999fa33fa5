"""Three servers; one is killed, one is frozen. How the third fares, and how long loss and return take to show."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import private_server
from tests.integration.ssh.lab import RemoteAgent, definition, fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.manager import FleetManager
    from tests.rig.server import Server


def measure() -> dict[str, float]:
    """Seconds until the loss shows and until the return shows; the longest stall of the loop and of the feed."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(private_server(f"fault{n}", 3)) for n in range(3)]
        agents = [RemoteAgent(server) for server in servers]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for agent in agents:
            agent.start()
            stack.callback(agent.kill)
        return asyncio.run(_measure(agents, folder))


async def _measure(agents: list[RemoteAgent], folder: Path) -> dict[str, float]:
    config = folder / "ssh_config"
    config.write_text("".join(Path(agent.server.ssh_config).read_text() for agent in agents))
    definitions = [definition(agent, name=agent.server.name) for agent in agents]
    async with fleet(folder / "home", config, *definitions) as our:
        for agent in agents:
            await our.up(agent.server.name)
        await asyncio.sleep(5)  # past the first figures of all
        return await _break(our.manager, [agent.server for agent in agents])


async def _break(fleet: FleetManager, servers: list[Server]) -> dict[str, float]:
    steady, killed, frozen = (server.name for server in servers)
    watch = asyncio.create_task(_watch(fleet, steady))
    try:
        start = time.monotonic()
        servers[1].signal("sshd", signal.SIGKILL)
        servers[2].signal("sshd", signal.SIGSTOP)
        states = fleet.state.servers
        await _until(lambda: not states[killed].live, 30)
        kill_seen = time.monotonic() - start
        await _until(lambda: not states[frozen].live, 30)
        freeze_seen = time.monotonic() - start
        await asyncio.sleep(10)
        back = time.monotonic()
        servers[1].start_sshd()
        servers[2].signal("sshd", signal.SIGCONT)
        await _until(lambda: states[killed].live, 30)
        kill_back = time.monotonic() - back
        await _until(lambda: states[frozen].live, 30)
        freeze_back = time.monotonic() - back
    finally:
        watch.cancel()
        stalls = await watch
    return {
        "killed server: loss shows, s": kill_seen,
        "frozen server: loss shows, s": freeze_seen,
        "killed server: back after its return, s": kill_back,
        "frozen server: back after its return, s": freeze_back,
        "longest stall of the event loop, ms": stalls[0] * 1000,
        "longest wait between samples of the steady server, s (1.0 is due)": stalls[1],
    }


async def _watch(fleet: FleetManager, name: str) -> tuple[float, float]:
    """The longest time the loop did not turn, and the steady server's feed was silent."""
    worst_loop, worst_feed = 0.0, 0.0
    last, last_seen, last_change = time.monotonic(), 0.0, time.monotonic()
    try:
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            worst_loop, last = max(worst_loop, now - last - 0.01), now
            seen = fleet.state.servers[name].seen
            if seen != last_seen:
                worst_feed, last_seen, last_change = max(worst_feed, now - last_change), seen, now
    except asyncio.CancelledError:
        return worst_loop, worst_feed


async def _until(condition: Callable[[], bool], timeout: float) -> None:
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)
