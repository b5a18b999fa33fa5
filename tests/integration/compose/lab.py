"""Stacks to deploy, and an agent that finds the rig's compose."""

from __future__ import annotations

import json
import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.compose import (
    ComposeDeploy,
    ComposePreview,
    ComposeProject,
    ComposeSource,
    HealthPolicy,
    PreviewRequest,
    StackFile,
)
from komodo_agent.wire.jobs import Job, JobRequest
from komodo_agent.wire.protocol import Problem

if TYPE_CHECKING:
    import aiohttp

    from komodo_agent.wire.jobs import JobSpec
    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server

QUICK = HealthPolicy(window=15, steady=0.5)
WEB = """\
services:
  web:
    image: busybox
    init: true
    stop_grace_period: 1s
    command: [httpd, -f, -p, "80"]
    ports: ["${PORT}:80"]
    environment: {TOKEN: "${TOKEN:-}"}
    volumes: ["data:/data"]
volumes: {data: {}}
"""
BROKEN = WEB.replace('[httpd, -f, -p, "80"]', '[sh, -c, "echo broken on purpose; exit 3"]')


def source(content: str = WEB, *more: StackFile, project: str = "shop", **environment: str) -> ComposeSource:
    """A stack of one compose file."""
    environment.setdefault("PORT", "8080")
    return ComposeSource(
        project=project, stack=project, files=(StackFile(path="compose.yaml", content=content), *more),
        environment=environment, templates=environment,
    )  # fmt: skip


def slow(seconds: int) -> str:
    """A web that is never healthy, and is found out only after so many seconds."""
    check = f'    healthcheck: {{test: ["CMD", "false"], interval: {seconds}s, retries: 1}}\n'
    return WEB.replace("    init: true\n", f"    init: true\n{check}")


class Stacks:
    """The agent's compose, as a client calls it."""

    def __init__(self, agent: AgentProcess, session: aiohttp.ClientSession, server: Server) -> None:
        self.agent = agent
        self.session = session
        self.server = server

    async def preview(self, wanted: ComposeSource) -> ComposePreview:
        """What a deploy would do; a refusal fails the test."""
        status, body = await self.ask(wanted)
        assert status == 200, body
        return msgspec.json.decode(body, type=ComposePreview)

    async def refusal(self, wanted: ComposeSource) -> str:
        """The words of a preview that is refused."""
        status, body = await self.ask(wanted)
        assert status != 200
        return msgspec.json.decode(body, type=Problem).message

    async def ask(self, wanted: ComposeSource) -> tuple[int, bytes]:
        request = msgspec.json.encode(PreviewRequest(source=wanted))
        async with self.session.post("/v1/compose/preview", data=request) as answer:
            return answer.status, await answer.read()

    async def deploy(self, wanted: ComposeSource, **options: object) -> Job:
        """Preview and deploy; returns the job at its end."""
        spec = ComposeDeploy(source=wanted, fingerprint=(await self.preview(wanted)).fingerprint)
        return await self.run(msgspec.structs.replace(spec, **{"health": QUICK, **options}))

    async def run(self, spec: JobSpec) -> Job:
        """One job to its end."""
        return await self.agent.run_job(self.session, spec)

    async def begin(self, spec: JobSpec) -> str:
        """Start a job; returns its id."""
        job_id = str(uuid.uuid4())
        body = msgspec.json.encode(JobRequest(id=job_id, spec=spec, actor="tests"))
        async with self.session.post("/v1/jobs", data=body) as answer:
            assert answer.status == 202
        return job_id

    async def until(self, job_id: str, words: str) -> str:
        """Wait until a job's log has these words; returns the log."""
        log = ""
        while words not in log:
            job = await self.agent.job(self.session, job_id)
            assert not job.ended, (job, log)
            async with self.session.get(f"/v1/jobs/{job_id}/log", params={"offset": len(log), "wait": 5}) as answer:
                log += await answer.text()
        return log

    async def end(self, job_id: str) -> Job:
        """Wait for a job's end."""
        while not (job := await self.agent.job(self.session, job_id)).ended:
            async with self.session.get(f"/v1/jobs/{job_id}/log", params={"offset": 1 << 30, "wait": 1}) as answer:
                await answer.read()
        return job

    async def log(self, job: Job) -> str:
        """All a job printed."""
        return await self.agent.job_log(self.session, job.id)

    async def project(self, name: str = "shop") -> ComposeProject:
        """What the agent knows of a project."""
        async with self.session.get(f"/v1/compose/projects/{name}") as answer:
            assert answer.status == 200, await answer.text()
            return msgspec.json.decode(await answer.read(), type=ComposeProject)

    async def projects(self) -> list[ComposeProject]:
        """All of them, as a list of the screen gets them."""
        async with self.session.get("/v1/compose/projects") as answer:
            assert answer.status == 200, await answer.text()
            return msgspec.json.decode(await answer.read(), type=list[ComposeProject])

    def containers(self, project: str = "shop") -> dict[str, str]:
        """Names and states of a project's containers."""
        out = self.server.docker(
            "ps", "-a", "--filter", f"label=com.docker.compose.project={project}", "--format", "{{json .}}"
        )
        rows = [json.loads(line) for line in out.splitlines()]
        return {row["Names"]: row["State"] for row in rows}

    def container(self, name: str = "shop-web-1") -> tuple[str, str]:
        """Id of a container and of its image."""
        found = self.server.docker("inspect", "-f", "{{.Id}} {{.Image}}", name).split()
        return found[0], found[1]


def outcomes(project: ComposeProject) -> list[str]:
    """Of its revisions, oldest first."""
    return [revision.outcome for revision in reversed(project.revisions)]


def kill_composes(project: str, docker_host: str) -> None:
    """SIGKILL for every compose process that works on a project of this engine."""
    for pid in composes_of(project, docker_host):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def composes_of(project: str, docker_host: str) -> list[int]:
    """Pids of the compose processes that work on a project of this engine."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
            variables = entry.with_name("environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = f"DOCKER_HOST={docker_host}".encode() in variables
        if ours and project.encode() in words and words[0].endswith((b"docker", b"docker-compose")):
            found.append(int(entry.parts[2]))
    return found
