"""Small helpers around tasks."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import ModuleType
    from typing import Any


async def first(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all; when one ends, end the others and return, or raise what it raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait until they are gone, whatever they raise."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def load(module: str) -> ModuleType:
    """Import a module that takes long (aiohttp, asyncssh) without holding the event loop."""
    loaded = sys.modules.get(module)
    if loaded is not None and not getattr(getattr(loaded, "__spec__", None), "_initializing", False):
        return loaded
    return await asyncio.to_thread(importlib.import_module, module)
