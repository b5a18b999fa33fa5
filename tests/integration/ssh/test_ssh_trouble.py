"""Servers that are silent, broken, strange, killed or frozen: what is said, and how they return."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.wire.exec import ExecRequest
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet import connect, dial, supervisor
from tests.integration.ssh.lab import PATIENCE, definition, fleet
from tests.integration.ssh.sshd import sshd, write_config
from tests.rig.images import BUSYBOX
from tests.rig.processes import stop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig

look_up = socket.getaddrinfo


@contextmanager
def listener() -> Iterator[int]:
    """A port of this machine that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent:
        yield silent.getsockname()[1]


@asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[int]:
    """A port of this machine that says this to everybody and then waits, or hangs up when it has nothing to say."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        if words:
            with suppress(ConnectionResetError):
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def without_name_server(name: str, *arguments: Any) -> Any:
    """What the system answers for names, without a question to any network."""
    if name == "no-such-host.invalid":
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    if name == "later.invalid":
        raise socket.gaierror(socket.EAI_AGAIN, "later")
    return look_up(name, *arguments)


async def test_silent_servers_delay_nobody(agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "DIAL_TIMEOUT", 1000.0)
    monkeypatch.setattr(dial, "GREETING_TIMEOUT", 1000.0)  # who waited for them would wait for ever
    with sshd(agent.server, tmp_path / "sshd") as ours, listener() as silent:
        agent.server.drop(ours.port)
        try:
            places = {"silent": f"127.0.0.1:{silent}", "dropped": f"{ours.address}:{ours.port}"}
            many = [ServerDefinition(name=f"{n}{what}", address=places[what]) for what in places for n in range(25)]
            async with fleet(tmp_path / "home", agent.server.ssh_config, *many, definition(agent)) as our:
                await our.up("alpha")
                assert {our.live(server.name).status for server in many} == {"connecting"}
        finally:
            agent.server.drop(ours.port, undo=True)


async def test_each_way_not_to_answer_is_told(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "DIAL_TIMEOUT", 2.0)
    monkeypatch.setattr(dial, "GREETING_TIMEOUT", 1.0)
    monkeypatch.setattr(socket, "getaddrinfo", without_name_server)
    web_server = b"HTTP/1.1 400 \x1b[31mBad Request\r\n\r\n"
    with sshd(agent.server, tmp_path / "sshd") as ours, listener() as silent:
        agent.server.drop(ours.port)
        try:
            async with saying(web_server) as http, saying(b"") as rude:
                places = {
                    "dropped": f"{ours.address}:{ours.port}", "silent": f"127.0.0.1:{silent}",
                    "web": f"127.0.0.1:{http}", "rude": f"127.0.0.1:{rude}",
                    "refusing": f"{ours.address}:1", "nameless": "no-such-host.invalid",
                    "lookup": "later.invalid", "misspelt": "web..example",
                }  # fmt: skip
                servers = [ServerDefinition(name=name, address=address) for name, address in places.items()]
                async with fleet(tmp_path / "home", agent.server.ssh_config, *servers) as our:
                    said = {name: str(await our.status(name, "unreachable")) for name in places}
        finally:
            agent.server.drop(ours.port, undo=True)
    assert said == {
        "dropped": f"dropped: no answer from {places['dropped']} (is it on, and does a firewall let us in?)",
        "silent": f"silent: {places['silent']} accepts connections and says nothing (sshd may hang)",
        "web": f"web: what listens on {places['web']} is no SSH server: it says 'HTTP/1.1 400 Bad Request'",
        "rude": f"rude: {places['rude']} closes the connection without a greeting "
        "(it may be overloaded, or block this address for a while after failed logins)",
        "refusing": f"refusing: {places['refusing']} refuses connections (does sshd run there?)",
        "nameless": "nameless: the name no-such-host.invalid is not known: no such name "
        "(correct the address, or HostName in ~/.ssh/config)",
        "lookup": "lookup: the name later.invalid is not known: later "
        "(the name server does not answer; it is tried again)",
        "misspelt": "misspelt: 'web..example' is no name of a host (correct the address)",
    }


async def test_server_that_answers_again_comes_back(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "DIAL_TIMEOUT", 0.3)
    with sshd(agent.server, tmp_path / "sshd") as ours:
        agent.server.drop(ours.port)
        config = write_config(tmp_path, ours.config("away"))
        async with fleet(tmp_path / "home", config, definition(agent, address="away")) as our:
            try:
                assert isinstance(await our.status("alpha", "unreachable"), HostUnreachableError)
            finally:
                agent.server.drop(ours.port, undo=True)
            await our.up("alpha")


async def test_agent_that_is_killed_is_missed_and_found_again(agent: RemoteAgent, tmp_path: Path) -> None:
    agent.server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000000")
    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        live = await our.up("alpha")
        await our.container("alpha", "web")
        our.manager.link("alpha").set_feed(processes=True)
        await our.until(lambda: live.processes)
        agent.kill()
        error = await our.status("alpha", "agent_missing")
        assert error is not None
        assert error.message in ("the agent stopped", "the connection to the agent was lost")
        assert live.containers  # what was known stays, and is no longer live
        assert not live.engine_live
        agent.server.docker("rm", "-f", "web")
        live.processes = ()
        agent.start()
        await our.up("alpha")
        await our.until(lambda: not live.containers)
        await our.until(lambda: live.processes)  # asked for again


async def test_connection_that_is_cut_comes_back(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        config = write_config(tmp_path, ours.config("cut"))
        async with fleet(tmp_path / "home", config, definition(agent, address="cut")) as our:
            await our.up("alpha")
            shell = await our.manager.link("alpha").shell(80, 24)
            ours.drop_connections()
            error = await our.status("alpha", "unreachable")
            assert error is not None
            assert error.message.startswith("the connection to cut was lost")
            assert (await shell.wait()).reason == "the connection to alpha was lost"
            await shell.close()
            await our.up("alpha")
            assert ours.connections == 2


async def test_frozen_agent_is_noticed_and_thaws(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PING_INTERVAL", 0.2)
    monkeypatch.setattr(supervisor, "PING_TIMEOUT", 1.0)
    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        await our.up("alpha")
        agent.signal(signal.SIGSTOP)
        try:
            error = await our.status("alpha", "unreachable")
            assert str(error) == "alpha: the agent does not answer in time (it is frozen, or the server is overloaded)"
        finally:
            agent.signal(signal.SIGCONT)
        await our.up("alpha")


async def test_frozen_host_is_noticed_and_thaws(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "KEEPALIVE_INTERVAL", 1)
    with sshd(agent.server, tmp_path / "sshd") as ours:
        config = write_config(tmp_path, ours.config("cold"))
        async with fleet(tmp_path / "home", config, definition(agent, address="cold")) as our:
            await our.up("alpha")
            ours.signal(signal.SIGSTOP)
            try:
                error = await our.status("alpha", "unreachable")
                assert str(error) == "alpha: cold has not answered for 3 s (it is frozen, or the network)"
            finally:
                ours.signal(signal.SIGCONT)
            await our.up("alpha")


async def test_frozen_host_does_not_hold_up_the_end(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "KEEPALIVE_INTERVAL", 1000)  # it would never be given up
    cid = agent.server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000000").strip()
    with sshd(agent.server, tmp_path / "sshd") as ours:
        config = write_config(tmp_path, ours.config("cold"))
        try:
            async with (
                asyncio.timeout(PATIENCE),
                fleet(tmp_path / "home", config, definition(agent, address="cold")) as our,
            ):
                await our.up("alpha")
                client = await our.manager.link("alpha").client()
                process = await client.exec(ExecRequest(container=cid, command=("sleep", "1000"), tty=False))
                await our.manager.link("alpha").shell(80, 24)
                ours.signal(signal.SIGSTOP)
                await process.close()
        finally:
            ours.signal(signal.SIGCONT)


async def test_sshd_that_ends_leaves_open_connections_alone(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        config = write_config(tmp_path, ours.config("half"))
        async with fleet(tmp_path / "home", config, definition(agent, address="half")) as our:
            await our.up("alpha")
            stop(ours.pid)
            await (await our.manager.link("alpha").client()).ping()
            assert our.live("alpha").live


async def test_error_of_the_program_is_shown_and_can_be_left_behind(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        await our.up("alpha")
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        with monkeypatch.context() as patch:
            patch.setattr(our.manager.state, "apply", broken)
            error = await our.status("alpha", "unreachable")
            assert str(error) == "alpha: komodo-tui failed: ZeroDivisionError (connect again)"
        our.manager.reconnect("alpha")
        await our.up("alpha")
