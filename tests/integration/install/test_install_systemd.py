"""The agent on servers with systemd: units of the system for root, of the user where the user may linger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import ActError
from komodo_tui.domain.servers import ServerDefinition
from tests.integration.install.booted import SYSTEMD, booted
from tests.integration.install.lab import ship, versions
from tests.integration.ssh.lab import fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.install.bare import Bare
    from tests.rig.server import Server

pytestmark = [pytest.mark.rig, pytest.mark.skipif(not SYSTEMD.exists(), reason="there is no systemd here to boot")]


@pytest.fixture(scope="module")
def machine(rig_server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    with booted(rig_server("a"), tmp_path_factory.mktemp("booted") / "bare") as ours:
        yield ours


async def test_root_gets_units_of_the_system(
    server: Server, machine: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    async with fleet(tmp_path, machine.ssh_config, ServerDefinition(name="web", address="bare")) as our:
        await our.status("web", "agent_missing")
        ship(monkeypatch, tmp_path, "0.0.1")
        await our.manager.link("web").install_agent(said.append)
        assert said[-1] == "starting it as a systemd unit of the system"
        first = (await our.up("web")).hello
        show = "systemctl show -P ActiveState komodo-agent.socket komodo-agent.service"
        assert machine.ssh(show).split() == ["active", "active"]

        ship(monkeypatch, tmp_path, "0.0.2", broken="broken on purpose")
        with pytest.raises(ActError, match=r"broken on purpose.*0\.0\.1-\w+ runs again"):
            await our.manager.link("web").install_agent(said.append)
        await our.until(lambda: our.live("web").live and our.live("web").hello != first)

        ship(monkeypatch, tmp_path, "0.0.3")
        hello = await our.manager.link("web").install_agent(said.append)
        assert hello.version == "0.0.3"
        assert versions(machine) == ["0.0.1", "0.0.3"]
        # A killed agent comes back by itself, and nobody is refused meanwhile: systemd holds the socket.
        machine.ssh("systemctl kill -s KILL komodo-agent.service")
        await our.until(lambda: our.live("web").live and our.live("web").hello not in (None, hello))


async def test_user_gets_units_where_lingering_is_granted(server: Server, machine: Bare, tmp_path: Path) -> None:
    said: list[str] = []
    async with fleet(tmp_path, machine.ssh_config, ServerDefinition(name="web", address="bare-deploy")) as our:
        await our.manager.link("web").install_agent(said.append)
        assert "loginctl enable-linger deploy" in said[-2]
        assert "a process of its own" in said[-1]
        process = (await our.up("web")).hello
        machine.ssh("loginctl enable-linger deploy")
        hello = await our.manager.link("web").install_agent(said.append)
        assert said[-1] == "starting it as a systemd unit of the user"
        assert process is not None
        assert hello.instance != process.instance
        assert machine.path("/run/user/1500/komodo/agent.sock").is_socket()
        assert not machine.path("/home/deploy/.local/state/komodo/agent.sock").exists()
        await our.up("web")
