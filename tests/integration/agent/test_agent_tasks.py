"""Commands as jobs, in containers and on the host: their output, their end, and how they are stopped."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.tasks import ClearLog, ExecTask, RunTask

if TYPE_CHECKING:
    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server

pytestmark = pytest.mark.rig

IDLE = ("busybox", "sleep", "100000")


async def test_exec_gives_output_status_and_the_command(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "--name", "db", *IDLE).strip()
    async with agent.session() as session:
        job = await agent.run_job(
            session,
            ExecTask(container=cid, command=("sh", "-c", "echo $WORD; echo err >&2"), environment={"WORD": "hi"}),
        )
        assert job.status == "succeeded", job.error
        assert job.result["exit"] == "0"
        assert sorted(job.result["output"].split()) == ["err", "hi"]
        assert job.commands == ("docker exec -e WORD db sh -c 'echo $WORD; echo err >&2'",)
        failed = await agent.run_job(session, ExecTask(container=cid, command=("sh", "-c", "echo no table; exit 3")))
        assert (failed.status, failed.result["exit"]) == ("failed", "3")
        assert failed.error == "it ended with status 3: no table"


async def test_exec_that_takes_too_long_is_ended(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "--name", "db", *IDLE).strip()
    async with agent.session() as session:
        job = await agent.run_job(session, ExecTask(container=cid, command=("sleep", "7777"), timeout=0.5))
        assert job.status == "failed"
        assert "did not end within 0.5 s" in job.error
    assert "7777" not in server.docker("top", "db")


async def test_run_is_on_the_host_with_script_directory_and_environment(
    agent: AgentProcess, server: Server, tmp_path: Path
) -> None:
    async with agent.session() as session:
        spec = RunTask(
            command=("sh", "/dev/stdin", "a b"), script='echo "$PWD $1 $SECRET"\n', directory=str(tmp_path),
            environment={"SECRET": "s3cret"},
        )  # fmt: skip
        job = await agent.run_job(session, spec)
        assert job.status == "succeeded", job.error
        assert job.result["output"] == f"{tmp_path} a b s3cret\n"
        assert "s3cret" not in job.commands[0]


async def test_run_that_cannot_start_says_so(agent: AgentProcess) -> None:
    async with agent.session() as session:
        job = await agent.run_job(session, RunTask(command=("no-such-program",), directory="/"))
        assert job.status == "failed"
        assert job.error == "no-such-program cannot be started in /: No such file or directory"


async def test_a_cancelled_run_takes_its_children_along(agent: AgentProcess, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    async with agent.session() as session:
        script = f"sleep 8888 & echo $! > {mark}.new; mv {mark}.new {mark}; wait"
        job_id = str(uuid.uuid4())
        running = asyncio.create_task(agent.run_job(session, RunTask(command=("sh", "-c", script)), job_id))
        async with asyncio.timeout(10):
            while not mark.exists():
                await asyncio.sleep(0.02)
        child = int(mark.read_text())
        await session.delete(f"http://agent/v1/jobs/{job_id}")
        assert (await running).status == "cancelled"
        async with asyncio.timeout(10):
            while Path(f"/proc/{child}").exists():
                await asyncio.sleep(0.02)


async def test_clearing_a_log_leaves_the_container_writing(agent: AgentProcess, server: Server) -> None:
    loop = "while :; do echo 0123456789; usleep 20000; done"
    cid = server.docker("run", "-d", "--name", "talks", "busybox", "sh", "-c", loop).strip()
    async with asyncio.timeout(10):
        while len(server.docker("logs", "talks")) < 200:
            await asyncio.sleep(0.05)
    async with agent.session() as session:
        small = await agent.run_job(session, ClearLog(container=cid, larger_than=1 << 30))
        assert small.result["freed"] == "0"
        job = await agent.run_job(session, ClearLog(container=cid))
        assert job.status == "succeeded", job.error
        assert int(job.result["freed"]) > 200
    async with asyncio.timeout(10):
        while "0123456789" not in server.docker("logs", "--tail", "1", "talks"):
            await asyncio.sleep(0.05)


async def test_a_log_of_another_driver_is_not_touched(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "--name", "quiet", "--log-driver", "none", *IDLE).strip()
    async with agent.session() as session:
        job = await agent.run_job(session, ClearLog(container=cid))
        assert job.status == "failed"
        assert "driver none" in job.error
