"""Fixtures that lend private servers to tests; import them in a conftest.

A server is started once a session and worker, cleaned of containers before each test that uses it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.rig import packages
from tests.rig.server import Server, down, up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def why_not() -> str:
    """Why the rig cannot run here, or an empty string."""
    if os.geteuid() != 0:
        return "the rig needs root"
    try:
        packages.install()
    except RuntimeError as error:
        return str(error)
    return ""


def absent(error: RuntimeError) -> NoReturn:
    """Skip a test for what cannot be had here, with the reason; under CI that is a failure."""
    if os.environ.get("CI") == "true":
        raise error
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def rig_server(worker_id: str) -> Iterator[Callable[..., Server]]:
    """Start (once) the private server of a short name: ``rig_server("a")``, and more of :func:`up`."""
    started: dict[str, Server] = {}
    prefix = f"t{os.getpid()}{worker_id.removeprefix('gw') if worker_id != 'master' else ''}"

    def get(name: str, **more: Any) -> Server:
        if name not in started:
            full = f"{prefix}{name}"
            started[name] = up(full, **more)
        return started[name]

    try:
        yield get
    finally:
        for server in started.values():
            down(server.name)


@pytest.fixture
def server(rig_server: Callable[[str], Server]) -> Server:
    """A private server with engine and sshd and no containers."""
    return _clean(rig_server("a"))


@pytest.fixture
def second_server(rig_server: Callable[[str], Server]) -> Server:
    """Another private server."""
    return _clean(rig_server("b"))


@pytest.fixture
def third_server(rig_server: Callable[[str], Server]) -> Server:
    """A third private server."""
    return _clean(rig_server("c"))


def _clean(server: Server) -> Server:
    server.remove_containers()
    if not server.sshd_answers():
        server.start_sshd()
    return server
