"""All of it run by one process, with signs of life, while the turn is its own."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError
from komodo_tui.watch.loops import WatchLoops
from komodo_tui.watch.turn import late_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.watch.loops import Runtime
    from komodo_tui.watch.turn import WatchTurn

LOOK = 1.0
"""Seconds between looks whether it is somebody else's turn."""
NOTE = 5.0
"""Seconds between signs of life."""


class Holding:
    """Runs the loops and gives signs of life, while the turn is ours."""

    def __init__(
        self, runtime: Runtime, turn: WatchTurn, say: Callable[[str], None], *, evaluates: bool = True
    ) -> None:  # fmt: skip
        """``say`` is told, in one line, what begins, ends and cannot be done."""
        self._runtime = runtime
        self._turn = turn
        self._say = say
        self._last = ""
        self.loops = WatchLoops(runtime, self._said, evaluates=evaluates)

    @property
    def well(self) -> bool:
        """Whether every part has looked lately."""
        return not late_parts(self.loops.looked(), time.time())

    @property
    def words(self) -> str:
        """How it goes, in a line."""
        servers = self._runtime.fleet.state.servers.values()
        up = sum(live.live for live in servers)
        return f"{up} of {len(servers)} servers are connected" + (f"; {self._last}" if self._last else "")

    def _said(self, text: str) -> None:
        self._last = text
        self._say(text)

    async def run(self, over: Callable[[], bool] = lambda: False, alive: Callable[[], None] = lambda: None) -> None:
        """Until cancelled, or until ``over`` says so (asked each second, in a thread); raises what the loops raise.

        ``alive`` is called with each sign of life. In the end no task of ours is left.
        """
        loops = asyncio.create_task(self.loops.run(), name="watch")
        noted = -NOTE
        try:
            while not await asyncio.to_thread(over):
                if time.monotonic() - noted >= NOTE:
                    noted = time.monotonic()
                    await self._note()
                    alive()
                await asyncio.wait({loops}, timeout=LOOK)
                if loops.done():
                    loops.result()
        finally:
            loops.cancel()
            await asyncio.gather(loops, return_exceptions=True)

    async def _note(self) -> None:
        servers = self._runtime.fleet.state.servers.values()
        try:
            await asyncio.to_thread(
                self._turn.note,
                self.loops.looked() | self.loops.still(),
                (sum(live.live for live in servers), len(servers)),
                self._last,
            )
        except StoreError:
            return  # a full disk: what has to be written tells of it
