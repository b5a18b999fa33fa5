"""Reading ahead: what comes next is fetched while what came before is still being dealt with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

T = TypeVar("T")


async def ahead(source: AsyncIterator[T], most: int = 8) -> AsyncGenerator[T, None]:
    """The same items, up to ``most`` of them fetched before they are asked for; errors come in their place."""
    queue: asyncio.Queue[T | None] = asyncio.Queue(most)

    async def fill() -> None:
        try:
            async for item in source:
                await queue.put(item)
        except Exception:
            await queue.put(None)
            raise
        await queue.put(None)  # not when cancelled: nobody takes anything then, and a full queue would keep it for ever

    filling = asyncio.create_task(fill())
    try:
        while (item := await queue.get()) is not None:
            yield item
        await filling
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
