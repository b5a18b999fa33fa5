"""The WebSocket of /v1/logs: many sources at once, each at the client's pace."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from ..wire.logs import LogEvent, LogRequest, LogSource, request_decoder
from .logs import open_source

if TYPE_CHECKING:
    from .log_source import LogEngine

_MOST_SOURCES = 500
_REQUEST_TIMEOUT = 30.0
_encode = msgspec.json.Encoder().encode


async def serve_logs(ws: web.WebSocketResponse, request: web.Request, engine: LogEngine) -> None:
    """Send the logs that the client's first message asks for, until they end or it goes away.

    Each source has one frame under way at most: sending waits for the socket to drain, so a client that reads slowly
    slows the reading of the logs, and nothing is kept for it in memory.

    Args:
        ws: prepared.
        request: the one it came from.
    """
    wanted = await _receive(ws)
    if isinstance(wanted, str):
        await ws.close(code=WSCloseCode.POLICY_VIOLATION, message=wanted.encode()[:120])
        return
    senders = [asyncio.create_task(_send(ws, engine, source, wanted.follow)) for source in wanted.sources]
    listener = asyncio.create_task(_until_closed(ws))
    sending = asyncio.create_task(_all(senders))
    try:
        await asyncio.wait({sending, listener}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (listener, sending, *senders):
            task.cancel()
        await asyncio.gather(listener, sending, *senders, return_exceptions=True)
    await ws.close()


async def _receive(ws: web.WebSocketResponse) -> LogRequest | str:
    """The client's request, or what is wrong with it."""
    try:
        message = await ws.receive(_REQUEST_TIMEOUT)
    except asyncio.TimeoutError:
        return "no log request came"
    if message.type is not WSMsgType.TEXT:
        return "the first message must be a log request"
    try:
        request = request_decoder.decode(message.data)
    except msgspec.DecodeError as error:
        return f"this is no log request: {error}"
    tags = {source.tag for source in request.sources}
    if len(tags) < len(request.sources):
        return "each source needs a tag of its own"
    return request if len(tags) <= _MOST_SOURCES else f"at most {_MOST_SOURCES} sources"


async def _all(senders: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*senders)


async def _send(ws: web.WebSocketResponse, engine: LogEngine, source: LogSource, follow: bool) -> None:
    async with aclosing(open_source(engine, source, follow)) as items:
        async for item in items:
            try:
                await _send_item(ws, item)
            except (ConnectionError, RuntimeError):  # the client is gone, or the socket is being closed
                return


async def _send_item(ws: web.WebSocketResponse, item: bytes | LogEvent) -> None:
    if isinstance(item, bytes):
        await ws.send_bytes(item)
    else:
        await ws.send_str(_encode(item).decode())


async def _until_closed(ws: web.WebSocketResponse) -> None:
    async for _ in ws:
        pass
