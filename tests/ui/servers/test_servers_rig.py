"""The Servers tab with a real engine behind a real sshd."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.servers import ServersPage
from komodo_tui.ui.servers.standing_dialog import StandingDialog
from komodo_tui.wiring import build_runtime
from tests.integration.ssh.lab import RemoteAgent
from tests.ui.servers.lab import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.fleet.live import ServerLive
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
def agent(server: Server) -> Iterator[RemoteAgent]:
    """An agent on the private server."""
    remote = RemoteAgent(server)
    remote.start()
    yield remote
    remote.kill()


@pytest.fixture
def ssh_config(server: Server, tmp_path: Path) -> Path:
    """Of somebody who has never seen the server."""
    text = f"""Host alpha
  HostName {server.address}
  User {server.user}
  IdentityFile {server.key}
  IdentitiesOnly yes
  UserKnownHostsFile {tmp_path / "known_hosts"}
"""
    path = tmp_path / "ssh_config"
    path.write_text(text)
    return path


async def test_a_server_is_added_its_key_accepted_and_watched_and_comes_back_after_a_loss(
    server: Server, agent: RemoteAgent, ssh_config: Path, tmp_path: Path
) -> None:
    server.docker("run", "-d", "--name", "steady", "busybox", "sleep", "1000")
    runtime = build_runtime(home=tmp_path / "home", ssh_config=ssh_config)
    async with KomodoApp(runtime).run_test(size=(80, 24)) as pilot:
        page = pilot.app.query_one(ServersPage)
        await until(pilot, lambda: page.overview.table.model.view)
        await add(pilot, str(agent.socket))
        await until(pilot, lambda: isinstance(pilot.app.screen, StandingDialog))
        await pilot.press("y")

        def live() -> ServerLive:
            return runtime.fleet.state.servers["alpha"]

        await until(pilot, lambda: live().engine_live and live().sample is not None)
        assert [c.name for c in live().containers.values()] == ["steady"]
        assert server.address in (tmp_path / "known_hosts").read_text()

        page.overview.table.choose("alpha")
        await pilot.press("enter", *["right_square_bracket"] * 4)
        await until(pilot, lambda: live().processes)

        sessions = server.sessions()
        server.stop_sshd()
        for session in sessions:
            os.kill(session, signal.SIGKILL)
        await until(pilot, lambda: live().status == "unreachable")
        assert page.detail.live is live()  # what it said last stays on screen
        server.start_sshd()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: live().live)


async def add(pilot: Pilot[int], agent_socket: str) -> None:
    """Add the one host the configuration names."""
    await pilot.press("N")
    await until(pilot, lambda: isinstance(pilot.app.screen, MenuDialog))
    await pilot.press("a")
    await until(
        pilot, lambda: isinstance(pilot.app.screen, FormDialog) and pilot.app.screen.query("#field-agent_socket")
    )
    pilot.app.screen.query_one("#field-agent_socket", Input).value = agent_socket
    await pilot.press("ctrl+s")
