"""Agents: one beside the private engine, and one behind the private sshd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import AgentProcess, agent_process
from tests.integration.ssh.lab import RemoteAgent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rig.server import Server


@pytest.fixture
def agent(server: Server, tmp_path: Path) -> Iterator[AgentProcess]:
    """A running agent of the private server."""
    with agent_process(tmp_path / "agent", server.docker_host) as running:
        yield running


@pytest.fixture
def remote(server: Server) -> Iterator[RemoteAgent]:
    """The agent of the private server, to be reached over SSH."""
    running = RemoteAgent(server)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def box(server: Server) -> str:
    """A container that runs, with a shell."""
    return server.docker("run", "-d", "--name", "box", "busybox", "sleep", "100000").strip()
