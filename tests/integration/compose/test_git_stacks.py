"""Stacks whose files come from git: the plan names the commit, a deploy goes there, a return brings the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeRollback, ComposeSource
from komodo_agent.wire.compose_git import GitOrigin
from komodo_agent.wire.repos import RepoSource
from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import QUICK, Stacks, outcomes
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

WEB = """\
services:
  web:
    image: busybox
    init: true
    stop_grace_period: 1s
    command: [httpd, -f, -p, "80", -h, /www]
    env_file: web.env
    labels: {who: "[[OWNER]]"}
    volumes: ["./www:/www:ro"]
"""
BAD = WEB.replace("[httpd, -f,", "[httpd, --no-such,")


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """Somebody who pushes a stack in a folder of a repository."""
    author = Author(tmp_path)
    (author.work / "deploy/www").mkdir(parents=True)
    author.push("a stack", **{"deploy/compose.yaml": WEB, "deploy/web.env": "A=1\n", "deploy/www/index.html": "one\n"})
    return author


@pytest.fixture
async def stacks(server: Server, tmp_path: Path, compose_folder: Path) -> AsyncIterator[Stacks]:
    """An agent that may clone from the author's folder."""
    environment = {"DOCKER_CONFIG": str(compose_folder), "KOMODO_AGENT_REPO_ROOTS": str(tmp_path)}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as agent:
        async with agent.session() as session:
            yield Stacks(agent, session, server)


def source(author: Author, commit: str = "") -> ComposeSource:
    return ComposeSource(
        project="shop", stack="shop", commit=commit,
        git=GitOrigin(repo=RepoSource(url=str(author.bare), branch="main"), folder="deploy"),
        environment={"VALUE_OWNER": "ana"}, templates={"VALUE_OWNER": "[[OWNER]]"},
    )  # fmt: skip


def page(stacks: Stacks) -> str:
    return stacks.server.docker("exec", "shop-web-1", "cat", "/www/index.html").strip()


async def test_a_commit_is_planned_deployed_and_brought_back(stacks: Stacks, author: Author, tmp_path: Path) -> None:
    first = author.head
    unnamed = msgspec.structs.replace(source(author), environment={})
    asked = await stacks.preview(unnamed)
    assert (asked.wants, asked.fingerprint) == (("OWNER",), "")

    preview = await stacks.preview(source(author))
    assert preview.git is not None
    assert (preview.git.target.id, preview.git.deployed, preview.git.target.subject) == (first, "", "a stack")
    assert [(s.service, s.verb) for s in preview.services] == [("web", "create")]
    files = tmp_path / "agent/state/stacks/shop/repo/files"
    assert list(files.iterdir()) == []  # a plan writes nothing where compose runs

    assert (await stacks.deploy(source(author, first))).status == "succeeded"
    assert page(stacks) == "one"
    assert stacks.server.docker("inspect", "-f", "{{.Config.Labels.who}}", "shop-web-1").strip() == "ana"
    assert (await stacks.project()).revisions[0].commit == first
    assert not (await stacks.preview(source(author))).changes

    (files / "deploy/mine.txt").write_text("somebody's own")
    second = author.push("another page", **{"deploy/www/index.html": "two\n", "deploy/web.env": "A=2\n"})
    preview = await stacks.preview(source(author))
    assert preview.git is not None
    assert (preview.git.deployed, [c.subject for c in preview.git.coming]) == (first, ["another page"])
    assert [(s.service, s.verb) for s in preview.services] == [("web", "recreate")]  # its env file is another
    assert page(stacks) == "one"
    assert (await stacks.deploy(source(author, second))).status == "succeeded"
    assert page(stacks) == "two"

    author.push("broken on purpose", **{"deploy/compose.yaml": BAD, "deploy/www/index.html": "three\n"})
    job = await stacks.deploy(source(author), fallback={"VALUE_OWNER": "ana"})
    assert job.result["outcome"] == "rolled_back", job.error
    assert page(stacks) == "two"

    back = ComposeRollback(project="shop", revision=1, environment={"VALUE_OWNER": "ana"}, health=QUICK)
    assert (await stacks.run(back)).status == "succeeded"
    project = await stacks.project()
    assert (page(stacks), project.revisions[0].commit) == ("one", first)
    assert outcomes(project) == ["success", "success", "rolled_back", "success"]
    assert (files / "deploy/mine.txt").read_text() == "somebody's own"


async def test_what_is_in_the_way_of_a_commit(stacks: Stacks, author: Author, tmp_path: Path) -> None:
    assert (await stacks.deploy(source(author))).status == "succeeded"
    files = tmp_path / "agent/state/stacks/shop/repo/files/deploy"
    (files / "new.txt").write_text("mine")
    (files / "web.env").write_text("A=by hand\n")
    target = author.push("more", **{"deploy/new.txt": "theirs"})
    preview = await stacks.preview(source(author))
    assert preview.conflicts == (f"{files}/new.txt is somebody's own: it would be written over",)
    assert any("deploy/web.env was changed on the server" in words for words in preview.warnings)
    job = await stacks.deploy(source(author, target))
    assert (job.status, job.result) == ("failed", {"refused": "conflict"})
    assert (files / "new.txt").read_text() == "mine"

    (files / "new.txt").unlink()
    author.push("gone", **{"deploy/compose.yaml": "services: {web: {image: 'busybox', env_file: none.env}}\n"})
    assert "none.env" in await stacks.refusal(source(author))
    other = msgspec.structs.replace(source(author), git=GitOrigin(repo=RepoSource(url=str(author.bare), branch="no")))
    assert "there is no branch no" in await stacks.refusal(other)
    above = msgspec.structs.replace(source(author), git=GitOrigin(repo=RepoSource(url=str(author.bare)), folder=".."))
    assert "is no path" in await stacks.refusal(above)
