"""Servers whose only compose is version 1: no JSON, no acts without files, and still all outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.compose import ComposeAct
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import BROKEN, WEB, Stacks, outcomes, source
from tests.rig import compose
from tests.rig.fixtures import absent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
async def old(server: Server, tmp_path: Path) -> AsyncIterator[Stacks]:
    """An agent that finds nothing but compose 1."""
    try:
        folder = compose.version_one()
    except RuntimeError as error:
        absent(error)
    environment = {"PATH": str(folder), "DOCKER_CONFIG": str(tmp_path)}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            yield Stacks(agent, session, server)


async def test_a_whole_life_with_version_one(old: Stacks) -> None:
    assert "not set: WANTED" in await old.refusal(source(WEB.replace("${PORT}", "${WANTED}")))
    assert "missing.env" in await old.refusal(source(WEB.replace("init: true", "env_file: [missing.env]")))
    first = await old.preview(source())
    assert (first.compose, [(p.port, p.service) for p in first.ports]) == ("docker-compose 1.29.2", [(8080, "web")])

    job = await old.deploy(source())
    assert (job.status, job.result["outcome"]) == ("succeeded", "success"), job.error
    assert job.commands == ("docker-compose -p shop -f compose.yaml up -d --remove-orphans",)
    assert old.containers() == {"shop_web_1": "running"}
    assert (await old.deploy(source())).result["unchanged"] == "yes"

    failed = await old.deploy(source(BROKEN), fallback={"PORT": "8080"})
    assert failed.result["outcome"] == "rolled_back", failed.error
    assert old.containers() == {"shop_web_1": "running"}
    assert outcomes(await old.project()) == ["success", "rolled_back"]

    for verb, state in (("stop", "exited"), ("start", "running"), ("pause", "paused"), ("unpause", "running")):
        done = await old.run(ComposeAct(project="shop", verb=verb))  # type: ignore[arg-type]
        assert (done.status, old.containers()) == ("succeeded", {"shop_web_1": state}), done.error
    gone = await old.run(ComposeAct(project="shop", verb="down", volumes=True))
    assert (gone.status, old.containers()) == ("succeeded", {}), gone.error
    project = await old.project()
    assert (project.volumes, project.networks) == ((), ())
