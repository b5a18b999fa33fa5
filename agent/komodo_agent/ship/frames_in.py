"""Frames read from a request's body."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.ships import FRAME_HEAD, FRAME_LIMIT, PACKED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiohttp

_SILENCE = 150.0
"""Seconds without a frame: the source sends one every few seconds, even while it waits for its engine."""


async def frames(stream: aiohttp.StreamReader) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """Kind and plain body of each.

    Raises:
        AgentError: it is no row of frames, or it ends inside one.
        asyncio.TimeoutError: nothing came for too long.
    """
    while True:
        try:
            head = await asyncio.wait_for(stream.readexactly(FRAME_HEAD.size), _SILENCE)
            kind, stored, plain = FRAME_HEAD.unpack(head)
            if stored > FRAME_LIMIT or plain > FRAME_LIMIT:
                raise AgentError("bad_request", "a frame of the image is too large")
            body = await asyncio.wait_for(stream.readexactly(stored), _SILENCE)
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return
            raise AgentError("failed", "the image broke off on its way", hint="ship it again: it goes on from there",
                             retryable=True) from error  # fmt: skip
        yield kind, _unpacked(body, plain) if kind == PACKED else body


def _unpacked(body: bytes, plain: int) -> bytes:
    """Never more than it says: a small frame cannot become a large one."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(body, plain + 1)
    except zlib.error as error:
        raise AgentError("bad_request", f"a frame of the image cannot be unpacked: {error}") from error
    if len(data) != plain or not unpacker.eof:
        raise AgentError("bad_request", "a frame of the image is not as long as it says")
    return data
