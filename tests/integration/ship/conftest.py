"""Two private servers with their agents, reached over SSH, and no images of ours on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.resources.conftest import clean
from tests.integration.ship.lab import Pair
from tests.integration.ssh.conftest import _agents, _running, agent, second_agent
from tests.rig.fixtures import absent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent
    from tests.rig.server import Server

__all__ = ["_agents", "agent", "clean", "second_agent"]


@pytest.fixture
def pair(clean: RemoteAgent, second_agent: RemoteAgent, tmp_path: Path) -> Pair:
    """``alpha`` and ``beta``."""
    _empty(second_agent)
    return Pair(clean, second_agent, tmp_path)


@pytest.fixture
def stores(
    clean: RemoteAgent, rig_server: Callable[..., Server], _agents: dict[str, RemoteAgent], tmp_path: Path
) -> Pair:
    """``alpha`` with an engine that has layers of its own; ``beta`` and ``gamma`` with containerd's store."""
    try:
        beta, gamma = rig_server("s", release="trixie"), rig_server("t", release="forky")
    except RuntimeError as error:
        absent(error)
    agents = [_running(server, _agents) for server in (beta, gamma)]
    for one in agents:
        _empty(one)
    return Pair(clean, agents[0], tmp_path, gamma=agents[1])


def _empty(agent: RemoteAgent) -> None:
    docker = agent.server.docker
    for image in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
        if image.startswith(("shop/", "127.")):
            docker("image", "rm", "-f", image)
    docker("image", "prune", "-f")
    for path in (agent.server.run_dir / "agent-state" / "spool").glob("*"):
        path.unlink()
