"""Jobs end on the agent, once, and say what they did."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire import feed as wire
from komodo_agent.wire.jobs import Bind, ContainerAct, CreateContainer, JobRequest, PublishedPort
from tests.integration.agent.lab import AgentProcess, agent_process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

IDLE = ("busybox", "sleep", "100000")


def state(server: Server, container: str) -> str:
    return server.docker("inspect", "-f", "{{.State.Status}}", container).strip()


async def test_every_verb(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("create", "--name", "web", *IDLE).strip()
    async with agent.session() as session:
        for act, expected in (
            (ContainerAct(container=cid, verb="start"), "running"),
            (ContainerAct(container=cid, verb="pause"), "paused"),
            (ContainerAct(container=cid, verb="unpause"), "running"),
            (ContainerAct(container=cid, verb="restart", timeout=0), "running"),
            (ContainerAct(container=cid, verb="kill", signal="KILL"), "exited"),
            (ContainerAct(container=cid, verb="start"), "running"),
            (ContainerAct(container=cid, verb="stop", timeout=0), "exited"),
        ):
            job = await agent.run_job(session, act)
            assert (job.status, job.error, job.target) == ("succeeded", "", "web")
            assert state(server, "web") == expected
        job = await agent.run_job(session, ContainerAct(container=cid, verb="rename", new_name="web2"))
        assert job.commands == ("docker rename web web2",)
        job = await agent.run_job(session, ContainerAct(container=cid, verb="remove", volumes=True))
        assert job.commands == ("docker rm -v web2",)
        assert server.docker("ps", "-aq") == ""


async def test_a_name_that_is_taken(agent: AgentProcess, server: Server) -> None:
    server.docker("create", "--name", "taken", *IDLE)
    cid = server.docker("create", "--name", "other", *IDLE).strip()
    async with agent.session() as session:
        job = await agent.run_job(session, ContainerAct(container=cid, verb="rename", new_name="taken"))
        assert job.status == "failed"
        assert 'The container name "/taken" is already in use' in job.error
        job = await agent.run_job(session, CreateContainer(image="busybox", name="taken"))
        assert job.status == "failed"
        assert "already in use" in job.error
    assert server.docker("inspect", "-f", "{{.Name}}", cid).strip() == "/other"


async def test_a_container_that_is_gone(agent: AgentProcess) -> None:
    async with agent.session() as session:
        job = await agent.run_job(session, ContainerAct(container="f" * 64, verb="stop"))
    assert (job.status, job.error) == ("failed", f"the container {'f' * 12} is gone: nothing was done")


async def test_create_with_everything(agent: AgentProcess, server: Server) -> None:
    spec = CreateContainer(
        image="busybox", name="full", command=("sleep", "1000"), environment={"TOKEN": "s3cret"},
        ports=(PublishedPort(private=80, public=18081), PublishedPort(private=53, protocol="udp", ip="127.0.0.1")),
        binds=(Bind(source="data", destination="/data"), Bind(source="/tmp", destination="/host", read_only=True)),
        restart_policy="on-failure", restart_max=3, labels={"tier": "back"}, user="nobody", workdir="/tmp",
    )  # fmt: skip
    async with agent.session() as session, agent.feed(session) as feed:
        job = await agent.run_job(session, spec)
        assert (job.status, job.error) == ("succeeded", "")
        found = json.loads(server.docker("inspect", job.result["container"]))[0]
        assert found["State"]["Running"]
        assert "TOKEN=s3cret" in found["Config"]["Env"]
        assert (found["Config"]["User"], found["Config"]["WorkingDir"]) == ("nobody", "/tmp")
        assert found["HostConfig"]["Binds"] == ["data:/data", "/tmp:/host:ro"]
        assert found["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
        assert found["HostConfig"]["PortBindings"]["80/tcp"] == [{"HostIp": "", "HostPort": "18081"}]
        await feed.until(lambda: any(m.job.status == "succeeded" for m in feed.all(wire.JobChanged)))
        told = agent.log.read_text() + await agent.job_log(session, job.id) + str(feed.messages)
        assert "s3cret" not in told
        assert "docker run -d --name full" in job.commands[0]
    for path in (agent.socket.parent / "state" / "jobs").iterdir():
        assert "s3cret" not in path.read_text()


async def test_an_image_that_nobody_has(agent: AgentProcess, server: Server) -> None:
    async with agent.session() as session:
        job = await agent.run_job(session, CreateContainer(image="127.0.0.1:1/none:1"))
        assert job.status == "failed"
        assert job.error.startswith("127.0.0.1:1/none:1 cannot be pulled: ")
        assert "connection refused" in job.error
        assert "network" in job.error
        never = await agent.run_job(session, CreateContainer(image="none:1", pull="never"))
        assert never.status == "failed"
        assert "No such image" in never.error
    assert server.docker("ps", "-aq") == ""


async def test_what_cannot_start_leaves_nothing_behind(agent: AgentProcess, server: Server) -> None:
    async with agent.session() as session:
        job = await agent.run_job(session, CreateContainer(image="busybox", name="bad", command=("/no/such",)))
        assert job.status == "failed"
        assert "/no/such" in job.error
        assert "removed the container" in await agent.job_log(session, job.id)
    assert server.docker("ps", "-aq") == ""


@pytest.mark.parametrize(
    "spec",
    [
        CreateContainer(image="-v"),
        CreateContainer(image="a/../../b"),
        CreateContainer(image="busybox", name="a b"),
        CreateContainer(image="busybox", binds=(Bind(source="/a:b", destination="/c"),)),
        CreateContainer(image="busybox", environment={"A=B": "c"}),
        ContainerAct(container="../../info", verb="start"),
        ContainerAct(container="a" * 64, verb="rename", new_name="../x"),
        ContainerAct(container="a" * 64, verb="kill", signal="-9; reboot"),
    ],
)
async def test_requests_that_make_no_sense_never_reach_the_engine(agent: AgentProcess, spec: CreateContainer) -> None:
    async with agent.session() as session:
        job = await agent.run_job(session, spec)
        assert (job.status, job.commands) == ("failed", ())


async def test_one_id_is_one_job(agent: AgentProcess, server: Server) -> None:
    job_id = str(uuid.uuid4())
    body = msgspec.json.encode(JobRequest(id=job_id, spec=CreateContainer(image="busybox", command=("sleep", "1000"))))
    async with agent.session() as session:

        async def submit() -> int:
            async with session.post("/v1/jobs", data=body) as answer:
                return answer.status

        assert sorted(await asyncio.gather(*(submit() for _ in range(8)))) == [200] * 7 + [202]
        job = await agent.run_job(session, CreateContainer(image="other"), job_id)
        assert job.status == "succeeded"
    assert len(server.docker("ps", "-q").split()) == 1


async def test_an_id_stays_used_after_a_restart(server: Server, tmp_path: Path) -> None:
    job_id = str(uuid.uuid4())
    with agent_process(tmp_path, server.docker_host) as agent:
        async with agent.session() as session:
            first = await agent.run_job(session, CreateContainer(image="busybox", command=("sleep", "9")), job_id)
    with agent_process(tmp_path, server.docker_host) as agent:
        async with agent.session() as session:
            assert await agent.run_job(session, CreateContainer(image="busybox"), job_id) == first
    assert len(server.docker("ps", "-aq").split()) == 1


async def test_a_killed_agent_leaves_no_job_running(server: Server, tmp_path: Path) -> None:
    cid = server.docker("run", "-d", "busybox", "sh", "-c", "trap : TERM; while :; do sleep 1; done").strip()
    job_id = str(uuid.uuid4())
    act = JobRequest(id=job_id, spec=ContainerAct(container=cid, verb="stop", timeout=60))
    with agent_process(tmp_path, server.docker_host) as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            async with session.post("/v1/jobs", data=msgspec.json.encode(act)) as answer:
                assert answer.status == 202
            await feed.until(lambda: any(m.job.status == "running" for m in feed.all(wire.JobChanged)))
            agent.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(agent.process.wait, 10)
    with agent_process(tmp_path, server.docker_host) as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            job = await agent.job(session, job_id)
            assert job.status == "failed"
            assert job.error.startswith("interrupted")
            await feed.until(lambda: feed.messages)
            assert job in feed.messages[0].jobs  # type: ignore[union-attr]


async def test_a_log_is_followed_by_offset(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "busybox", "sh", "-c", "trap : TERM; while :; do sleep 1; done").strip()
    act = JobRequest(id=str(uuid.uuid4()), spec=ContainerAct(container=cid, verb="stop", timeout=2))
    async with agent.session() as session:
        async with session.post("/v1/jobs", data=msgspec.json.encode(act)) as answer:
            assert answer.status == 202
        text, status, answers = b"", "running", 0
        while status in ("running", "queued"):
            query = {"offset": len(text), "wait": 30}
            async with session.get(f"/v1/jobs/{act.id}/log", params=query) as answer:
                text += await answer.read()
                status = answer.headers["X-Job-Status"]
                answers += 1
                assert int(answer.headers["X-Job-Log-Size"]) >= len(text)
        assert (status, answers) == ("succeeded", 2), "it waits for more instead of answering at once"
        assert text.decode().startswith("$ docker stop -t 2 ")


async def test_cancel(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "busybox", "sh", "-c", "trap : TERM; while :; do sleep 1; done").strip()
    act = JobRequest(id=str(uuid.uuid4()), spec=ContainerAct(container=cid, verb="stop", timeout=60))
    async with agent.session() as session, agent.feed(session) as feed:
        async with session.post("/v1/jobs", data=msgspec.json.encode(act)) as answer:
            assert answer.status == 202
        await feed.until(lambda: any(m.job.commands for m in feed.all(wire.JobChanged)))
        async with session.delete(f"/v1/jobs/{act.id}") as answer:
            assert answer.status == 204
        await feed.until(lambda: any(m.job.status == "cancelled" for m in feed.all(wire.JobChanged)))
        async with session.delete("/v1/jobs/no-such-job") as answer:
            assert answer.status == 404
