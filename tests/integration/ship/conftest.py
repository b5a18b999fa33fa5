"""Two private servers with their agents, reached over SSH, and no images of ours on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.resources.conftest import clean
from tests.integration.ship.lab import Pair
from tests.integration.ssh.conftest import _agents, agent, second_agent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

__all__ = ["_agents", "agent", "clean", "second_agent"]


@pytest.fixture
def pair(clean: RemoteAgent, second_agent: RemoteAgent, tmp_path: Path) -> Pair:
    """``alpha`` and ``beta``."""
    docker = second_agent.server.docker
    for image in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
        if image.startswith(("shop/", "127.")):
            docker("image", "rm", "-f", image)
    docker("image", "prune", "-f")
    for path in (second_agent.server.run_dir / "agent-state" / "spool").glob("*"):
        path.unlink()
    return Pair(clean, second_agent, tmp_path)
