"""What a pull without news costs over plain ``git fetch``, from the same sshd, in turns in one run."""

from __future__ import annotations

import asyncio
import shlex
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import private_server
from komodo_agent.wire.repos import RepoJob, RepoSource
from tests.integration.agent.lab import agent_process
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from tests.integration.agent.lab import AgentProcess

ROUNDS = 12
COMMITS, FILES = 60, 200


def measure() -> dict[str, float]:
    """Seconds, medians: the job from its request to its end; and git alone."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="repos")))
        server = stack.enter_context(private_server("repos"))
        agent = stack.enter_context(agent_process(folder / "agent", server.docker_host))
        author = Author(folder)
        author.push("files", **{f"file{number}": f"{number}\n" * 50 for number in range(FILES)})
        for number in range(COMMITS):
            author.push(f"commit {number}", note=f"{number}\n")
        url = f"ssh://{server.user}@{server.address}{author.bare}"
        known = Path(server.known_hosts).read_text().splitlines()
        source = RepoSource(url=url, branch="main", ssh_key=server.key, host_keys=tuple(known))
        ssh = shlex.join(["ssh", "-i", server.key, "-o", f"UserKnownHostsFile={server.known_hosts}"])
        plain = folder / "plain"
        subprocess.run(["git", "-c", f"core.sshCommand={ssh}", "clone", "-q", url, str(plain)], check=True)
        return asyncio.run(_rounds(agent, source, ["git", "-C", str(plain), "-c", f"core.sshCommand={ssh}", "fetch"]))


async def _rounds(agent: AgentProcess, source: RepoSource, fetch: list[str]) -> dict[str, float]:
    ours: list[float] = []
    theirs: list[float] = []
    async with agent.session() as session:
        done = await agent.run_job(session, RepoJob(verb="clone", name="shop", source=source))
        assert done.status == "succeeded", done
        for _ in range(ROUNDS):
            start = time.perf_counter()
            done = await agent.run_job(session, RepoJob(verb="pull", name="shop", source=source))
            assert done.status == "succeeded", done
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            await asyncio.to_thread(subprocess.run, fetch, check=True, capture_output=True)
            theirs.append(time.perf_counter() - start)
    return {
        "pull without news": statistics.median(ours),
        "git fetch": statistics.median(theirs),
        "pull without news over git fetch, times": statistics.median(
            mine / other for mine, other in zip(ours, theirs, strict=True)
        ),
    }
