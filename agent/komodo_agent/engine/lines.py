"""Lines out of an answer that arrives in pieces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

_LINE_LIMIT = 1 << 20


async def line_batches(
    response: aiohttp.ClientResponse, *, silence: float | None = None, limit: int = _LINE_LIMIT
) -> AsyncIterator[list[bytes]]:
    """The whole lines of each piece, those that are not empty; ends with the answer.

    Args:
        silence: seconds without a piece after which the answer counts as stuck; None = wait for ever.
        limit: bytes of the longest line.

    Raises:
        asyncio.TimeoutError: nothing came for so long.
        aiohttp.ClientError: the connection broke.
        ConnectionResetError: a line is longer than that.
    """
    rest = b""
    while True:
        piece = await asyncio.wait_for(response.content.readany(), silence)
        if not piece:
            break
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > limit:
            raise ConnectionResetError("the engine sent a line without an end")
        found = [line for line in lines if line.strip()]
        if found:
            yield found
    if rest.strip():
        yield [rest]
