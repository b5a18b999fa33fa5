"""The exec WebSocket: carries one process's bytes, size and end between a client and the engine."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import aiohttp
import msgspec
from aiohttp import WSCloseCode, WSMsgType

from ..problems import AgentError
from ..wire.exec import (
    EndOfInput,
    ExecControl,
    ExecExit,
    ExecRequest,
    ExecStarted,
    Resize,
    control_decoder,
    request_decoder,
)
from ..wire.protocol import CLOSE_GONE
from . import attach, exec_process, one_off

if TYPE_CHECKING:
    from aiohttp import web

    from .client import Engine
    from .hijack import Hijacked

_log = logging.getLogger(__name__)

_REQUEST_TIMEOUT = 10.0
_PROBE_EVERY = 5.0
"""Seconds between looks whether the client is still there while its process takes no input."""
_SMALLEST, _LARGEST = 1, 1000
"""Rows and columns of a terminal."""

_encode = msgspec.json.Encoder().encode


class Session(Protocol):
    """A process behind a socket: exec'd by us, or a container's own."""

    stream: Hijacked
    command: tuple[str, ...]

    async def resize(self, rows: int, cols: int) -> None: ...

    async def exit(self) -> ExecExit: ...

    async def close(self) -> None: ...


async def serve_exec(socket: web.WebSocketResponse, engine: Engine) -> None:
    """Run the whole conversation of :mod:`~..wire.exec`; when it returns the process has ended or been ended."""
    try:
        request = await _receive_request(socket)
        session = await _open(engine, request)
    except AgentError as error:
        await _tell(socket, ExecExit(code=None, reason=error.sentence()))
        await socket.close(code=CLOSE_GONE if error.code == "not_found" else WSCloseCode.OK)
        return
    try:
        await _tell(socket, ExecStarted(command=session.command))
        ended = await _carry(socket, session)
        if ended:
            await _tell(socket, await session.exit())
    except AgentError as error:
        await _tell(socket, ExecExit(code=None, reason=error.sentence()))
    except ConnectionError:
        _log.debug("the client of an exec went away")
    finally:
        await _close(session)


async def _receive_request(socket: web.WebSocketResponse) -> ExecRequest:
    try:
        request = request_decoder.decode(await socket.receive_str(timeout=_REQUEST_TIMEOUT))
    except (msgspec.DecodeError, TypeError, asyncio.TimeoutError) as error:
        raise AgentError("bad_request", f"this is no request to run a process: {error}") from error
    if any("\0" in word for word in (*request.command, request.user, request.workdir, *request.environment.values())):
        raise AgentError("bad_request", "a command cannot hold a NUL character")
    return msgspec.structs.replace(request, rows=_bounded(request.rows), cols=_bounded(request.cols))


async def _open(engine: Engine, request: ExecRequest) -> Session:
    container = await engine.find(request.container, request.otherwise)
    if request.attach:
        return await attach.attach(engine, container, request)
    start_it = one_off.start if request.fresh else exec_process.start
    return await start_it(engine, container, request)


async def _carry(socket: web.WebSocketResponse, session: Session) -> bool:
    """Carry bytes both ways; returns whether the process ended (else the client went)."""
    output = asyncio.create_task(_carry_output(socket, session))
    input_ = asyncio.create_task(_carry_input(socket, session))
    try:
        await asyncio.wait({output, input_}, return_when=asyncio.FIRST_COMPLETED)
        if output.done():
            output.result()
            return True
        input_.result()
        return False
    finally:
        for task in (output, input_):
            task.cancel()
        await asyncio.gather(output, input_, return_exceptions=True)


async def _carry_output(socket: web.WebSocketResponse, session: Session) -> None:
    while True:
        stream, data = await session.stream.read()
        if not data:
            return
        await socket.send_bytes(bytes((stream,)) + data)


async def _carry_input(socket: web.WebSocketResponse, session: Session) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await _write(socket, session, message.data)
        elif message.type is WSMsgType.TEXT:
            try:
                await _control(session, control_decoder.decode(message.data))
            except msgspec.DecodeError as error:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=str(error).encode()[:120])
                return


async def _control(session: Session, wanted: ExecControl) -> None:
    if isinstance(wanted, Resize):
        await session.resize(_bounded(wanted.rows), _bounded(wanted.cols))
    elif isinstance(wanted, EndOfInput):
        session.stream.end_input()


async def _write(socket: web.WebSocketResponse, session: Session, data: bytes) -> None:
    """Hand input to the process. While it takes none, nothing is read of the client: only a ping finds it gone."""
    writing = asyncio.ensure_future(session.stream.write(data))
    try:
        while not (await asyncio.wait({writing}, timeout=_PROBE_EVERY))[0]:
            await socket.ping()
        writing.result()
    finally:
        writing.cancel()


async def _tell(socket: web.WebSocketResponse, event: ExecStarted | ExecExit) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        await socket.send_str(_encode(event).decode())


async def _close(session: Session) -> None:
    try:
        await session.close()
    except AgentError as error:
        _log.warning("a process may be left behind: %s", error.message)


def _bounded(cells: int) -> int:
    return min(max(cells, _SMALLEST), _LARGEST)
