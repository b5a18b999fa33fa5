"""Processes in containers: bytes both ways, sizes, exit codes, and nothing left behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import pytest

from komodo_agent.wire.exec import EndOfInput, ExecExit, ExecRequest, ExecStarted, Resize
from komodo_agent.wire.protocol import CLOSE_GONE, CLOSE_STOPPING
from tests.integration.agent.lab import AgentProcess, run_exec
from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
def box(server: Server) -> str:
    """A container that runs, with a shell."""
    return server.docker("run", "-d", "--name", "box", "busybox", "sleep", "100000").strip()


def text(control: msgspec.Struct) -> str:
    return msgspec.json.encode(control).decode()


def processes(server: Server, container: str) -> list[str]:
    """The commands that run in a container."""
    rows = server.docker("top", container, "-eo", "pid,args").splitlines()[1:]
    return [row.split(None, 1)[1] for row in rows]


@pytest.mark.parametrize("code", [0, 1, 7, 137])
async def test_exit_codes_and_separate_outputs(agent: AgentProcess, box: str, code: int) -> None:
    command = ("sh", "-c", f"echo out; echo err >&2; exit {code}")
    async with (
        agent.session() as session,
        run_exec(session, ExecRequest(container=box, command=command, tty=False)) as process,
    ):
        assert await process.to_end() == ExecExit(code=code)
        assert process.events[0] == ExecStarted(command=command)
        assert process.output == {1: b"out\n", 2: b"err\n"}


async def test_five_megabytes_of_anything_through_cat(agent: AgentProcess, box: str) -> None:
    """Half-closing input is what lets the process see its end; every byte value passes."""
    data = os.urandom(5 << 20)
    async with (
        agent.session() as session,
        run_exec(session, ExecRequest(container=box, command=("cat",), tty=False)) as process,
    ):
        for start in range(0, len(data), 1 << 16):
            await process.socket.send_bytes(data[start : start + (1 << 16)])
            if start % (1 << 20) == 0:
                await process.until(lambda p, start=start: len(p.output[1]) >= start - (1 << 20))  # type: ignore[misc]
        await process.socket.send_str(text(EndOfInput()))
        assert await process.to_end() == ExecExit(code=0)
    assert hashlib.sha256(process.output[1]).digest() == hashlib.sha256(data).digest()


async def test_a_shell_is_found_and_has_the_right_size(agent: AgentProcess, box: str) -> None:
    async with (
        agent.session() as session,
        run_exec(session, ExecRequest(container="box", rows=31, cols=97)) as process,
    ):
        await process.socket.send_bytes(b"stty size; echo $TERM\n")
        await process.until(lambda p: b"31 97" in p.output[1] and b"xterm-256color" in p.output[1])
        await process.socket.send_str(text(Resize(rows=40, cols=120)))
        await process.socket.send_bytes(b"stty size; exit 3\n")
        assert await process.to_end() == ExecExit(code=3)
        assert b"40 120" in process.output[1]
        assert process.output[2] == b""


async def test_control_p_is_not_held_back(agent: AgentProcess, box: str) -> None:
    """The engine's own detach keys begin with ^P and would swallow it until the next key."""
    async with (
        agent.session() as session,
        run_exec(session, ExecRequest(container=box, command=("sh", "-c", "stty raw -echo; cat"))) as process,
    ):
        await process.socket.send_bytes(b"\x10")
        await process.until(lambda p: b"\x10" in p.output[1], 5)


async def test_a_container_without_a_shell_says_so(agent: AgentProcess, server: Server) -> None:
    server.docker("run", "-d", "--name", "bare", "noshell")
    async with agent.session() as session, run_exec(session, ExecRequest(container="bare")) as process:
        ended = process.events[-1]
        assert isinstance(ended, ExecExit)
        assert ended.code is None
        assert "bare has no shell" in ended.reason


@pytest.mark.parametrize("tty", [True, False])
async def test_a_program_that_is_not_there(agent: AgentProcess, box: str, tty: bool) -> None:
    request = ExecRequest(container=box, command=("/no/such",), tty=tty)
    async with agent.session() as session, run_exec(session, request) as process:
        ended = process.events[-1]
        assert isinstance(ended, ExecExit)
        assert ended.code is None
        assert "/no/such cannot be started in box" in ended.reason
        assert process.output == {1: b"", 2: b""}


async def test_a_container_that_is_not_there_or_does_not_run(agent: AgentProcess, server: Server) -> None:
    server.docker("create", "--name", "cold", "busybox", "sleep", "1000")
    async with agent.session() as session:
        async with run_exec(session, ExecRequest(container="nobody")) as process:
            assert process.events == [ExecExit(code=None, reason="there is no container 'nobody' on this server")]
            await process.to_end()
            assert process.socket.close_code == CLOSE_GONE
        async with run_exec(session, ExecRequest(container="cold")) as process:
            ended = await process.to_end()
            assert isinstance(ended, ExecExit)
            assert "is not running" in ended.reason


