"""The agent of a private server, reached over its sshd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.ssh.conftest import _agents, agent
from tests.rig.images import BUSYBOX, load

if TYPE_CHECKING:
    from tests.integration.ssh.lab import RemoteAgent

__all__ = ["_agents", "agent"]


@pytest.fixture
def clean(agent: RemoteAgent) -> RemoteAgent:
    """The same, without anybody's volumes, networks and tags."""
    docker = agent.server.docker
    for volume in docker("volume", "ls", "-q").split():
        docker("volume", "rm", volume)
    docker("network", "prune", "-f")
    for image in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
        if image not in ("busybox:latest", "noshell:latest") and "<none>" not in image:
            docker("image", "rm", image)
    docker("image", "prune", "-f")
    if not docker("image", "ls", "-q", BUSYBOX).strip():
        load(agent.server.docker_host)  # the test before has removed all
    return agent
