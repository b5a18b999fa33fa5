"""A terminal that lives in a server's agent: its session survives the connection, the program and the person."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from komodo_agent.wire.exec import ONE_OFF, ExecExit, ExecRequest, Resize
from komodo_agent.wire.terminals import (
    FEATURE,
    Answers,
    Attach,
    Attached,
    ContainerRequest,
    OpenTerminal,
    ShellRequest,
    Sized,
)
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError, UnreachableError
from komodo_tui.fleet.sessions import SessionEnd, SharedSession

if TYPE_CHECKING:
    from komodo_agent.wire.protocol import Hello
    from komodo_agent.wire.terminals import TerminalEvent, TerminalInfo
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.terminal_calls import TerminalStream

_EMPTY_SCREEN = b"\x1bc\x1b[3J"
"""A full reset, and the history away with it."""
_AGAIN = 1.0
"""Seconds between attempts to come back."""


class Link(Protocol):
    """What gives an agent's client, a new one after each loss: a :class:`~komodo_tui.fleet.link.ServerLink`."""

    async def client(self) -> AgentClient:
        """The client; waits for it."""
        ...


class KeptSession(SharedSession):
    """Looks at a terminal of an agent. When the connection is lost it comes back by itself and goes on where it was.

    One reader at a time. :meth:`close` leaves the program running.
    """

    def __init__(self, link: Link, id: str, title: str, request: Attach, *, come_back: bool = True) -> None:
        """Without ``come_back`` a lost connection is the session's end."""
        super().__init__()
        self.title = title
        self.id = id
        self.info: TerminalInfo | None = None
        """The terminal as it was when this session found it."""
        self._link = link
        self._request = request
        self._comes_back = come_back
        self._stream: TerminalStream | None = None
        self._place = self._live = 0
        self._answers = False
        self._ready: deque[tuple[bytes, bool]] = deque()
        """What to give out, and whether questions in it are ours to answer."""
        self._end: SessionEnd | None = None
        self._reading = asyncio.Lock()

    async def begin(self) -> None:
        """Open the terminal, or find it.

        Raises:
            KomodoError: there is none, it cannot be opened, or the server cannot be reached.
        """
        client = await self._link.client()
        self._stream, attached = await client.attach_terminal(self.id, self._request)
        self._request = msgspec.structs.replace(self._request, open=None)  # never begin a second one
        self._attached(attached)

    async def read(self) -> bytes:
        """The next output; empty at the end."""
        async with self._reading:
            while True:
                if self.size_now is not None:
                    await self._tell_size()
                if self._ready:
                    data, self.answering = self._ready.popleft()
                    return data
                if self._end is not None:
                    return b""
                await self._step()

    async def _tell_size(self) -> None:
        (cols, rows), self.size_now = self.size_now or (0, 0), None
        if self.on_size is not None:
            await self.on_size(cols, rows)

    async def _step(self) -> None:
        """Take the next message, or come back."""
        stream = self._stream
        try:
            if stream is None:
                await self._come_back()
                return
            message = await stream.receive()
        except UnreachableError as error:
            await self._lose(error)
            return
        except NotFoundError:
            self._end = SessionEnd(code=None, reason="its agent has restarted, or it was closed elsewhere")
            return
        except KomodoError as error:
            self._end = SessionEnd(code=None, reason=str(error))
            return
        if message is None:
            self._end = self._end or SessionEnd(code=None, reason="the agent closed the terminal")
        elif isinstance(message, bytes):
            self._output(message)
        else:
            self._event(message)

    def _output(self, data: bytes) -> None:
        """Tell what is repeated from what is new."""
        repeated = max(0, min(self._live - self._place, len(data)))
        if repeated:
            self._ready.append((data[:repeated], False))
        if repeated < len(data):
            self._ready.append((data[repeated:], self._answers))
        self._place += len(data)

    def _event(self, event: TerminalEvent) -> None:
        if isinstance(event, Attached):
            self._attached(event)
        elif isinstance(event, Sized):
            self.size_now = (event.cols, event.rows)
        elif isinstance(event, Answers):
            self._answers = event.yours
        elif isinstance(event, ExecExit):
            self._end = SessionEnd(code=event.code, reason=event.reason)

    def _attached(self, event: Attached) -> None:
        if event.fresh:
            self.size_now = (event.cols, event.rows)
            empty = _EMPTY_SCREEN if self.info is not None else b""
            if empty or event.state:
                self._ready.append((empty + event.state, False))
        self.info = event.info
        self._place, self._live = event.place, event.live
        self._answers = False

    async def _lose(self, error: UnreachableError) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()
        if self._comes_back:
            self._say(f"{error.message}; the program goes on, and so does this when the server is back")
        else:
            self._end = self._end or SessionEnd(code=None, reason="the connection was lost; the program goes on")

    async def _come_back(self) -> None:
        """Once: attach where it was, or wait a moment."""
        try:
            client = await self._link.client()
            request = msgspec.structs.replace(self._request, since=self._place)
            stream, attached = await client.attach_terminal(self.id, request)
        except UnreachableError:
            await asyncio.sleep(_AGAIN)
            return
        if self._end is not None:  # closed meanwhile
            await stream.close()
            return
        self._stream = stream
        self._attached(attached)
        self._say("")

    def _say(self, text: str) -> None:
        if self.on_notice is not None:
            self.on_notice(text)

    async def write(self, data: bytes) -> None:
        """Send input; waits while the program takes none. What is typed while the connection is lost is dropped."""
        if self._request.read_only:
            self._say("it is only looked at: what you type is not passed on")
        elif self._stream is not None and self._end is None:
            await self._stream.write(data)

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the size of our window; :attr:`on_size` says what the terminal's becomes."""
        self._request = msgspec.structs.replace(self._request, rows=rows, cols=cols)
        if self._stream is not None and self._end is None:
            with suppress(KomodoError):  # the reader learns of the loss
                await self._stream.resize(Resize(rows=rows, cols=cols))

    async def wait(self) -> SessionEnd:
        """Wait for the end, throwing away what is not read."""
        while self._end is None:
            await self.read()
        return self._end

    async def close(self) -> None:
        """Look no more; the program goes on. Safe to call twice."""
        self._end = self._end or SessionEnd(code=None, reason="detached")
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()


