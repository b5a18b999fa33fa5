"""Images built by an agent on a real engine: by docker commands with and without BuildKit, and by the engine alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.builds import BuildJob, BuildSource
from komodo_agent.wire.jobs import JobRequest
from komodo_agent.wire.repos import RepoSource
from tests.integration.agent.lab import AgentProcess, agent_process
from tests.rig.buildx import config_folder
from tests.rig.fixtures import absent
from tests.rig.packages import find
from tests.rig.processes import alive, wait_for
from tests.rig.registry import registry
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from komodo_agent.wire.jobs import Job
    from tests.rig.server import Server

pytestmark = pytest.mark.rig

WORDS = {"buildx": "buildx", "buildkit": ", BuildKit", "engine": "of the engine", "classic": "classic"}
SECRET = "not-for-anybodys-eyes"


@pytest.fixture(params=["buildx", "engine", "classic"])
def builder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder for PATH whose docker has this builder, and no other; none that works for ``engine`` and ``newer``."""
    docker, folder = find("docker") or "docker", tmp_path / "bin"
    script = f'exec {docker} "$@"\n' if request.param not in ("engine", "newer") else "exit 127\n"
    if request.param == "classic":
        script = 'case "$1" in buildx) exit 1;; version) echo "99.0|99.0"; exit;; esac\n' + script
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\n{script}")
    (folder / "docker").chmod(0o755)
    (tmp_path / "config").symlink_to(config_folder() if request.param == "buildx" else folder)
    return str(request.param)


@pytest.fixture
def server(builder: str, rig_server: Callable[..., Server]) -> Server:
    """One whose engine has BuildKit, unless the classic builder is asked for."""
    if builder == "newer":
        try:
            return rig_server("s", release="trixie")
        except RuntimeError as error:
            absent(error)
    return rig_server("nobk", buildkit=False) if builder == "classic" else rig_server("a")


@pytest.fixture
def agent(server: Server, tmp_path: Path, builder: str) -> Iterator[AgentProcess]:
    """A running agent whose docker has that builder."""
    with running(server, tmp_path) as process:
        yield process


def running(server: Server, folder: Path) -> Any:
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder / "config"),
        "KOMODO_AGENT_REPO_ROOTS": str(folder),
    }  # fmt: skip
    return agent_process(folder / "agent", server.docker_host, environment=environment)


def job(dockerfile: str, **fields: Any) -> BuildJob:
    source = fields.pop("source", BuildSource(dockerfile=dockerfile))
    return BuildJob(**{"name": "api", "source": source, "image": "shop/api", "tags": ("1.0.0", "latest"), **fields})


def tags(server: Server) -> set[str]:
    return set(server.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "shop/api").split())


async def build(agent: AgentProcess, spec: BuildJob) -> tuple[Job, str]:
    async with agent.session() as session:
        ended = await agent.run_job(session, spec)
        return ended, await agent.job_log(session, ended.id)


def untag(server: Server) -> None:
    for tag in tags(server):
        server.docker("rmi", tag)


@pytest.mark.parametrize("builder", ["buildx", "buildkit", "engine", "classic"], indirect=True)
async def test_an_image_of_a_repository(agent: AgentProcess, server: Server, tmp_path: Path, builder: str) -> None:
    untag(server)
    author = Author(tmp_path)
    commit = author.push(
        "Add an image", Dockerfile="FROM busybox\nARG VERSION\nRUN echo building $VERSION\nCOPY made /made\n"
    )
    source = BuildSource(repo=RepoSource(url=str(author.bare)))
    spec = job("", source=source, commit_tag=True, version="1.0.0", before=(("cp", "compose.yaml", "made"),))
    ended, log = await build(agent, spec)
    assert (ended.status, ended.error) == ("succeeded", ""), log
    assert "building 1.0.0" in log
    assert tags(server) == {"shop/api:1.0.0", "shop/api:latest", f"shop/api:{commit[:12]}"}
    assert ended.result["references"].split() == ["shop/api:1.0.0", "shop/api:latest", f"shop/api:{commit[:12]}"]
    assert (ended.result["commit"], ended.result["builder"]) == (commit, builder)
    (found,) = json.loads(server.docker("image", "inspect", "shop/api:latest"))
    assert (found["Id"], str(found["Size"])) == (ended.result["image"], ended.result["size"])
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == commit
    assert labels["komodo.build"] == "api"
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: feed.engine and WORDS[builder] in feed.engine.builder)
    assert any("RUN" in name and state != "failed" for name, _, state in json.loads(ended.result["steps"]))

    wrong = msgspec.structs.replace(source, repo=RepoSource(url=str(author.bare), branch="gone"))
    ended, _ = await build(agent, job("", source=wrong, tags=("2.0.0",)))
    assert ended.status == "failed"
    assert "gone" in ended.error
    assert "shop/api:2.0.0" not in tags(server)


