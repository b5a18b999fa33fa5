"""Who has the turn runs the loops: ``watch`` until it is told to stop, a program on the screen while no other does."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, StoreError
from komodo_tui.watch.loops import WatchLoops
from komodo_tui.watch.turn import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.watch.loops import Runtime
    from komodo_tui.watch.turn import Holder, WatchTurn

LOOK = 1.0
"""Seconds between looks whether it is somebody else's turn."""
NOTE = 5.0
"""Seconds between signs of life."""
_AGAIN = 15.0
"""Seconds until all is begun anew after a part of it could not go on."""


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
                self._turn.note, self.loops.looked(), (sum(live.live for live in servers), len(servers)), self._last
            )
        except StoreError:
            return  # a full disk: what has to be written tells of it


class WatchHost:
    """A program on the screen that takes the turn while it may, nobody else has it and no ``watch`` wants it."""

    def __init__(
        self,
        runtime: Runtime,
        turn: WatchTurn,
        say: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``changed`` is called when somebody else has the turn, or nobody."""
        self._runtime = runtime
        self._turn = turn
        self._say = say
        self._changed = changed
        self._wake = asyncio.Event()
        self._rest = 0.0
        """Monotonic time until which nothing is tried, after a part could not go on."""
        self.holder: Holder | None = None
        """Who has the turn, as it was seen last."""
        self.read = False
        """Whether that is known."""
        self.trouble = ""
        """Why this program cannot run them, where it should."""

    @property
    def ours(self) -> bool:
        """Whether it is this program that runs them."""
        return self._turn.held

    def look(self) -> None:
        """Look again now: the settings were changed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; the turn is given back then."""
        try:
            while True:
                await self._see()
                if self._may() and time.monotonic() >= self._rest and await asyncio.to_thread(self._take):
                    await self._hold()
                    continue
                self._wake.clear()
                try:
                    async with asyncio.timeout(LOOK):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            self._turn.release()

    def _may(self) -> bool:
        settings = self._runtime.settings
        return settings.watch_here and not settings.read_only

    def _take(self) -> bool:
        return not self._turn.wanted() and self._turn.take()

    def _over(self) -> bool:
        return not self._may() or self._turn.wanted()

    async def _hold(self) -> None:
        self._say("this program runs schedules, pushes and syncs")
        try:
            await self._see()
            self.trouble = ""
            await Holding(self._runtime, self._turn, self._say, evaluates=False).run(self._over)
            self._say("this program runs schedules, pushes and syncs no more")
        except* KomodoError as errors:
            self.trouble = str(_first(errors))
            self._rest = time.monotonic() + _AGAIN
            self._say(f"schedules, pushes and syncs stand still: {self.trouble}")
        finally:
            self._turn.release()

    async def _see(self) -> None:
        before = (self.read, self.holder and (self.holder.pid, self.holder.program), self.trouble)
        try:
            self.holder = await asyncio.to_thread(holder_of, self._runtime.state_dir.root)
            self.read = True
        except StoreError as error:
            self.trouble = str(error)
        if before != (self.read, self.holder and (self.holder.pid, self.holder.program), self.trouble):
            self._changed()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
