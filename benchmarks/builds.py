"""What a build by the agent costs over plain ``docker build``, on the same engine, in turns in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks.lab import private_server
from komodo_agent.wire.builds import BuildJob, BuildSource
from komodo_agent.wire.jobs import JobRequest
from tests.integration.agent.lab import agent_process
from tests.rig.packages import find

if TYPE_CHECKING:
    import aiohttp

    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server

_DOCKER = find("docker") or "docker"
ROUNDS = 8
DOCKERFILE = """\
FROM busybox
ARG VERSION
COPY data /data
RUN sha256sum /data > /sum
RUN mkdir -p /app && cp /data /app/data
CMD ["sleep", "1"]
"""


def measure() -> dict[str, float]:
    """Seconds, medians: small images, built anew and from the cache."""
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = folder / "files"
        files.mkdir()
        (files / "Dockerfile").write_text(DOCKERFILE)
        (files / "data").write_bytes(b"0123456789abcdef" * 4096)
        for kind in ("buildkit", "engine", "classic"):
            path = _docker(folder / kind, kind)
            with (
                private_server(f"builds-{kind}", buildkit=kind != "classic") as server,
                agent_process(folder / f"{kind}-agent", server.docker_host, environment={"PATH": path}) as agent,
            ):
                figures |= asyncio.run(_measure(agent, server, files, kind))
    return figures


def _docker(folder: Path, kind: str) -> str:
    """A PATH whose docker has this builder, whichever this machine has; for ``engine`` none that works."""
    folder.mkdir()
    classic = 'case "$1" in buildx) exit 1;; version) echo "99.0|99.0"; exit;; esac\n' if kind == "classic" else ""
    script = "exit 127\n" if kind == "engine" else f'{classic}exec {_DOCKER} "$@"\n'
    (folder / "docker").write_text(f"#!/bin/sh\n{script}")
    (folder / "docker").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


async def _measure(agent: AgentProcess, server: Server, files: Path, kind: str) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    async with agent.session() as session:
        for number in range(ROUNDS + 1):
            for what, fresh in (("cold", True), ("cached", False)):
                theirs = await asyncio.to_thread(_plain, server, files, kind, number, fresh)
                ours, first = await _ours(session, files, number, fresh)
                if number:  # the first round brings what both keep
                    found.setdefault(f"{kind}, {what}: plain docker build", []).append(theirs)
                    found.setdefault(f"{kind}, {what}: ours", []).append(ours)
                    found.setdefault(f"{kind}, {what}: ours over plain", []).append(ours - theirs)
                    found.setdefault(f"{kind}: first line of output", []).append(first)
    return {what: statistics.median(values) for what, values in sorted(found.items())}


def _plain(server: Server, files: Path, kind: str, number: int, fresh: bool) -> float:
    environment = {**os.environ, "DOCKER_HOST": server.docker_host,
                   "DOCKER_BUILDKIT": "0" if kind == "classic" else "1"}  # fmt: skip
    words = [
        _DOCKER,
        "build",
        "-t",
        "plain:1",
        "--build-arg",
        f"VERSION=1.0.{number}",
        *(["--no-cache"] if fresh else []),
        str(files),
    ]
    start = time.perf_counter()
    subprocess.run(words, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


async def _ours(session: aiohttp.ClientSession, files: Path, number: int, fresh: bool) -> tuple[float, float]:
    """Seconds of the job, and to its first line."""
    spec = BuildJob(
        name="ours", source=BuildSource(folder=str(files)), image="ours", no_cache=fresh,
        tags=(f"1.0.{number}", "1.0", "1", "latest"), version=f"1.0.{number}",
    )  # fmt: skip
    wanted = JobRequest(id=str(uuid.uuid4()), spec=spec, actor="bench")
    start = time.perf_counter()
    async with session.post("/v1/jobs", data=msgspec.json.encode(wanted)) as answer:
        await answer.read()
    offset, first, status = 0, 0.0, ""
    while status not in ("succeeded", "failed", "cancelled"):
        query = {"offset": offset, "wait": 10}
        async with session.get(f"/v1/jobs/{wanted.id}/log", params=query) as answer:
            offset += len(await answer.read())
            status = answer.headers["X-Job-Status"]
        first = first or time.perf_counter() - start
    took = time.perf_counter() - start
    assert status == "succeeded", status
    return took, first
