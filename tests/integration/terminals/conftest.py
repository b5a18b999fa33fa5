"""An agent against the private engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import AgentProcess, agent_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rig.server import Server


@pytest.fixture
def agent(server: Server, tmp_path: Path) -> Iterator[AgentProcess]:
    """A running agent of the private server."""
    with agent_process(tmp_path / "agent", server.docker_host) as running:
        yield running
