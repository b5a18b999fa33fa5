"""The worker process that waits: started a moment after the first, and again after it was needed."""

from __future__ import annotations

import asyncio
import contextlib

from komodo_tui.ui.terminal.core import CoreLostError
from komodo_tui.ui.terminal.process import WorkerProcess

DELAY = 1.0
"""Seconds until it is started: the first picture comes first."""


class Standby:
    """At most one process more than needed."""

    def __init__(self) -> None:
        self._task: asyncio.Task[WorkerProcess] | None = None
        self._hurry = asyncio.Event()

    @property
    def is_warm(self) -> bool:
        """Whether it waits already."""
        return self._task is not None and self._task.done()

    def begin(self) -> None:
        """Have one soon, if there is none."""
        if self._task is None:
            self._hurry = asyncio.Event()
            self._task = asyncio.create_task(self._start(self._hurry))

    async def _start(self, hurry: asyncio.Event) -> WorkerProcess:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DELAY):
                await hurry.wait()
        starting = asyncio.ensure_future(WorkerProcess.start())
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:  # a process on its way must not be left behind
            with contextlib.suppress(CoreLostError):
                await (await starting).stop()
            raise

    async def take(self) -> WorkerProcess:
        """The one that waits, or is on its way already, else a new one; another is begun. Raises CoreLostError."""
        task, self._task = self._task, None
        self._hurry.set()
        try:
            return await (task or WorkerProcess.start())
        except CoreLostError:
            return await WorkerProcess.start()
        finally:
            self.begin()

    async def close(self) -> None:
        """End it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, CoreLostError):
                await (await task).stop()
