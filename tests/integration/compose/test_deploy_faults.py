"""Deploys that are cancelled, doubled, or whose programs are killed: nothing stays stuck, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeDeploy
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import QUICK, WEB, Stacks, kill_composes, outcomes, slow, source

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

PATIENT = msgspec.structs.replace(QUICK, window=300.0)


async def test_two_deploys_of_one_project_exclude_each_other_and_one_can_be_cancelled(stacks: Stacks) -> None:
    first = await stacks.begin(ComposeDeploy(source=source(slow(300)), health=PATIENT))
    await stacks.until(first, "(starting)")
    second = await stacks.run(ComposeDeploy(source=source(), health=QUICK))
    assert "another job works on shop" in second.error
    async with stacks.session.delete(f"/v1/jobs/{first}") as answer:
        assert answer.status == 204
    job = await stacks.end(first)
    assert (job.status, job.result["outcome"], job.result["step"]) == ("cancelled", "cancelled", "health")
    assert (await stacks.deploy(source())).status == "succeeded"
    assert outcomes(await stacks.project()) == ["cancelled", "success"]


async def test_a_killed_agent_leaves_a_deploy_interrupted_and_the_next_one_goes_through(
    server: Server, tmp_path: Path, compose_folder: Path
) -> None:
    environment = {"DOCKER_CONFIG": str(compose_folder)}
    with agent_process(tmp_path / "a", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            stacks = Stacks(agent, session, server)
            job_id = await stacks.begin(ComposeDeploy(source=source(slow(300)), health=PATIENT))
            await stacks.until(job_id, "(starting)")
            os.kill(agent.process.pid, signal.SIGKILL)
            agent.process.wait()
    with agent_process(tmp_path / "a", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            stacks = Stacks(agent, session, server)
            job = await agent.job(session, job_id)
            assert (job.status, job.error.partition(":")[0]) == ("failed", "interrupted")
            assert (await stacks.deploy(source())).status == "succeeded"
            assert outcomes(await stacks.project()) == ["interrupted", "success"]
            assert stacks.containers() == {"shop-web-1": "running"}


async def test_a_compose_that_is_killed_while_it_recreates_leaves_exactly_the_declared_containers(
    stacks: Stacks,
) -> None:
    assert (await stacks.deploy(source())).status == "succeeded"
    stacks.server.docker("run", "--rm", "-v", "shop_data:/data", "busybox", "touch", "/data/canary")
    for number, words in enumerate(("Recreate", "Recreated", "Starting")):
        changed = source(WEB.replace("environment: {", f"environment: {{ROUND: {number}, "))
        job_id = await stacks.begin(ComposeDeploy(source=changed, health=QUICK, fallback={"PORT": "8080"}))
        await stacks.until(job_id, words)
        kill_composes("shop", stacks.server.docker_host)
        job = await stacks.end(job_id)
        assert job.result["outcome"] in ("rolled_back", "success"), job.error
        assert stacks.containers() == {"shop-web-1": "running"}
    listed = stacks.server.docker("exec", "shop-web-1", "ls", "/data")
    assert listed.split() == ["canary"]


async def test_an_orphaned_compose_keeps_its_project_locked(
    server: Server, tmp_path: Path, compose_folder: Path
) -> None:
    environment = {"DOCKER_CONFIG": str(compose_folder)}
    hold = tmp_path / "hold"
    os.mkfifo(hold)
    waits = (("sh", "-c", f"printf '%s\\n' wait''ing; read line < {hold}"),)
    with agent_process(tmp_path / "a", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            stacks = Stacks(agent, session, server)
            job_id = await stacks.begin(ComposeDeploy(source=source(), pre_deploy=waits, health=QUICK))
            await stacks.until(job_id, "waiting")
            os.kill(agent.process.pid, signal.SIGKILL)
            agent.process.wait()
    with agent_process(tmp_path / "a", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            stacks = Stacks(agent, session, server)
            refused = await stacks.run(ComposeDeploy(source=source(), health=QUICK))
            assert "another job works on shop" in refused.error
            await asyncio.to_thread(hold.write_text, "go on\n")
            while (await stacks.project()).busy:
                await asyncio.sleep(0.05)
            assert (await stacks.deploy(source())).status == "succeeded"
