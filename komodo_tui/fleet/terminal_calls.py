"""The part of the agent's client that is about terminals which live in the agent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.exec import ExecExit
from komodo_agent.wire.terminals import (
    ROUTE_TERMINAL,
    ROUTE_TERMINAL_ATTACH,
    ROUTE_TERMINALS,
    Attached,
    Rename,
    TerminalInfo,
    event_decoder,
)
from komodo_tui.domain.errors import ActError, AgentTimeoutError, NotFoundError
from komodo_tui.domain.text import clean
from komodo_tui.fleet.calls import AgentCalls, path_of
from komodo_tui.fleet.cleaning import clean_value
from komodo_tui.fleet.connector import SHELL
from komodo_tui.fleet.plain_http import aiohttp
from komodo_tui.fleet.streams import START_TIMEOUT, Stream

if TYPE_CHECKING:
    from komodo_agent.wire.exec import Resize
    from komodo_agent.wire.terminals import Attach, TerminalEvent

_WRITE_CHUNK = 32 << 10
_END_TIMEOUT = 20.0


class TerminalStream(Stream):
    """One attachment to a terminal: output as bytes, everything else as cleaned events."""

    async def begin(self, request: Attach) -> Attached:
        """Attach (called by the client).

        Raises:
            NotFoundError: there is no such terminal. ActError: it cannot be opened.
        """
        await self._send(request)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                event = self._decode(await self._receive())
        except TimeoutError as error:
            raise AgentTimeoutError("the program does not start in time", server=self._server) from error
        if isinstance(event, Attached):
            return event
        reason = event.reason if isinstance(event, ExecExit) else ""
        kind = NotFoundError if request.open is None else ActError
        raise kind(reason or "the terminal could not be opened", server=self._server)

    async def receive(self) -> bytes | TerminalEvent | None:
        """The next output or event; None after a proper end.

        Raises:
            KomodoError: the connection was lost, or the agent says why it ended.
        """
        message = await self._receive()
        return message if message is None or isinstance(message, bytes) else self._decode(message)

    async def write(self, data: bytes) -> bool:
        """Send input; waits while the program takes none. False when the connection is gone."""
        view = memoryview(data)
        try:
            while view:
                await self._socket.send_bytes(bytes(view[:_WRITE_CHUNK]))
                view = view[_WRITE_CHUNK:]
        except (aiohttp.ClientError, OSError):
            return False
        return True

    async def resize(self, size: Resize) -> None:
        """Tell the size of our window."""
        await self._send(size)

    def _decode(self, message: bytes | str | None) -> TerminalEvent:
        try:
            event: TerminalEvent = event_decoder.decode(message)  # type: ignore[arg-type]
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            raise self._nonsense() from error
        if isinstance(event, Attached):
            return msgspec.structs.replace(event, info=clean_value(event.info))
        return msgspec.structs.replace(event, reason=clean(event.reason)) if isinstance(event, ExecExit) else event


class TerminalCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def terminals(self) -> list[TerminalInfo]:
        """Those that this user has open on the server, oldest first."""
        return await self._get(ROUTE_TERMINALS, list[TerminalInfo], timeout=_END_TIMEOUT)

    async def rename_terminal(self, id: str, name: str) -> None:
        """Call one something else, for all who look at it."""
        await self._call("PUT", path_of(ROUTE_TERMINAL, id), body=msgspec.json.encode(Rename(name=name)), timeout=10.0)

    async def end_terminal(self, id: str) -> None:
        """End its program and forget it. One that is gone already is no error."""
        try:
            await self._call("DELETE", path_of(ROUTE_TERMINAL, id), timeout=_END_TIMEOUT)
        except NotFoundError:
            return

    async def attach_terminal(self, id: str, request: Attach) -> tuple[TerminalStream, Attached]:
        """Look at one, or begin it.

        Raises:
            NotFoundError: there is none, or the agent is too old to have any.
            ActError: it cannot be begun.
        """
        stream = TerminalStream(self.server, await self._stream(path_of(ROUTE_TERMINAL_ATTACH, id), SHELL))
        try:
            return stream, await stream.begin(request)
        except BaseException:  # also when cancelled: it would hold its channel for ever
            await stream.close()
            raise
