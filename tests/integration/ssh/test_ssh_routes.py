"""Ways to a server: bastions, included configuration, and servers that forbid what we would rather use."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.exec import ExecRequest
from komodo_agent.wire.logs import LogRequest, LogSource
from komodo_tui.domain.errors import AgentMissingError, AgentTimeoutError, HostKeyUnknownError, HostUnreachableError
from komodo_tui.fleet import connector, supervisor
from tests.integration.ssh.lab import PATIENCE, definition, fleet
from tests.integration.ssh.sshd import sshd, write_config
from tests.rig.images import BUSYBOX

if TYPE_CHECKING:
    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig

INSIDE = "127.0.0.1"
"""Only reached from within the server's namespace."""


async def test_servers_behind_a_bastion_share_its_connection(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "b") as bastion, sshd(agent.server, tmp_path / "i", address=INSIDE) as inner:
        (tmp_path / "conf.d").mkdir()
        (tmp_path / "conf.d/bastion.conf").write_text(bastion.config("door"))
        config = write_config(
            tmp_path,
            f"Include {tmp_path}/conf.d/*.conf\n",
            *(inner.config(n, "ProxyJump door") for n in ("one", "two")),
        )
        definitions = (definition(agent, address="one"), definition(agent, name="beta", address="two"))
        async with fleet(tmp_path / "home", config, *definitions) as our:
            await our.up("alpha")
            await our.up("beta")
            assert (bastion.connections, inner.connections) == (1, 2)
            await our.manager.remove("beta")
            await (await our.manager.link("alpha").client()).ping()  # the bastion still serves the other

            bastion.drop_connections()
            error = await our.status("alpha", "unreachable")
            assert isinstance(error, HostUnreachableError)
            assert str(error).startswith("alpha: the connection to one was lost")
            await our.up("alpha")
            assert bastion.connections == 2


async def test_key_of_a_bastion_is_accepted_for_all_behind_it(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "b") as bastion, sshd(agent.server, tmp_path / "i", address=INSIDE) as inner:
        config = write_config(
            tmp_path, bastion.config("door", known=False), *(inner.config(n, "ProxyJump door") for n in ("one", "two"))
        )
        definitions = (definition(agent, address="one"), definition(agent, name="beta", address="two"))
        async with fleet(tmp_path / "home", config, *definitions) as our:
            error = await our.status("alpha", "host_key_unknown")
            other = await our.status("beta", "host_key_unknown")
            assert isinstance(error, HostKeyUnknownError)
            assert isinstance(other, HostKeyUnknownError)
            assert (error.server, other.server, error.key) == ("alpha", "beta", other.key)
            assert f"key of door ({bastion.address}:{bastion.port}) is not known yet" in error.message
            await our.manager.link("alpha").accept_host_key(error)
            await our.up("alpha")
            await our.up("beta")
        assert (bastion.folder / "known_hosts").read_text() == bastion.entry


async def test_bastion_that_leads_nowhere_is_named(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "b", "AllowTcpForwarding no") as bastion:
        config = write_config(tmp_path, bastion.config("door"), "Host one\n  HostName 127.0.0.1\n  ProxyJump door\n")
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            error = await our.status("alpha", "unreachable")
            assert isinstance(error, HostUnreachableError)
            assert error.message.startswith("door cannot reach 127.0.0.1:22: ")


async def test_proxy_command_is_used(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "b") as bastion, sshd(agent.server, tmp_path / "i", address=INSIDE) as inner:
        config = tmp_path / "ssh_config"
        write_config(
            tmp_path, bastion.config("door"), inner.config("one", f"ProxyCommand ssh -F {config} -W %h:%p door")
        )
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            await our.up("alpha")


@pytest.mark.parametrize("setting", ["AllowStreamLocalForwarding no", "DisableForwarding yes"])
async def test_agent_is_reached_without_forwarding(agent: RemoteAgent, tmp_path: Path, setting: str) -> None:
    cid = agent.server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000000").strip()
    environment = f"SetEnv PATH={Path(sys.executable).parent}:/usr/bin:/bin HOME={tmp_path}"
    with sshd(agent.server, tmp_path / "sshd", setting, environment) as ours:
        config = write_config(tmp_path, ours.config("strict"))
        async with fleet(tmp_path / "home", config, definition(agent, address="strict")) as our:
            live = await our.up("alpha")
            assert cid in live.containers
            client = await our.manager.link("alpha").client()
            process = await client.exec(ExecRequest(container=cid, command=("cat",), tty=False))
            sent = bytes(range(256)) * 2048
            await process.write(sent)
            await process.end_of_input()
            came = b""
            async with asyncio.timeout(PATIENCE):
                while part := await process.read():
                    came += part
            assert came == sent
            await process.close()


async def test_without_forwarding_few_streams_fit_and_the_server_stays_up(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "FREE_TIMEOUT", 2.0)
    monkeypatch.setattr(supervisor, "PING_INTERVAL", 0.1)
    cid = agent.server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000000").strip()
    environment = f"SetEnv PATH={Path(sys.executable).parent}:/usr/bin:/bin HOME={tmp_path}"
    forever = ExecRequest(container=cid, command=("sleep", "1000"), tty=False)
    with sshd(agent.server, tmp_path / "sshd", "DisableForwarding yes", environment) as ours:
        config = write_config(tmp_path, ours.config("strict"))
        async with fleet(tmp_path / "home", config, definition(agent, address="strict")) as our:
            live = await our.up("alpha")
            client = await our.manager.link("alpha").client()
            processes = [await client.exec(forever) for _ in range(2)]
            logs = [await client.logs(LogRequest(sources=(LogSource(container=cid, tag="aa"),))) for _ in range(2)]
            with pytest.raises(AgentTimeoutError, match="2 streams of this kind are open, and no more fit"):
                await client.exec(forever)
            await asyncio.gather(*(client.containers() for _ in range(10)))  # calls wait for each other
            shell = await our.manager.link("alpha").shell(80, 24)
            since, measured = live.since, live.latency
            await our.until(lambda: live.latency != measured)
            await processes[0].close()
            processes.append(await client.exec(forever))
            assert (live.live, live.since) == (True, since)
            await asyncio.gather(*(process.close() for process in processes), *(log.close() for log in logs))
            await shell.close()


async def test_agent_that_no_way_leads_to_is_said_to_be_missing(agent: RemoteAgent, tmp_path: Path) -> None:
    environment = f"SetEnv PATH=/usr/bin:/bin HOME={tmp_path}"
    with sshd(agent.server, tmp_path / "sshd", "AllowStreamLocalForwarding no", environment) as ours:
        config = write_config(tmp_path, ours.config("strict"))
        async with fleet(tmp_path / "home", config, definition(agent, address="strict")) as our:
            error = await our.status("alpha", "agent_missing")
            assert isinstance(error, AgentMissingError)
            assert str(error) == (
                f"alpha: the agent's socket {agent.socket} is there and does not open (start the agent again; "
                "where sshd forbids forwarding, install it from here: komodo-tui server install-agent alpha)"
            )


async def test_login_that_may_run_nothing_is_told(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd", "DisableForwarding yes", "ForceCommand /bin/false") as ours:
        config = write_config(tmp_path, ours.config("strict"))
        async with fleet(tmp_path / "home", config, definition(agent, address="strict")) as our:
            error = await our.status("alpha", "unreachable")
            assert error is not None
            assert error.message.startswith("the server does not run commands for this login")
            assert "without a forced command" in error.hint
