"""Tells alerters what changed: by a queue on disk, again and again until it was taken, many changes in one message."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from komodo_tui.domain.alerters import message_of
from komodo_tui.domain.errors import KomodoError
from komodo_tui.operations.alerts.sending import known_alerters, send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.domain.alerters import Alerter, Message
    from komodo_tui.domain.interpolation import Lookup
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.deliveries import Delivery, DeliveryQueue

INTERVAL = 5.0
"""Seconds between two looks."""
FIRST_AGAIN = 15.0
LONGEST_AGAIN = 1800.0
"""Seconds until the next try: doubled each time, up to this."""
_MANY, _MANY_WITHIN = 6, 600.0
"""Messages to one alerter, in seconds, after which it is a storm…"""
STORM_PAUSE = 120.0
"""…in which so much time lies between two."""


class Notifier:
    """Runs in ``watch``. A message may arrive twice where the process ends between sending and noting it, never not."""

    def __init__(
        self,
        definitions: DefinitionStore,
        queue: DeliveryQueue,
        lookup: Callable[[], Lookup],
        say: Callable[[str], None],
        *,
        now: Callable[[], float] = time.time,
        deliver: Callable[[Alerter, Message, Lookup], None] = send,
    ) -> None:
        """``lookup`` gives one that finds secrets as they are now; ``deliver`` blocks and raises KomodoError."""
        self._definitions = definitions
        self._queue = queue
        self._lookup = lookup
        self._say = say
        self._now = now
        self._deliver = deliver
        self._trouble = ""
        self._sent: dict[str, deque[float]] = {}
        """By alerter: when the latest messages were sent."""
        self._telling: dict[str, asyncio.Task[None]] = {}
        """By alerter: who tells it now."""
        self._fault: BaseException | None = None
        self.looked = 0.0
        """Monotonic time of the last look."""

    async def run(self) -> None:
        """Look until cancelled; an alerter that hangs keeps no other waiting."""
        try:
            while True:
                await self._begin()
                await asyncio.sleep(INTERVAL)
        finally:
            for task in self._telling.values():
                task.cancel()
            await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def look(self) -> None:
        """Tell what is due, and wait until it was told or was not taken."""
        await self._begin()
        await asyncio.gather(*self._telling.values())

    async def _begin(self) -> None:
        """Begin to tell what is due to those who are not being told already."""
        if self._fault is not None:
            raise self._fault  # of this program: it must not be hidden
        self.looked = time.monotonic()
        try:
            alerters, due = await asyncio.to_thread(self._due)
        except KomodoError as error:
            self._cannot(error)
            return
        self._trouble = ""
        for name, group in groupby(sorted(due, key=_alerter), key=_alerter):
            if name in alerters and name not in self._telling and not self._pauses(name):
                task = asyncio.create_task(self._told(alerters[name], list(group)), name=f"tell {name}")
                self._telling[name] = task
                task.add_done_callback(partial(self._over, name))

    def _over(self, name: str, task: asyncio.Task[None]) -> None:
        self._telling.pop(name, None)
        if not task.cancelled():
            self._fault = self._fault or task.exception()

    async def _told(self, alerter: Alerter, group: Sequence[Delivery]) -> None:
        try:
            await asyncio.to_thread(self._tell, alerter, group)
        except KomodoError as error:
            self._cannot(error)

    def _cannot(self, error: KomodoError) -> None:
        """The definitions or the queue cannot be read or written: all of it is tried again."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self._say(f"alerters: {error}")

    def _pauses(self, alerter: str) -> bool:
        """Whether it has had so many messages of late that the next shall hold more."""
        sent = self._sent.get(alerter)
        if sent is None or len(sent) < _MANY:
            return False
        now = self._now()
        return now - sent[0] < _MANY_WITHIN and 0 <= now - sent[-1] < STORM_PAUSE

    def _due(self) -> tuple[dict[str, Alerter], list[Delivery]]:
        alerters = {alerter.name: alerter for alerter in known_alerters(self._definitions)}
        now = self._now()
        self._queue.fill(lambda alert, entry: [a.name for a in alerters.values() if a.wants(alert, entry)], now)
        return alerters, self._queue.due(now)

    def _tell(self, alerter: Alerter, group: Sequence[Delivery]) -> None:
        try:
            self._deliver(alerter, message_of([(one.alert, one.entry) for one in group]), self._lookup())
        except KomodoError as error:
            tries = min(one.tries for one in group)
            again = min(FIRST_AGAIN * 2 ** min(tries, 16), LONGEST_AGAIN)
            self._queue.failed(group, self._now() + again, error.message)
            self._say(f"{error.message}; tried again in {again:.0f} s")
            return
        self._sent.setdefault(alerter.name, deque(maxlen=_MANY)).append(self._now())
        self._queue.done(group, self._now())
        self._say(f"alerter {alerter.name}: told of {len(group)}")


def _alerter(delivery: Delivery) -> str:
    return delivery.alerter
