"""What the agent costs with 150 running containers, against ``docker stats`` in the same run."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.lab import engine_pids, environment, private_server
from benchmarks.measure import cpu_seconds, rss_bytes
from tests.rig.packages import find
from tests.rig.processes import stop, wait_for

if TYPE_CHECKING:
    from tests.rig.server import Server

CONTAINERS = 150
SECONDS = 30.0


def measure() -> dict[str, float]:
    """Percent of a core, megabytes, and the ratio."""
    with private_server("agent", CONTAINERS) as server, tempfile.TemporaryDirectory() as folder:
        engine = engine_pids(server)
        floor = asyncio.run(_share(engine, SECONDS))
        agent, agent_engine, memory = asyncio.run(_agent(server, Path(folder), engine))
        stats, stats_engine = asyncio.run(_docker_stats(server, engine))
    ours = agent + max(0.0, agent_engine - floor)
    theirs = stats + max(0.0, stats_engine - floor)
    return {
        "containers": CONTAINERS,
        "engine alone, % of a core": floor,
        "agent, % of a core": agent,
        "engine with agent, % of a core": agent_engine,
        "agent resident, MB": memory / 1e6,
        "docker stats, % of a core": stats,
        "engine with docker stats, % of a core": stats_engine,
        "docker stats / agent, own and engine's": theirs / ours if ours else float("inf"),
    }


async def _share(pids: list[int], seconds: float) -> float:
    before = cpu_seconds(pids)
    await asyncio.sleep(seconds)
    return (cpu_seconds(pids) - before) / seconds * 100


async def _agent(server: Server, folder: Path, engine: list[int]) -> tuple[float, float, float]:
    socket = folder / "agent.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "komodo_agent", "serve", "--socket", str(socket), "--docker-host", server.docker_host,
         "--state", str(folder / "state")],
        env=environment(folder), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(socket.exists, 20, what="the agent's socket")
        connector = aiohttp.UnixConnector(str(socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect("http://agent/v1/feed", max_msg_size=0) as feed,
        ):
            reader = asyncio.create_task(_drain(feed))
            await asyncio.sleep(10)  # past the start: imports, the first list, the first inspects
            before = cpu_seconds([process.pid]), cpu_seconds(engine)
            await asyncio.sleep(SECONDS)
            own = (cpu_seconds([process.pid]) - before[0]) / SECONDS * 100
            theirs = (cpu_seconds(engine) - before[1]) / SECONDS * 100
            memory = rss_bytes(process.pid)
            reader.cancel()
            return own, theirs, memory
    finally:
        stop(process.pid)


async def _drain(feed: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in feed:
        pass


async def _docker_stats(server: Server, engine: list[int]) -> tuple[float, float]:
    process = subprocess.Popen(
        [find("docker") or "docker", "-H", server.docker_host, "stats"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await asyncio.sleep(10)
        before = cpu_seconds([process.pid]), cpu_seconds(engine)
        await asyncio.sleep(SECONDS)
        return (
            (cpu_seconds([process.pid]) - before[0]) / SECONDS * 100,
            (cpu_seconds(engine) - before[1]) / SECONDS * 100,
        )
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.wait(10)
