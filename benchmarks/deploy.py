"""What a deploy by the agent costs over plain ``docker compose up -d``, on the same engine, in turns in one run."""

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

from benchmarks.lab import private_server
from komodo_agent.wire.compose import ComposeDeploy, ComposeSource, HealthPolicy, StackFile
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import Stacks
from tests.rig import compose

if TYPE_CHECKING:
    from tests.rig.server import Server

ROUNDS = 8
HEALTH = HealthPolicy(window=30, steady=0)


def services(count: int) -> str:
    """A stack of so many services; the first changes with ``ROUND``."""
    text = "services:\n"
    for number in range(count):
        environment = "{ROUND: '${ROUND}'}" if number == 0 else "{}"
        text += (
            f"  s{number}:\n    image: busybox\n    init: true\n    stop_grace_period: 1s\n"
            f"    command: [sleep, '100000']\n    environment: {environment}\n"
        )
    return text


def measure() -> dict[str, float]:
    """Seconds, medians."""
    with ExitStack() as stack:
        server = stack.enter_context(private_server("deploy"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {"DOCKER_CONFIG": str(compose.config_folder())}
        agent = stack.enter_context(agent_process(folder / "agent", server.docker_host, environment=environment))

        async def run() -> dict[str, float]:
            async with agent.session() as session:
                return await _measure(Stacks(agent, session, server), server, folder)

        return asyncio.run(run())


async def _measure(stacks: Stacks, server: Server, folder: Path) -> dict[str, float]:
    figures: dict[str, list[float]] = {}

    def note(what: str, seconds: float) -> None:
        figures.setdefault(what, []).append(seconds)

    plain = folder / "plain"
    plain.mkdir()
    (plain / "compose.yaml").write_text(services(3))
    for number in range(ROUNDS + 1):
        for what in ("changed", "unchanged"):
            theirs = _plain(server, plain, number)
            ours, first = await _ours(stacks, number)
            if number:  # the first round makes everything
                note(f"plain, {what}", theirs)
                note(f"ours, {what}", ours)
                note("first line of output", first)
                note(f"ours over plain, {what}", ours - theirs)
    twenty = ComposeSource(project="twenty", files=(StackFile(path="compose.yaml", content=services(20)),),
                           environment={"ROUND": "1"})  # fmt: skip
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await stacks.preview(twenty)
        note("plan of 20 services", time.perf_counter() - start)
    return {what: statistics.median(values) for what, values in sorted(figures.items())}


def _plain(server: Server, folder: Path, number: int) -> float:
    environment = {**os.environ, "DOCKER_CONFIG": str(compose.config_folder()), "DOCKER_HOST": server.docker_host,
                   "ROUND": str(number)}  # fmt: skip
    start = time.perf_counter()
    subprocess.run(["docker", "compose", "-p", "plain", "up", "-d"], cwd=folder, env=environment, check=True,
                   capture_output=True)  # fmt: skip
    return time.perf_counter() - start


async def _ours(stacks: Stacks, number: int) -> tuple[float, float]:
    """Seconds of the job, and to its first line."""
    source = ComposeSource(project="ours", files=(StackFile(path="compose.yaml", content=services(3)),),
                           environment={"ROUND": str(number)})  # fmt: skip
    start = time.perf_counter()
    job_id = await stacks.begin(ComposeDeploy(source=source, health=HEALTH))
    async with stacks.session.get(f"/v1/jobs/{job_id}/log", params={"offset": 0, "wait": 10}) as answer:
        await answer.read()
    first = time.perf_counter() - start
    job = await stacks.end(job_id)
    assert job.status == "succeeded", job.error
    return time.perf_counter() - start, first
