"""Projects that run already: found, taken over without a touch, compared with what was deployed, brought back."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.compose import ComposeAct, ComposeAdopt, ComposeDeploy, ComposeRollback, ComposeSource
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import BROKEN, QUICK, WEB, Stacks, outcomes, source
from tests.rig import compose

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def by_hand(stacks: Stacks, config: Path, folder: Path, *words: str) -> None:
    """``docker compose`` as a person on the server runs it."""
    environment = {
        **os.environ, "DOCKER_CONFIG": str(config), "DOCKER_HOST": stacks.server.docker_host, "PORT": "8090"
    }  # fmt: skip
    subprocess.run(["docker", "compose", *words], cwd=folder, env=environment, check=True, capture_output=True)


async def test_a_running_project_is_adopted_without_a_touch_and_deployed_from_its_folder(
    stacks: Stacks, tmp_path: Path, compose_folder: Path
) -> None:
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "compose.yaml").write_text(WEB)
    by_hand(stacks, compose_folder, folder, "up", "-d")
    before = stacks.container("blog-web-1")

    found = await stacks.project("blog")
    assert (found.managed, found.working_dir, found.services[0].state) == (False, str(folder), "running")
    job = await stacks.run(ComposeAdopt(project="blog", stack="blog", fingerprint=found.fingerprint))
    assert (job.status, job.result["folder"]) == ("succeeded", str(folder))
    assert stacks.container("blog-web-1") == before
    adopted = ComposeSource(
        project="blog", stack="blog", folder=str(folder), environment={"PORT": "8090"}, templates={"PORT": "8090"}
    )
    assert [s.verb for s in (await stacks.preview(adopted)).services] == ["keep"]

    (folder / "compose.yaml").write_text(BROKEN)  # the return must not write into a folder that is not ours
    failed = await stacks.deploy(adopted, fallback={"PORT": "8090"})
    assert failed.result["outcome"] == "rolled_back", failed.error
    assert (folder / "compose.yaml").read_text() == BROKEN
    assert stacks.containers("blog") == {"blog-web-1": "running"}
    assert sorted(path.name for path in folder.iterdir()) == ["compose.yaml"]
    assert outcomes(await stacks.project("blog")) == ["success", "rolled_back"]


async def test_images_are_pulled_and_what_runs_stays(stacks: Stacks) -> None:
    docker = stacks.server.docker
    docker("run", "--name", "seed", "busybox", "true")
    docker("commit", "-c", "LABEL own=1", "seed", "own-only")  # an image that no other test pushes anywhere
    docker("rm", "seed")
    await stacks.deploy(source(WEB.replace("image: busybox", "image: own-only")))
    before = stacks.container()
    act = ComposeAct(project="shop", verb="pull", fingerprint=(await stacks.project()).fingerprint)
    job = await stacks.run(act)
    assert (job.status, job.result) == ("succeeded", {"newer": ""}), job.error
    assert "own-only came from no registry" in await stacks.log(job)
    docker("tag", "own-only", "127.0.0.1:1/team/web:1")
    elsewhere = WEB.replace("image: busybox", "image: 127.0.0.1:1/team/web:1")
    await stacks.deploy(source(elsewhere))
    refused = await stacks.deploy(source(elsewhere, PORT="8081"), pull="always")
    assert refused.status == "failed"
    assert "no container was touched" in refused.error
    assert stacks.container()[1] == before[1]


async def test_compose_files_in_a_folder_appear_and_are_made_a_stack(stacks: Stacks, tmp_path: Path) -> None:
    folder = tmp_path / "srv/My Wiki"
    folder.mkdir(parents=True)
    (folder / "compose.yml").write_text(WEB)
    found = await stacks.project("mywiki")
    assert (found.found, found.config_files, found.services) == (True, (f"{folder}/compose.yml",), ())
    assert [p.name for p in await stacks.projects() if p.found] == ["mywiki"]
    job = await stacks.run(ComposeAdopt(project="mywiki", stack="wiki", fingerprint=found.fingerprint))
    assert job.status == "succeeded", job.error
    wanted = ComposeSource(
        project="mywiki", stack="wiki", folder=str(folder), compose_files=("compose.yml",), environment={"PORT": "8090"}
    )
    assert (await stacks.deploy(wanted)).status == "succeeded"
    project = next(p for p in await stacks.projects() if p.name == "mywiki")
    assert (project.found, project.folder) == (False, str(folder))


async def test_the_standalone_program_does_where_there_is_no_plugin(server: Server, tmp_path: Path) -> None:
    environment = {"PATH": str(compose.standalone()), "DOCKER_CONFIG": str(tmp_path)}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            job = await Stacks(agent, session, server).deploy(source())
            assert job.status == "succeeded", job.error
            assert job.commands[-1].startswith("docker-compose -p shop -f compose.yaml up -d")


async def test_a_server_without_compose_says_so(server: Server, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            assert "no compose on this server" in await Stacks(agent, session, server).refusal(source())


async def test_drift_is_told_service_by_service(stacks: Stacks) -> None:
    await stacks.deploy(source())
    assert [service.drift for service in (await stacks.project()).services] == [""]
    stacks.server.docker("rm", "-f", "shop-web-1")
    assert [(s.state, s.drift) for s in (await stacks.project()).services] == [("missing", "it is not there")]
    assert [(s.service, s.verb) for s in (await stacks.preview(source())).services] == [("web", "create")]
    await stacks.deploy(source())
    stacks.server.docker(
        "run", "-d", "--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=extra",
        "busybox", "sleep", "1000",
    )  # fmt: skip
    drifts = {service.service: service.drift for service in (await stacks.project()).services}
    assert drifts == {"web": "", "extra": "it was not part of the last good revision"}


async def test_the_verbs_of_a_whole_project_and_what_a_destroy_keeps(stacks: Stacks) -> None:
    await stacks.deploy(source())
    for verb, state in (("stop", "exited"), ("start", "running"), ("pause", "paused"), ("unpause", "running")):
        job = await stacks.run(ComposeAct(project="shop", verb=verb))  # type: ignore[arg-type]
        assert (job.status, stacks.containers()) == ("succeeded", {"shop-web-1": state}), job.error
    overtaken = await stacks.run(ComposeAct(project="shop", verb="down", fingerprint="of another time"))
    assert "not as it was" in overtaken.error
    gone = await stacks.run(ComposeAct(project="shop", verb="down"))
    assert (gone.status, gone.commands) == ("succeeded", ("docker compose -p shop down --remove-orphans",))
    assert stacks.containers() == {}
    project = await stacks.project()
    assert (project.volumes, project.services) == (("shop_data",), ())  # down on purpose: nothing is missing
    assert (await stacks.run(ComposeAct(project="nothing", verb="stop"))).result == {"refused": "not_found"}


async def test_an_image_that_is_gone_fails_a_rollback_with_its_reason(stacks: Stacks) -> None:
    stacks.server.docker("tag", "busybox", "shop:1")
    await stacks.deploy(source(WEB.replace("busybox", "shop:1")))
    missing = await stacks.run(ComposeRollback(project="shop", revision=9, health=QUICK))
    assert missing.result == {"refused": "not_found"}
    await stacks.run(ComposeAct(project="shop", verb="down"))
    stacks.server.docker("rmi", "shop:1")
    again = await stacks.run(ComposeDeploy(source=source(WEB.replace("busybox", "shop:1")), pull="never", health=QUICK))
    assert "not to be pulled: shop:1" in again.error
    assert stacks.containers() == {}