class KeptTerminal:
    """A terminal of an agent, for who opens, finds and ends it."""

    def __init__(self, link: Link, title: str, program: ContainerRequest | ShellRequest, *, id: str = "") -> None:
        """With an ``id`` it is there already, and ``program`` is what it runs; else opening it begins it."""
        self._link = link
        self._title = title
        self._program = program
        self._found = bool(id)
        self._begun = bool(id)
        self.id = id or str(uuid.uuid4())

    @classmethod
    def found(cls, link: Link, title: str, info: TerminalInfo) -> KeptTerminal:
        """One that the agent told of."""
        if info.container:
            process = ExecRequest(
                container=info.container,
                otherwise=info.target,
                command=info.command,
                attach=info.attached,
                fresh=info.fresh,
            )
            return cls(link, title, ContainerRequest(process=process), id=info.id)
        return cls(link, title, ShellRequest(command=info.command), id=info.id)

    async def open(self, cols: int, rows: int, *, read_only: bool = False, come_back: bool = True) -> KeptSession:
        """Begin it, or look at it; once its session has ended, begin the same again.

        Raises:
            KomodoError: it cannot be opened.
        """
        wanted = None if self._found else OpenTerminal(program=self._program, name=self._title)
        if self._begun and not self._found:
            self.id = str(uuid.uuid4())
        self._found, self._begun = False, True
        request = Attach(rows=rows, cols=cols, read_only=read_only, open=wanted)
        session = KeptSession(self._link, self.id, self._title, request, come_back=come_back)
        await session.begin()
        return session

    async def open_same(self, cols: int, rows: int, *, read_only: bool = False) -> KeptSession:
        """Look again at the program that was begun. Raises as :meth:`open` does."""
        self._found = self._begun
        return await self.open(cols, rows, read_only=read_only)

    async def end(self) -> None:
        """End its program, if it was begun.

        Raises:
            KomodoError: the server cannot be reached; the program goes on.
        """
        if self._begun:
            await (await self._link.client()).end_terminal(self.id)

    async def rename(self, name: str) -> None:
        """Call it something else, for all who look at it."""
        self._title = name
        if self._begun:
            await (await self._link.client()).rename_terminal(self.id, name)


def keeps_terminals(hello: Hello | None) -> bool:
    """Whether an agent is new enough to have terminals."""
    return hello is not None and FEATURE in hello.features


def keeps_shells(hello: Hello | None) -> bool:
    """Whether an agent runs as the very user we log in as: its shells are that user's then."""
    return hello is not None and keeps_terminals(hello) and hello.uid == hello.caller_uid


def check_one_off(hello: Hello | None, server: str) -> None:
    """Raises ActError where an agent is too old to run a command in a new container."""
    if hello is None or ONE_OFF not in hello.features:
        raise ActError(
            f"{server}: the agent there is too old to run a command in a new container",
            hint=f"komodo-tui server install-agent {server} upgrades it", server=server,
        )  # fmt: skip
