"""Following a log that rotates faster than the engine serves it: 2 million lines through three files of 10 MB."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lab import private_server
from komodo_agent.wire.logs import PREFIX
from komodo_tui.operations.log_batch import SourceGap
from komodo_tui.operations.logs import LogOptions, LogTarget, MergedLogs
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.packages import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.rig.server import Server

LINES = 2_000_000
_TIMEOUT = 600.0
_ENGINE_TIMEOUT = 120.0
"""Seconds for ``docker logs``, which may stand still for ever once it has lost its place."""
_HEAD_START = 3
"""Seconds between a container's start and its first line: followers are there from the beginning."""
_END = b"end"


@dataclass
class Count:
    """What came of lines that are numbered from 1."""

    seen: int = 0
    last: int = 0
    lost: int = 0
    again: int = 0

    def take(self, texts: Iterable[bytes]) -> bool:
        """Look at lines; returns whether the end is among them."""
        for text in texts:
            if text == _END:
                self.lost += LINES - self.last
                return True
            number = int(text.partition(b" ")[0])
            self.seen += 1
            if number <= self.last:
                self.again += 1
            else:
                self.lost += number - self.last - 1
                self.last = number
        return False


def measure() -> dict[str, float]:
    """Lines that were written, lost, doubled, and reported as lost; the same of ``docker logs -f``."""
    with private_server("rotation") as server, tempfile.TemporaryDirectory() as folder:
        agent = RemoteAgent(server)
        agent.start()
        try:
            ours, reported = asyncio.run(_ours(agent, Path(folder)))
        finally:
            agent.kill()
        theirs = _docker(server)
    return {
        "lines written": LINES,
        "seen over SSH": ours.seen,
        "lost": ours.lost,
        "of these reported as gaps": reported,
        "seen twice or out of order": ours.again,
        "docker logs -f: lost": theirs.lost,
    }


def _writer(server: Server, name: str) -> str:
    """A container that writes the lines as fast as it can, and then waits."""
    program = f'BEGIN {{ for (i = 1; i <= {LINES}; i++) print i, "of the lines that nobody wants to lose" }}'
    script = f"sleep {_HEAD_START}; awk '{program}'; sleep 2; echo {_END.decode()}; sleep 1000000"
    return server.docker(
        "run", "-d", "--network", "none", "--name", name, "--log-driver", "json-file", "--log-opt", "max-size=10m",
        "--log-opt", "max-file=3", "busybox", "sh", "-c", script,
    ).strip()  # fmt: skip


async def _ours(agent: RemoteAgent, home: Path) -> tuple[Count, int]:
    count, reported = Count(), 0
    async with fleet(home, agent.server.ssh_config, definition(agent)) as our, asyncio.timeout(_TIMEOUT):
        await our.up("alpha")
        container = await asyncio.to_thread(_writer, agent.server, "ours")
        target = LogTarget(server="alpha", container=container, name="ours")
        async with MergedLogs(lambda name: our.manager.link(name).client(), [target], LogOptions()) as merged:
            async for batch in merged:
                reported += sum(event.lines or 0 for event in batch.events if isinstance(event, SourceGap))
                if count.take(line[PREFIX:] for line in batch.data.split(b"\n") if line):
                    break
    agent.server.docker("rm", "-f", "ours")
    return count, reported


def _docker(server: Server) -> Count:
    _writer(server, "theirs")
    count = Count()
    command = [find("docker") or "docker", "-H", server.docker_host, "logs", "-f", "theirs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        too_long = threading.Timer(_ENGINE_TIMEOUT, process.kill)
        too_long.start()
        for line in process.stdout:
            if count.take([line.rstrip(b"\n")]):
                break
        else:  # it never came to the end
            count.lost += LINES - count.last
        too_long.cancel()
        process.kill()
    server.docker("rm", "-f", "theirs")
    return count
