"""Somebody who pushes over SSH, a server with an engine, and a watch beside them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.compose.conftest import compose_folder
from tests.integration.pushes.lab import Watching
from tests.rig.server import down, up
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rig.server import Server

__all__ = ["compose_folder"]


@pytest.fixture(scope="session")
def sshd(worker_id: str) -> Iterator[Server]:
    """The server that repositories are pushed to: an sshd, no engine."""
    server = up(f"git{os.getpid()}{worker_id.removeprefix('gw')[:3]}", engine=False)
    try:
        yield server
    finally:
        down(server.name)


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """One commit is pushed."""
    return Author(tmp_path)


@pytest.fixture
def watching(sshd: Server, server: Server, author: Author, tmp_path: Path, compose_folder: Path) -> Iterator[Watching]:
    """The server ``web`` with an agent and an engine, and the repo ``shop`` that is pulled over SSH."""
    environment = {"DOCKER_CONFIG": str(compose_folder)}
    with agent_process(tmp_path / "web", server.docker_host, environment=environment):
        watching = Watching(tmp_path, server, sshd, author)
        try:
            yield watching
        finally:
            watching.stop()
