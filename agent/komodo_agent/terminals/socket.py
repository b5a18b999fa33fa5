"""The attach WebSocket: carries a terminal's output and sizes to one client, and its keys back."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import msgspec
from aiohttp import WSCloseCode, WSMsgType

from ..problems import AgentError
from ..wire.exec import ExecExit
from ..wire.protocol import CLOSE_GONE
from ..wire.terminals import Answers, Attached, Sized, attach_decoder, control_decoder
from .ring import Size
from .terminal import Viewer, bounded

if TYPE_CHECKING:
    from aiohttp import web

    from ..wire.terminals import Attach, TerminalEvent
    from .registry import Terminals
    from .terminal import AgentTerminal

_log = logging.getLogger(__name__)

_REQUEST_TIMEOUT = 10.0
_PROBE_EVERY = 5.0
"""Seconds between looks whether the client is still there while the program takes no input."""
_encode = msgspec.json.Encoder().encode


async def serve_terminal(socket: web.WebSocketResponse, terminals: Terminals, id: str, uid: int) -> None:
    """Run the whole conversation of :mod:`~..wire.terminals`. The program goes on when it is over."""
    try:
        wanted = await _receive(socket)
        size = bounded(wanted.rows, wanted.cols)
        if wanted.open is not None:
            terminal = await terminals.open(id, wanted.open, size, uid)
        else:
            terminal = terminals.get(id, uid)
    except AgentError as error:
        await _tell(socket, ExecExit(code=None, reason=error.sentence()))
        await socket.close(code=CLOSE_GONE if error.code == "not_found" else WSCloseCode.OK)
        return
    cursor = None if wanted.since is None else terminal.ring.since(wanted.since)
    fresh = cursor is None
    viewer = Viewer(size, cursor or terminal.ring.from_start(), read_only=wanted.read_only)
    terminal.look(viewer)
    try:
        await _carry(socket, terminal, viewer, fresh=fresh)
    except (ConnectionError, aiohttp.ClientError):
        _log.debug("a client of a terminal went away")
    finally:
        terminal.leave(viewer)


async def _receive(socket: web.WebSocketResponse) -> Attach:
    try:
        return attach_decoder.decode(await socket.receive_str(timeout=_REQUEST_TIMEOUT))
    except (msgspec.DecodeError, TypeError, asyncio.TimeoutError) as error:
        raise AgentError("bad_request", f"this is no request for a terminal: {error}") from error


async def _carry(socket: web.WebSocketResponse, terminal: AgentTerminal, viewer: Viewer, *, fresh: bool) -> None:
    output = asyncio.create_task(_carry_output(socket, terminal, viewer, fresh=fresh))
    input_ = asyncio.create_task(_carry_input(socket, terminal, viewer))
    try:
        await asyncio.wait({output, input_}, return_when=asyncio.FIRST_COMPLETED)
        for task in (output, input_):
            if task.done():
                task.result()
    finally:
        for task in (output, input_):
            task.cancel()
        await asyncio.gather(output, input_, return_exceptions=True)


async def _carry_output(socket: web.WebSocketResponse, terminal: AgentTerminal, viewer: Viewer, *, fresh: bool) -> None:
    await _begin(socket, terminal, viewer, fresh=fresh)
    told = False
    while True:
        viewer.wake.clear()
        ring = terminal.ring
        if not ring.reaches(viewer.cursor):
            viewer.cursor = ring.from_start()
            await _begin(socket, terminal, viewer, fresh=True)
        if viewer.answers is not told:
            told = viewer.answers
            await _send(socket, Answers(yours=told))
        item = ring.read(viewer.cursor)
        if isinstance(item, Size):
            await _send(socket, Sized(rows=item.rows, cols=item.cols))
        elif item is not None:
            await socket.send_bytes(item)
        elif terminal.end is not None:
            await _send(socket, terminal.end)
            return
        else:
            await viewer.wake.wait()
        terminal.took(viewer)


async def _begin(socket: web.WebSocketResponse, terminal: AgentTerminal, viewer: Viewer, *, fresh: bool) -> None:
    ring = terminal.ring
    size, state = ring.opening()
    cut = fresh and ring.cut
    await _send(
        socket,
        Attached(
            info=terminal.info(), place=viewer.cursor.place, live=ring.end, fresh=fresh, rows=size.rows, cols=size.cols,
            state=state if fresh else b"", cut=cut,
        ),
    )  # fmt: skip
    if cut:
        terminal.draw_again()


async def _carry_input(socket: web.WebSocketResponse, terminal: AgentTerminal, viewer: Viewer) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY and not viewer.read_only:
            await _write(socket, terminal, message.data)
        elif message.type is WSMsgType.TEXT:
            try:
                size = control_decoder.decode(message.data)
            except msgspec.DecodeError as error:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=str(error).encode()[:120])
                return
            terminal.resize(viewer, bounded(size.rows, size.cols))


async def _write(socket: web.WebSocketResponse, terminal: AgentTerminal, data: bytes) -> None:
    """Hand input to the program. While it takes none, nothing is read of the client: only a ping finds it gone."""
    writing = asyncio.ensure_future(terminal.write(data))
    try:
        while not (await asyncio.wait({writing}, timeout=_PROBE_EVERY))[0]:
            await socket.ping()
        writing.result()
    finally:
        writing.cancel()


async def _send(socket: web.WebSocketResponse, event: TerminalEvent) -> None:
    await socket.send_str(_encode(event).decode())


async def _tell(socket: web.WebSocketResponse, event: TerminalEvent) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        await _send(socket, event)
