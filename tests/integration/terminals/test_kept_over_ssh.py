"""A terminal of a server far away: the connection is cut, the program here ends, and it is found as it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.exec import ExecRequest
from komodo_agent.wire.terminals import ContainerRequest, ShellRequest
from komodo_tui.domain.errors import NotFoundError
from komodo_tui.fleet.kept import KeptTerminal, keeps_shells, keeps_terminals
from tests.integration.ssh.lab import definition, fleet

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.fleet.kept import KeptSession
    from tests.integration.ssh.lab import Fleet, RemoteAgent

pytestmark = pytest.mark.rig


def shell(our: Fleet, container: str) -> KeptTerminal:
    """A shell in a container, not begun yet."""
    process = ExecRequest(container=container)
    return KeptTerminal(our.manager.link("alpha"), "box@alpha", ContainerRequest(process=process))


async def until(session: KeptSession, text: bytes, seen: bytes = b"") -> bytes:
    """Read until this has come; returns all that was read."""
    async with asyncio.timeout(60):
        while text not in seen:
            data = await session.read()
            assert data, f"it ended: {await session.wait()}"
            seen += data
    return seen


async def test_a_cut_connection_is_come_back_from_without_a_byte_lost(
    remote: RemoteAgent, tmp_path: Path, box: str
) -> None:
    async with fleet(tmp_path, remote.server.ssh_config, definition(remote)) as our:
        assert keeps_terminals((await our.up("alpha")).hello)
        kept = shell(our, box)
        session = await kept.open(80, 24)
        notices: list[str] = []
        session.on_notice = notices.append
        await session.write(b"for i in 1 2 3 4 5 6; do echo num''ber $i; sleep 0.5; done; echo al''l\n")
        seen = await until(session, b"number 2")
        (await our.tunnel("alpha")).connection.ssh.abort()
        seen = await until(session, b"all\r\n", seen)
        for number in range(1, 7):
            assert seen.count(b"number %d\r\n" % number) == 1
        assert b"\x1bc" not in seen, "what was on the screen stays"
        assert len(notices) == 2
        assert "lost" in notices[0]
        assert notices[1] == ""
        await session.write(b"exit 5\n")
        assert (await session.wait()).code == 5
        await session.close()
        await kept.end()


async def test_another_program_finds_it_and_ends_it(remote: RemoteAgent, tmp_path: Path, box: str) -> None:
    async with fleet(tmp_path / "one", remote.server.ssh_config, definition(remote)) as our:
        await our.up("alpha")
        session = await shell(our, box).open(80, 24)
        await session.write(b"echo fr''om-one\n")
        await until(session, b"from-one")
        await session.close()
    async with fleet(tmp_path / "two", remote.server.ssh_config, definition(remote)) as our:
        await our.up("alpha")
        client = await our.manager.link("alpha").client()
        (info,) = await client.terminals()
        assert (info.target, info.clients) == ("box", 0)
        kept = KeptTerminal.found(our.manager.link("alpha"), info.name, info)
        session = await kept.open(80, 24)
        await until(session, b"from-one")
        await kept.rename("renamed")
        assert (await client.terminals())[0].name == "renamed"
        await kept.end()
        assert (await session.wait()).code != 0
        assert await client.terminals() == []
        session.on_notice = None
        await session.close()
        again = await kept.open(80, 24)  # the same once more, as a new one
        await again.write(b"echo on''ce-more\n")
        assert b"from-one" not in await until(again, b"once-more")
        await again.close()
        await kept.end()


async def test_an_agent_that_dies_takes_its_terminals_and_says_so(
    remote: RemoteAgent, tmp_path: Path, box: str
) -> None:
    async with fleet(tmp_path, remote.server.ssh_config, definition(remote)) as our:
        await our.up("alpha")
        session = await shell(our, box).open(80, 24)
        remote.kill()
        remote.start()
        async with asyncio.timeout(60):
            while await session.read():
                continue
        end = await session.wait()
        assert end.code is None
        assert "agent has restarted" in end.reason
        await session.close()


async def test_a_shell_of_the_server_lives_there_too(remote: RemoteAgent, tmp_path: Path) -> None:
    async with fleet(tmp_path, remote.server.ssh_config, definition(remote)) as our:
        assert keeps_shells((await our.up("alpha")).hello)
        kept = KeptTerminal(our.manager.link("alpha"), "alpha", ShellRequest(command=("sh",)))
        session = await kept.open(100, 30)
        await session.write(b"stty size; echo $TERM\n")
        seen = await until(session, b"xterm-256color")
        assert b"30 100" in seen
        await session.close()
        await kept.end()


async def test_what_is_not_there_is_said(remote: RemoteAgent, tmp_path: Path, box: str) -> None:
    async with fleet(tmp_path, remote.server.ssh_config, definition(remote)) as our:
        await our.up("alpha")
        gone = KeptTerminal(
            our.manager.link("alpha"), "x", ContainerRequest(process=ExecRequest(container=box)), id="12345678"
        )
        with pytest.raises(NotFoundError, match="no such terminal"):
            await gone.open(80, 24)
