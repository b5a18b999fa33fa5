"""What answers on an agent's socket may be anything, or nothing."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web

from komodo_agent.wire.feed import Snapshot
from komodo_agent.wire.models import Container, Engine, Host
from komodo_agent.wire.protocol import PROTOCOL, ROUTE_FEED, ROUTE_HEALTH, ROUTE_HELLO, Hello
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet import supervisor
from tests.integration.ssh.lab import fleet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

pytestmark = pytest.mark.rig

STRANGER = (
    "what answers on the agent's socket is no komodo-agent, or speaks another language "
    "(install the agent again, or name its socket in the server's definition (agent_socket))"
)


def hello(**changes: Any) -> Hello:
    ours = Hello(
        product="komodo-agent", version="1.0", protocol=PROTOCOL, protocol_min=PROTOCOL, instance="i", host_id="h",
        boot_id="b", python="3.11", uid=0, caller_uid=0,
        hostname="alpha",
    )  # fmt: skip
    return msgspec.structs.replace(ours, **changes)


def answering(value: Any, status: int = 200) -> Handler:
    """Answers everything with this."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers={"Location": "http://127.0.0.1:1/"})

    return handler


async def serve_http(stack: AsyncExitStack, path: Path, *routes: tuple[str, Handler]) -> None:
    application = web.Application()
    for route, handler in routes:
        application.router.add_get(route, handler)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.UnixSite(runner, str(path)).start()


async def serve_bytes(stack: AsyncExitStack, path: Path, words: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(words)
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, path)
    stack.callback(server.close)


def dead_socket(path: Path) -> None:
    """A socket file nobody listens on, as a killed agent leaves it."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))


async def test_whatever_else_answers_is_told_apart(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "HELLO_TIMEOUT", 3.0)
    names = "missing page dead silent web other garbage redirect hangs-up new old"
    named = {name: tmp_path / name for name in names.split()}
    async with AsyncExitStack() as stack:
        silent = stack.enter_context(socket.socket(socket.AF_UNIX))
        silent.bind(str(named["silent"]))
        silent.listen()
        dead_socket(named["dead"])
        await serve_http(stack, named["web"], ("/", answering(b"")))
        await serve_http(stack, named["page"], (ROUTE_HELLO, answering(b"<html>Welcome</html>")))
        await serve_http(stack, named["other"], (ROUTE_HELLO, answering(hello(product="something"))))
        await serve_http(stack, named["redirect"], (ROUTE_HELLO, answering(b"", 302)))
        await serve_bytes(stack, named["garbage"], b"\x16\x03\x01\x02\x00\x01" * 100)
        await serve_bytes(stack, named["hangs-up"], b"")
        future = hello(version="9.0", protocol=99, protocol_min=98)
        await serve_http(stack, named["new"], (ROUTE_HELLO, answering(future)))
        await serve_http(
            stack, named["old"], (ROUTE_HELLO, answering(hello(version="0.1", protocol=0, protocol_min=0)))
        )
        definitions = [
            ServerDefinition(name=name, address=agent.server.name, agent_socket=str(path))
            for name, path in named.items()
        ]
        said = {}
        async with fleet(tmp_path / "home", agent.server.ssh_config, *definitions) as our:
            for name in named:
                error = await our.status(name, "agent_missing", "agent_mismatch", "unreachable")
                said[name] = (our.live(name).status, str(error).removeprefix(f"{name}: "))
    install = "komodo-tui server install-agent"
    assert said == {
        "missing": (
            "agent_missing",
            f"there is no socket {named['missing']} on missing "
            f"(start the agent there, correct agent_socket, or: {install} missing)",
        ),
        "dead": (
            "agent_missing",
            f"the agent's socket {named['dead']} is there and does not open (start the agent again; "
            f"where sshd forbids forwarding, install it from here: {install} dead)",
        ),
        "silent": (
            "unreachable", "the agent does not answer in time (it is frozen, or the server is overloaded)"
        ),
        "web": ("agent_mismatch", STRANGER),
        "page": ("agent_mismatch", STRANGER),
        "other": ("agent_mismatch", STRANGER),
        "redirect": ("agent_mismatch", STRANGER),
        "garbage": ("agent_mismatch", STRANGER),
        "hangs-up": ("agent_missing", "the connection to the agent was lost"),
        "new": ("agent_mismatch", "agent 9.0 speaks protocols 98-99, this program 1-1 (update komodo-tui)"),
        "old": (
            "agent_mismatch",
            "agent 0.1 speaks protocols 0-0, this program 1-1 (upgrade the agent: install it again from here)",
        ),
    }  # fmt: skip


def feeding(*frames: bytes) -> Handler:
    """A feed of these frames, which then stays open."""

    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for frame in frames:
            await socket.send_bytes(frame)
        async for _ in socket:
            continue
        return socket

    return handler


def snapshot(count: int, name: str) -> bytes:
    """A frame with a snapshot of so many containers; each takes 500 bytes on the wire."""
    containers = tuple(
        Container(id=f"{n:064x}", name=f"{name}{n}", image="x" * 300, state="running") for n in range(count)
    )
    host = Host(hostname="alpha", os="", kernel="", arch="", cores=1, memory=1, booted=0.0)
    whole = Snapshot(at=1.0, host=host, engine=Engine(status="up"), containers=containers, filesystems=())
    return msgspec.json.encode([whole])


async def test_large_snapshots_come_through_and_replace_each_other(agent: RemoteAgent, tmp_path: Path) -> None:
    path = tmp_path / "large"
    frames = (snapshot(20_000, "old"), snapshot(12_000, "new"))
    assert len(frames[0]) > 8 << 20
    async with AsyncExitStack() as stack:
        await serve_http(
            stack, path,
            (ROUTE_HELLO, answering(hello())), (ROUTE_HEALTH, answering(b"", 204)), (ROUTE_FEED, feeding(*frames)),
        )  # fmt: skip
        server = ServerDefinition(name="large", address=agent.server.name, agent_socket=str(path))
        async with fleet(tmp_path / "home", agent.server.ssh_config, server) as our:
            await our.until(lambda: len(our.live("large").containers) == 12_000)
            assert our.live("large").containers[f"{0:064x}"].name == "new0"
            assert our.live("large").live


async def test_feed_that_makes_no_sense_is_no_feed(agent: RemoteAgent, tmp_path: Path) -> None:
    path = tmp_path / "nonsense"
    async with AsyncExitStack() as stack:
        await serve_http(
            stack, path, (ROUTE_HELLO, answering(hello())), (ROUTE_HEALTH, answering(b"", 204)),
            (ROUTE_FEED, feeding(snapshot(1, "only"), b'[{"k":"samples","at":"soon"}]')),
        )  # fmt: skip
        server = ServerDefinition(name="odd", address=agent.server.name, agent_socket=str(path))
        async with fleet(tmp_path / "home", agent.server.ssh_config, server) as our:
            error = await our.status("odd", "agent_mismatch")
            assert str(error) == (
                "odd: the agent sent something that is not understood (install the agent again from here)"
            )
