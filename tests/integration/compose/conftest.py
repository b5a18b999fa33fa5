"""An agent of the private server that finds compose."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import Stacks
from tests.rig import compose
from tests.rig.fixtures import absent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server


@pytest.fixture(scope="session")
def compose_folder() -> Path:
    """A ``DOCKER_CONFIG`` with the compose plugin; skipped, or failed under CI, where it cannot be had."""
    try:
        return compose.config_folder()
    except RuntimeError as error:
        absent(error)


@pytest.fixture
def agent(server: Server, tmp_path: Path, compose_folder: Path) -> Iterator[AgentProcess]:
    """A running agent of the private server."""
    environment = {"DOCKER_CONFIG": str(compose_folder), "KOMODO_AGENT_STACK_ROOTS": str(tmp_path / "srv")}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as running:
        yield running


@pytest.fixture
async def stacks(agent: AgentProcess, server: Server) -> AsyncIterator[Stacks]:
    """Its compose, with nothing deployed and no volume left."""
    volumes = server.docker("volume", "ls", "-q").split()
    if volumes:
        server.docker("volume", "rm", "-f", *volumes)
    server.docker("network", "prune", "-f")
    async with agent.session() as session:
        yield Stacks(agent, session, server)


@pytest.fixture
def komodo(server: Server, tmp_path: Path, compose_folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``komodo-tui`` with an embedded agent of the private engine."""
    environment = {
        **os.environ, "KOMODO_TUI_HOME": str(tmp_path / "home"), "DOCKER_HOST": server.docker_host,
        "DOCKER_CONFIG": str(compose_folder),
    }  # fmt: skip

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env=environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip

    return run
