"""Deploys that are cancelled, doubled, or whose programs are killed: nothing stays stuck, nothing is lost."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeDeploy, StackFile
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import QUICK, WEB, Stacks, kill_composes, outcomes, slow, source
from tests.integration.resources.registry import NAME, TAG
from tests.integration.resources.test_pull import registry

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


async def test_a_registry_that_cannot_be_reached_fails_before_any_container(stacks: Stacks, tmp_path: Path) -> None:
    await stacks.deploy(source())
    before = stacks.container()
    job = await stacks.deploy(source(WEB.replace("image: busybox", "image: 127.0.0.1:1/nope:1")))
    assert (job.status, job.result["outcome"], job.result["step"]) == ("failed", "failed", "pull")
    assert "connection refused" in job.error
    assert "no container was touched" in job.error
    assert stacks.container() == before
    assert (tmp_path / "agent/state/stacks/shop/files/compose.yaml").read_text() == WEB


async def test_a_registry_that_refuses_and_one_that_is_given_a_login(stacks: Stacks) -> None:
    with registry(stacks, "ana:tr0ub4dor") as host:  # type: ignore[arg-type]  # only its server is asked for
        image = f"{host}/{NAME}:{TAG}"
        wanted = source(WEB.replace("image: busybox", f"image: {image}"))
        refused = await stacks.deploy(wanted)
        assert (refused.result["outcome"], refused.result["step"]) == ("failed", "pull")
        assert "no basic auth credentials" in refused.error
        document = {"username": "ana", "password": "tr0ub4dor", "serveraddress": host}
        login = base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
        let_in = await stacks.deploy(wanted, logins={image: login})
        assert let_in.commands[0] == f"docker pull {image}"
        assert let_in.result["step"] in ("up", "health")  # the image is here, and has nothing in it to run
        assert login not in await stacks.log(let_in)


async def test_a_full_disk_fails_a_deploy_and_the_next_one_with_room_goes_through(
    server: Server, tmp_path: Path, compose_folder: Path
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
    try:
        with agent_process(folder, server.docker_host, environment={"DOCKER_CONFIG": str(compose_folder)}) as agent:
            async with agent.session() as session:
                stacks = Stacks(agent, session, server)
                assert (await stacks.deploy(source())).status == "succeeded"
                before = stacks.container()
                ballast = folder / "ballast"
                with suppress(OSError):
                    ballast.write_bytes(b"x" * (1 << 20))
                big = StackFile(path="conf/big", content="y" * 20_000)
                words = await stacks.refusal(source(WEB.replace("{TOKEN", "{NEW: 1, TOKEN"), big))
                assert "No space left on device" in words
                assert stacks.container() == before
                ballast.unlink()
                assert (await stacks.deploy(source(WEB, big))).status == "succeeded"
                assert list((folder / "state/stacks/shop").glob("look-*")) == []
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_two_front_ends_at_once(server: Server, tmp_path: Path, compose_folder: Path) -> None:
    environment = {
        **os.environ, "KOMODO_TUI_HOME": str(tmp_path / "home"), "DOCKER_HOST": server.docker_host,
        "DOCKER_CONFIG": str(compose_folder),
    }  # fmt: skip
    indented = "\n".join(f"      {line}" for line in slow(300).splitlines())
    (tmp_path / "fleet.yaml").write_text(
        "servers: [{name: here, address: local}]\nstacks:\n  - name: shop\n    servers: [here]\n"
        f"    environment: {{PORT: '8080'}}\n    health: {{window: 300}}\n    compose: |\n{indented}\n"
    )

    async def komodo(*words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "komodo_tui", *words, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    assert await (await komodo("apply", "-f", str(tmp_path / "fleet.yaml"), "--yes")).wait() == 0
    first = await komodo("deploy", "shop", "--yes")
    assert first.stderr is not None
    async for line in first.stderr:
        if b"(starting)" in line:
            break
    second = await komodo("deploy", "shop", "--yes")
    _, said = await second.communicate()
    assert second.returncode == 4, said
    assert b"another act on stack shop of here is under way: Deploy shop on here, by" in said
    first.send_signal(signal.SIGINT)
    await first.communicate()
    assert first.returncode == 130
