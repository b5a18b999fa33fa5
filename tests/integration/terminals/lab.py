"""A client of an agent's terminals that keeps what it is told."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from komodo_agent.wire.exec import ExecExit, ExecRequest, Resize
from komodo_agent.wire.terminals import (
    Answers,
    Attach,
    Attached,
    ContainerRequest,
    OpenTerminal,
    ShellRequest,
    TerminalEvent,
    TerminalInfo,
    event_decoder,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def in_container(container: str, *command: str, name: str = "") -> OpenTerminal:
    """A program in a container."""
    return OpenTerminal(program=ContainerRequest(process=ExecRequest(container=container, command=command)), name=name)


def own_process(container: str) -> OpenTerminal:
    """A container's own process."""
    return OpenTerminal(program=ContainerRequest(process=ExecRequest(container=container, attach=True)))


def on_server(*command: str) -> OpenTerminal:
    """A program on the server."""
    return OpenTerminal(program=ShellRequest(command=command))


def new_id() -> str:
    """An id nobody has."""
    return str(uuid.uuid4())


class Client:
    """One attached client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[TerminalEvent] = []
        self.output = b""
        self.stream: list[TerminalEvent | bytes] = []

    async def until(self, condition: Callable[[Client], Any], timeout: float = 20.0) -> None:
        """Read until it holds or the socket closes."""

        async def read() -> None:
            while not condition(self):
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.events.append(event_decoder.decode(message.data))
                    self.stream.append(self.events[-1])
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self.output += message.data
                    self.stream.append(message.data)
                else:
                    return

        await asyncio.wait_for(read(), timeout)

    async def type(self, text: str) -> None:
        """Send keys."""
        await self.socket.send_bytes(text.encode())

    async def resize(self, rows: int, cols: int) -> None:
        """Another size."""
        await self.socket.send_str(msgspec.json.encode(Resize(rows=rows, cols=cols)).decode())

    @property
    def end(self) -> ExecExit | None:
        """How it ended."""
        return next((event for event in self.events if isinstance(event, ExecExit)), None)

    @property
    def attached(self) -> Attached:
        """The last beginning."""
        return [event for event in self.events if isinstance(event, Attached)][-1]

    @property
    def answers(self) -> bool:
        """Whether it is the one that answers."""
        told = [event.yours for event in self.events if isinstance(event, Answers)]
        return bool(told) and told[-1]


@asynccontextmanager
async def attach(
    session: aiohttp.ClientSession, id: str, open: OpenTerminal | None = None, *, rows: int = 24, cols: int = 80,
    read_only: bool = False, since: int | None = None,
) -> AsyncIterator[Client]:  # fmt: skip
    """Attach, and wait for the answer."""
    async with session.ws_connect(f"/v1/terminals/{id}/attach", max_msg_size=0) as socket:
        wanted = Attach(rows=rows, cols=cols, read_only=read_only, since=since, open=open)
        await socket.send_str(msgspec.json.encode(wanted).decode())
        client = Client(socket)
        await client.until(lambda c: c.events)
        yield client


async def terminals(session: aiohttp.ClientSession) -> list[TerminalInfo]:
    """All the agent has."""
    async with session.get("/v1/terminals") as answer:
        return msgspec.json.decode(await answer.read(), type=list[TerminalInfo])
