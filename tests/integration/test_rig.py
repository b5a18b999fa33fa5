"""The rig itself: three servers at once, each with an engine, an address and an sshd of its own."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.rig.processes import alive, wait_for

if TYPE_CHECKING:
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def test_servers_are_apart(server: Server, second_server: Server, third_server: Server) -> None:
    for each in (server, second_server, third_server):
        each.docker("run", "-d", "--name", f"only-{each.number}", "busybox", "sleep", "1000")
    for each in (server, second_server, third_server):
        assert each.docker("ps", "--format", "{{.Names}}").split() == [f"only-{each.number}"]
        assert each.ssh("hostname").strip() == each.name
        assert each.ssh("docker", "ps", "-q").split() == each.docker("ps", "-q").split()


def test_engine_dies_and_comes_back(server: Server) -> None:
    server.docker("run", "-d", "--name", "survivor", "--restart", "always", "busybox", "sleep", "1000")
    pid = server.pid("dockerd")
    server.stop_engine(signal.SIGKILL)
    assert not alive(pid)
    server.start_engine()
    assert wait_for(lambda: "survivor" in server.docker("ps", "--format", "{{.Names}}"), 20, what="its restart")