@pytest.mark.parametrize(
    ("command", "tty"),
    [
        (("sh", "-c", "sleep 7771 & sleep 7772"), False),
        (("sh", "-c", "sleep 7771 & sleep 7772"), True),
        (("sh", "-c", "trap '' HUP; while :; do sleep 1; done"), False),
        (("sleep", "7773"), True),
        ((), True),
    ],
    ids=["children", "terminal", "ignores-hangup", "plain", "shell"],
)
async def test_nothing_is_left_when_the_client_goes(
    agent: AgentProcess, server: Server, box: str, command: tuple[str, ...], tty: bool
) -> None:
    async with agent.session() as session:
        async with run_exec(session, ExecRequest(container=box, command=command, tty=tty)) as process:
            assert isinstance(process.events[0], ExecStarted)
            wait_for(lambda: len(processes(server, box)) > 1, 10, what="the process")
        wait_for(lambda: processes(server, box) == ["sleep 100000"], 10, what="the end of everything exec'd")


_FLOOD = """
import asyncio, aiohttp, sys

async def main():
    async with aiohttp.ClientSession("http://agent", connector=aiohttp.UnixConnector(sys.argv[1])) as session:
        socket = await session.ws_connect("/v1/exec")
        await socket.send_str(sys.argv[2])
        await socket.receive()
        while True:
            try:
                await asyncio.wait_for(socket.send_bytes(bytes(65536)), 2)
            except asyncio.TimeoutError:
                print("stuck", flush=True)

asyncio.run(main())
"""


def test_nothing_is_left_when_the_client_dies_while_its_input_is_stuck(
    agent: AgentProcess, server: Server, box: str
) -> None:
    """The process takes no input, so nothing is read of the client any more, and its end has to be found otherwise."""
    request = ExecRequest(container=box, command=("sleep", "7774"), tty=False)
    command = [sys.executable, "-c", _FLOOD, str(agent.socket), text(request)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"stuck\n"
        assert "sleep 7774" in processes(server, box)
        client.kill()
    wait_for(lambda: processes(server, box) == ["sleep 100000"], 20, what="the end of the process")


async def test_nothing_is_left_when_the_agent_stops(agent: AgentProcess, server: Server, box: str) -> None:
    request = ExecRequest(container=box, command=("sleep", "7775"))
    async with agent.session() as session, run_exec(session, request) as process:
        assert isinstance(process.events[0], ExecStarted)
        agent.process.terminate()
        await process.to_end()
        assert process.socket.close_code == CLOSE_STOPPING
    assert await asyncio.to_thread(agent.process.wait, 10) == 0
    assert processes(server, box) == ["sleep 100000"]


async def test_a_container_removed_under_a_shell(agent: AgentProcess, server: Server, box: str) -> None:
    async with agent.session() as session, run_exec(session, ExecRequest(container=box)) as process:
        server.docker("rm", "-f", box)
        ended = await process.to_end()
        assert isinstance(ended, ExecExit)
        assert ended.code == 137 or "No such" in ended.reason


async def test_attach_reads_and_writes_and_only_detaches(agent: AgentProcess, server: Server) -> None:
    cid = server.docker("run", "-d", "-i", "busybox", "sh", "-c", "while read x; do echo got $x; done").strip()
    async with agent.session() as session:
        async with run_exec(session, ExecRequest(container=cid, attach=True)) as process:
            assert isinstance(process.events[0], ExecStarted)
            await process.socket.send_bytes(b"one\n")
            await process.until(lambda p: p.output[1] == b"got one\n")
        assert server.docker("inspect", "-f", "{{.State.Running}}", cid).strip() == "true"
        async with run_exec(session, ExecRequest(container=cid, attach=True)) as process:
            await process.socket.send_bytes(b"two\n")
            await process.until(lambda p: b"got two" in p.output[1])
            server.docker("kill", cid)
            assert await process.to_end() == ExecExit(code=137)


async def test_many_sizes_at_once_while_starting_and_ending(agent: AgentProcess, box: str) -> None:
    """Resizing races the start and the end of the process; neither may break the session."""
    async with agent.session() as session:
        for turn in range(10):
            async with session.ws_connect("/v1/exec") as socket:
                await socket.send_str(text(ExecRequest(container=box, command=("sh", "-c", "exit 5"))))
                for cols in range(80, 90):
                    await socket.send_str(text(Resize(rows=24, cols=cols + turn)))
                events = [m.data async for m in socket if m.type is aiohttp.WSMsgType.TEXT]
                assert '"code":5' in events[-1]
