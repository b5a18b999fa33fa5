"""A program on the screen that runs what runs by itself, while it is told to and nobody else does.

Light to import: what it runs is loaded, in a thread, when it begins.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError, StoreError
from komodo_tui.watch.turn import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.watch.loops import Runtime
    from komodo_tui.watch.turn import Holder, WatchTurn

LOOK = 1.0
"""Seconds between looks who has the turn."""
_AGAIN = 15.0
"""Seconds until all is begun anew after a part of it could not go on."""


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
        try:
            return not self._turn.wanted() and self._turn.take()
        except StoreError as error:
            self.trouble = str(error)
            return False

    def _over(self) -> bool:
        return not self._may() or self._turn.wanted()

    async def _hold(self) -> None:
        self._say("this program runs schedules, pushes and syncs")
        try:
            holding = await asyncio.to_thread(importlib.import_module, "komodo_tui.watch.holding")
            await self._see()
            self.trouble = ""
            await holding.Holding(self._runtime, self._turn, self._say, evaluates=False).run(self._over)
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
