"""The private server that figures are measured on, and the processes of its engine."""

from __future__ import annotations

import contextlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.measure import matching
from tests.rig import packages
from tests.rig.processes import stop
from tests.rig.server import Server, down, up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def private_server(name: str, containers: int = 0, *, buildkit: bool = True) -> Iterator[Server]:
    """A private server with that many idle containers, taken down at the end; ``buildkit`` as :func:`up` has it."""
    packages.install()
    server = up(f"bench-{name}", buildkit=buildkit)
    try:
        with ThreadPoolExecutor(6) as pool:
            for start in range(0, containers, 6):
                batch = range(start, min(start + 6, containers))
                list(pool.map(lambda n: start_idle(server, f"idle-{n:03d}"), batch))
        yield server
    finally:
        down(server.name)


def start_idle(server: Server, name: str) -> None:
    """Run a container that does nothing."""
    server.docker("run", "-d", "--network", "none", "--name", name, "busybox", "sleep", "1000000")


def engine_pids(server: Server) -> list[int]:
    """dockerd, its containerd and all shims: half of an engine's cost sits in the shims."""
    return sorted({*matching(f"komodo-rig/{server.name}/"), server.pid("dockerd")})


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user: own state directory, compiled modules kept."""
    drop = ("PYTHONDONTWRITEBYTECODE", "DOCKER_HOST", "NO_COLOR", "PYTHONUNBUFFERED")
    kept = {k: v for k, v in os.environ.items() if k not in drop}
    return {**kept, "KOMODO_TUI_HOME": str(home), "XDG_RUNTIME_DIR": str(home), "COLORTERM": "truecolor", **more}


def stop_agents(home: str) -> None:
    """End the agents that programs with this state directory began."""
    for pid in matching(f"{home}/"):
        stop(pid)


def program(*arguments: str) -> list[str]:
    """The installed ``komodo-tui`` with these arguments."""
    return [os.path.join(os.path.dirname(sys.executable), "komodo-tui"), *arguments]