async def test_a_step_that_fails_is_shown_with_its_lines(agent: AgentProcess, server: Server) -> None:
    untag(server)
    steps = "".join(f"RUN echo step {number}\n" for number in range(2, 7))
    ended, log = await build(agent, job(f"FROM busybox\n{steps}RUN echo why it failed; exit 9\n"))
    assert ended.status == "failed"
    assert "at [7/" in ended.error
    assert "RUN echo why it failed; exit 9" in ended.error
    assert "exit code 9" in ended.error
    assert "why it failed" in json.loads(ended.result["failed_lines"])
    assert "  | why it failed" in log
    assert tags(server) == set()


async def test_a_secret_is_nowhere_but_in_its_step(
    agent: AgentProcess, server: Server, tmp_path: Path, builder: str
) -> None:
    untag(server)
    text = (
        "FROM busybox\nRUN --mount=type=secret,id=tok sha256sum /run/secrets/tok > /sum; cat /run/secrets/tok; echo\n"
    )
    spec = job(text, secret_names={"tok": "TOKEN"}, secrets={"tok": SECRET})
    if builder == "classic":
        ended, _ = await build(agent, spec)
        assert "build secrets need BuildKit" in ended.error
        assert ended.result["refused"] == "bad_request"
        return
    ended, log = await build(agent, spec)
    assert ended.status == "succeeded", log
    assert SECRET not in log
    assert SECRET not in msgspec.json.encode(ended).decode()
    assert SECRET not in server.docker("history", "--no-trunc", "shop/api:latest")
    assert SECRET not in server.docker("image", "inspect", "shop/api:latest")
    assert server.docker("run", "--rm", "shop/api:latest", "cat", "/sum").startswith(
        hashlib.sha256(SECRET.encode()).hexdigest()
    )
    assert not [
        path for path in (tmp_path / "agent").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("builder", ["newer"], indirect=True)
async def test_a_newer_engine_alone(agent: AgentProcess, server: Server, tmp_path: Path) -> None:
    untag(server)
    base = "localhost:1/base"  # refuses at once: with containerd's store BuildKit asks the registry first
    server.docker("tag", "busybox", base)
    files = tmp_path / "files"
    (files / "left" / "out").mkdir(parents=True)
    (files / "kept").write_text("kept")
    (files / ".dockerignore").write_text("left\n*.md\n")
    (files / "Dockerfile").write_text(
        f"FROM {base}\nARG VERSION\nCOPY . /all\nRUN --mount=type=secret,id=tok sha256sum < /run/secrets/tok > /sum\n"
        "RUN --network=none ls -A /all && echo $VERSION\n"
    )
    source = BuildSource(folder=str(files))
    more = {"labels": {"a": "b"}, "target": "", "extra": ("--add-host", "db:10.0.0.1", "--shm-size=8m")}
    spec = job("", source=source, secret_names={"tok": "TOKEN"}, secrets={"tok": SECRET}, version="1.0.0", **more)
    ended, log = await build(agent, spec)
    assert (ended.status, ended.error, ended.result["builder"]) == ("succeeded", "", "engine"), log
    assert any(line.endswith(" kept") for line in log.splitlines())
    assert "left" not in log
    assert SECRET not in log + server.docker("history", "--no-trunc", "shop/api:1.0.0")
    assert hashlib.sha256(SECRET.encode()).hexdigest() in server.docker("run", "--rm", "shop/api:1.0.0", "cat", "/sum")
    (files / "README.md").write_text("left out, so that nothing has changed")
    again, _ = await build(agent, spec)
    states = {name.rpartition("] ")[2].split()[0]: state for name, _, state in json.loads(again.result["steps"])}
    assert (states["COPY"], states["RUN"]) == ("cached", "cached")
    (files / "Dockerfile").write_text(f"FROM {base}\n{'RUN true' + chr(10)}" * 1 + "RUN echo why; exit 9\n")
    ended, _ = await build(agent, msgspec.structs.replace(spec, tags=("2.0.0",)))
    assert "exit code 9" in ended.error
    assert "why" in json.loads(ended.result["failed_lines"])
    assert "shop/api:2.0.0" not in tags(server)


async def test_a_base_image_behind_a_login(
    agent: AgentProcess, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "pushing"))
    with registry(server, tmp_path, login="ana:s3cret") as host:
        server.docker("tag", "busybox", f"{host}/base")
        server.docker("login", "-u", "ana", "-p", "s3cret", host)
        server.docker("push", f"{host}/base")
        server.docker("rmi", f"{host}/base")
        spec = job(f"FROM {host}/base\nRUN true\n", pull=True)
        ended, _ = await build(agent, spec)
        assert ended.status == "failed"
        document = {"username": "ana", "password": "s3cret", "serveraddress": host}
        login = base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
        ended, log = await build(agent, msgspec.structs.replace(spec, logins={host: login}))
        assert ended.status == "succeeded", log
        assert "s3cret" not in log
        assert not (tmp_path / "agent/state/builds/api/work").exists()


