"""Three servers; one is killed, one is frozen. How the third fares, and how long loss and return take to show."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import environment, private_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.manager import FleetManager
    from tests.rig.server import Server


def measure() -> dict[str, float]:
    """Seconds until the loss shows and until the return shows; the longest stall of the loop and of the feed."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(private_server(f"fault{n}", 3)) for n in range(3)]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ.update(environment(folder))
        return asyncio.run(_measure(servers, folder))


async def _measure(servers: list[Server], folder: Path) -> dict[str, float]:
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.prompts import NoPrompter
    from komodo_tui.wiring import build_runtime

    _write_ssh_config(folder, servers)
    runtime = build_runtime(home=folder, prompter=NoPrompter)
    for server in servers:
        runtime.definitions.put(
            "server", server.name, ServerDefinition(name=server.name, address=server.name), rev=None
        )
    await runtime.start()
    fleet = runtime.fleet
    try:
        await _until(lambda: all(s.status in ("up", "agent_missing") for s in fleet.state.servers.values()), 30)
        for server in servers:
            if fleet.state.servers[server.name].status != "up":
                await fleet.link(server.name).install_agent(lambda text: None)
        await _until(lambda: all(s.live for s in fleet.state.servers.values()), 60)
        return await _break(fleet, servers)
    finally:
        await runtime.close()


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


def _write_ssh_config(folder: Path, servers: list[Server]) -> None:
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/config").write_text("".join(Path(server.ssh_config).read_text() for server in servers))
    os.environ["HOME"] = str(home)
