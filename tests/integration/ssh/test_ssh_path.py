"""The main path: an alias of the SSH configuration, live state, an act, logs, a process, a shell."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.exec import ExecRequest
from komodo_agent.wire.logs import LogCaughtUp, LogRequest, LogSource
from komodo_tui.domain.operations import ContainerOperation, Target
from tests.integration.ssh.lab import PATIENCE, definition, fleet
from tests.rig.images import BUSYBOX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig


async def test_server_shows_its_host_and_containers_and_takes_acts(agent: RemoteAgent, tmp_path: Path) -> None:
    script = "echo to-the-log; while true; do sleep 1000 & wait; done"
    agent.server.docker("run", "-d", "--stop-timeout", "0", "--name", "web", BUSYBOX, "sh", "-c", script)
    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        live = await our.up("alpha")
        web = await our.container("alpha", "web")
        assert live.hello is not None
        assert live.hello.product == "komodo-agent"
        assert live.host is not None
        assert live.engine is not None
        assert live.engine.status == "up"
        await our.until(lambda: live.sample is not None and web.id in live.samples and live.latency is not None)
        assert live.sample is not None
        assert live.sample.memory_total > 0

        plan = our.runtime.executor.plan(
            ContainerOperation(verb="restart", targets=(Target(server="alpha", name="web", id=web.id),))
        )
        record = await our.runtime.executor.submit(plan, our.runtime.actor, given=True)
        assert record.outcome == "success", record
        await our.until(lambda: live.containers[web.id].started > web.started)

        client = await our.manager.link("alpha").client()
        logs = await client.logs(LogRequest(sources=(LogSource(container=web.id, tag="aa"),)))
        text, caught_up = b"", False
        async with asyncio.timeout(PATIENCE):
            async for item in logs:
                text += item if isinstance(item, bytes) else b""
                caught_up = caught_up or isinstance(item, LogCaughtUp)
                if caught_up and text.count(b"to-the-log\n") == 2:
                    break
        await logs.close()

        process = await client.exec(ExecRequest(container=web.id, command=("cat",), tty=False))
        await process.write(b"over and back")
        await process.end_of_input()
        async with asyncio.timeout(PATIENCE):
            assert await process.read() == b"over and back"
            assert (await process.wait()).code == 0
        await process.close()


async def test_host_shell_runs_with_the_servers_own_login(agent: RemoteAgent, tmp_path: Path) -> None:
    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        shell = await our.manager.link("alpha").shell(93, 31)
        line = (await our.tunnel("alpha")).connection.ssh.get_extra_info("socket")
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # or keys typed wait for each other
        await shell.write(b"stty size; echo on-$(hostname)\r")
        seen = b""
        async with asyncio.timeout(PATIENCE):
            while f"on-{agent.server.name}\r\n".encode() not in seen:
                seen += await shell.read()
            assert b"31 93" in seen
            await shell.resize(50, 20)
            await shell.write(b"stty size; exit 7\r")
            while part := await shell.read():
                seen += part
            assert b"20 50" in seen
            assert (await shell.wait()).code == 7
        await shell.close()


async def test_channels_are_given_back(agent: RemoteAgent, tmp_path: Path) -> None:
    cid = agent.server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000000").strip()
    async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
        live = await our.up("alpha")
        await our.until(lambda: live.latency is not None)
        link = our.manager.link("alpha")
        client = await link.client()
        await client.containers()
        before = await our.channels("alpha")
        for turns in range(5):
            logs = await client.logs(LogRequest(sources=(LogSource(container=cid, tag="aa"),)))
            await logs.close()
            process = await client.exec(ExecRequest(container=cid, command=("sleep", "1000"), tty=False))
            await process.close()
            given_up = asyncio.ensure_future(client.exec(ExecRequest(container=cid, command=("true",), tty=False)))
            for _ in range(turns * 3):  # give up at another point each time
                await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.wait({given_up})
            shell = await link.shell(80, 24)
            await shell.close()
        flood = await client.exec(ExecRequest(container=cid, command=("yes",), tty=False))
        assert await flood.read()
        await flood.close()  # with a full window
        deaf = await client.exec(ExecRequest(container=cid, command=("sleep", "1000"), tty=False))
        stuck = asyncio.ensure_future(deaf.write(bytes(4 << 20)))
        await asyncio.wait({stuck}, timeout=0.1)
        await deaf.close()  # with input that nobody takes
        await stuck
        async with asyncio.timeout(PATIENCE):
            while await our.channels("alpha") > before:
                await client.containers()  # each answer has passed the server after the closings before it
        assert await our.channels("alpha") <= before
