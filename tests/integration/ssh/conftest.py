"""Agents on the private servers, each started once and shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.ssh.lab import RemoteAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rig.server import Server


@pytest.fixture(scope="session")
def _agents(rig_server: Callable[[str], Server]) -> Iterator[dict[str, RemoteAgent]]:
    """The agents that run, by server; the private servers outlive them."""
    running: dict[str, RemoteAgent] = {}
    try:
        yield running
    finally:
        for agent in running.values():
            agent.kill()


@pytest.fixture
def agent(server: Server, _agents: dict[str, RemoteAgent]) -> RemoteAgent:
    """The agent of the private server."""
    return _running(server, _agents)


@pytest.fixture
def second_agent(second_server: Server, _agents: dict[str, RemoteAgent]) -> RemoteAgent:
    """The agent of the second private server."""
    return _running(second_server, _agents)


def _running(server: Server, agents: dict[str, RemoteAgent]) -> RemoteAgent:
    agent = agents.setdefault(server.name, RemoteAgent(server))
    agent.start()
    return agent