async def begun(agent: AgentProcess, session: Any, spec: BuildJob, word: str) -> str:
    """Submit it and wait until its log has a word; returns the job's id."""
    wanted = JobRequest(id=str(uuid.uuid4()), spec=spec, actor="tests")
    async with session.post("/v1/jobs", data=msgspec.json.encode(wanted)) as answer:
        assert answer.status == 202
    async with asyncio.timeout(30):
        while word not in await agent.job_log(session, wanted.id):
            await asyncio.sleep(0.05)
    return wanted.id


SECONDS = f"98{os.getpid()}"
"""No other process on this machine sleeps as long."""
SLEEPY = f"FROM busybox\nRUN echo it has begun; sleep {SECONDS}\n"


def sleeping() -> bool:
    """Whether a step of a build still runs."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes() == f"sleep\0{SECONDS}\0".encode():
                return True
    return False


async def test_cancelled(agent: AgentProcess, server: Server) -> None:
    untag(server)
    async with agent.session() as session:
        job_id = await begun(agent, session, job(SLEEPY), "it has begun\n")
        wait_for(sleeping, 20, what="the step")
        second = await agent.run_job(session, job(SLEEPY))
        assert "is being built already" in second.error
        async with session.delete(f"/v1/jobs/{job_id}") as answer:
            assert answer.status == 204
        async with asyncio.timeout(30):
            while not (ended := await agent.job(session, job_id)).ended:
                await agent.job_log(session, job_id)
        assert (ended.status, ended.result["step"]) == ("cancelled", "build")
        wait_for(lambda: not sleeping(), 20, what="the end of the step")
        after = await agent.run_job(session, job("FROM busybox\nRUN true\n"))
        assert after.status == "succeeded", after.error
    assert tags(server) == {"shop/api:1.0.0", "shop/api:latest"}


async def test_the_agent_is_killed_while_it_builds(server: Server, tmp_path: Path, builder: str) -> None:
    untag(server)
    with running(server, tmp_path) as agent:
        async with agent.session() as session:
            job_id = await begun(agent, session, job(SLEEPY), "it has begun\n")
        wait_for(sleeping, 20, what="the step")
        docker = [int(word) for word in children(agent.process.pid)]
        assert bool(docker) == (builder != "engine")
        os.kill(agent.process.pid, signal.SIGKILL)
        agent.process.wait()
    with running(server, tmp_path) as agent:
        async with agent.session() as session:
            ended = await agent.job(session, job_id)
            assert ended.status == "failed"
            assert ended.error.startswith("interrupted: ")
            wait_for(lambda: not any(map(alive, docker)), 20, what="the end of the command left behind")
            wait_for(lambda: not sleeping(), 20, what="the end of the step")
            assert tags(server) == set()
            assert not (tmp_path / "agent/state/builds/api/work").exists()
            after = await agent.run_job(session, job("FROM busybox\nRUN true\n"))
            assert after.status == "succeeded", after.error


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
