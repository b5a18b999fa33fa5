"""What the screens know of alerts: read in threads and kept until the next look; and this program's own evaluator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from komodo_tui.domain.alerts import Alert, AlertEntry, Mute, pressing
from komodo_tui.domain.errors import StoreError
from komodo_tui.operations.alerts.watcher import INTERVAL, NOTHING, AlertWatcher
from komodo_tui.watch.turn import holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from komodo_tui.domain.alerts_readings import Survey
    from komodo_tui.domain.maintenance import MaintenanceDefinition
    from komodo_tui.operations.alerts.surveys import MoreSurveys
    from komodo_tui.store.alerts import AlertStore
    from komodo_tui.ui.runtime import Runtime

_AGAIN = 2.0
"""Seconds between two looks at what other processes write."""


class AlertBook:
    """All alerts. :meth:`run` reads again and again; ``listeners`` are told when something else came of it."""

    def __init__(self, runtime: Runtime, store: AlertStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._runtime = runtime
        self._records: MoreSurveys | None = None
        self._watcher = None
        if not runtime.settings.read_only:
            self._watcher = AlertWatcher(runtime.fleet.state, store, more=self._known, elsewhere=self._watch_looks)
        self._wake = asyncio.Event()
        self.alerts: dict[int, Alert] = {}
        """Those that are open, and the latest that are over."""
        self.mutes: list[Mute] = []
        self.maintenance: list[tuple[float, float, MaintenanceDefinition]] = []
        """Begin, end and which: of what is on, else the next of each; what begins first is first."""
        self.read = False
        self.trouble: StoreError | None = None
        """Why they cannot be read."""
        self.watched = False
        """Whether a person looks at them now: then they are read more often."""
        self.listeners: list[Callable[[], None]] = []

    @property
    def evaluating(self) -> bool:
        """Whether it is this program that evaluates."""
        return self._watcher is not None and self._watcher.evaluating

    def _known(self) -> Survey:
        return self._records.latest() if self._records is not None else NOTHING

    def _watch_looks(self) -> bool:
        """Whether a ``watch`` is there, which looks day and night and reaches what it was set up for. Blocks."""
        holder = holder_of(self._runtime.state_dir.root)
        return holder is not None and holder.program == "watch"

    async def _read_records(self) -> None:
        """What alerts are about besides live state, while it is this program that evaluates."""
        assert self._watcher is not None
        while True:
            await self._watcher.began.wait()
            from komodo_tui.operations.alerts.surveys import MoreSurveys  # late: nothing of it is wanted at the start

            self._records = MoreSurveys(self._runtime, await asyncio.to_thread(self._store.last_look))
            reading = asyncio.create_task(self._records.run())
            over = asyncio.create_task(self._watcher.over.wait())
            try:
                await asyncio.wait({reading, over}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    reading.result()
            finally:
                for task in (reading, over):
                    task.cancel()
                await asyncio.gather(reading, over, return_exceptions=True)

    @property
    def pressing(self) -> list[Alert]:
        """Those somebody should look at."""
        return pressing(self.alerts.values())

    def look(self) -> None:
        """Read again now."""
        self._wake.set()

    async def run(self) -> None:
        """Read, and evaluate while nobody else does, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self._watcher is not None:
                tasks.create_task(self._watcher.run(), name="alerts")
                tasks.create_task(self._read_records(), name="records of alerts")
            while True:
                await self.refresh()
                self._wake.clear()
                try:
                    async with asyncio.timeout(_AGAIN if self.watched else INTERVAL):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def refresh(self) -> None:
        """Read once."""
        before = (self.read, self.alerts, self.mutes, self.maintenance, self.trouble)
        try:
            self.alerts, self.mutes, self.maintenance = await asyncio.to_thread(self._read)
            self.trouble = None
        except StoreError as error:
            self.trouble = error
        self.read = True
        if before != (self.read, self.alerts, self.mutes, self.maintenance, self.trouble):
            for listener in list(self.listeners):
                listener()

    async def entries(self, alert: int) -> list[AlertEntry]:
        """What became of one. Raises StoreError."""
        return await asyncio.to_thread(self._store.entries, alert)

    def _read(self) -> tuple[dict[int, Alert], list[Mute], list[tuple[float, float, MaintenanceDefinition]]]:
        from komodo_tui.domain.maintenance import upcoming  # late: nothing of it is wanted at the start
        from komodo_tui.operations.alerts.definitions import MaintenanceDefinitions

        now = self._now()
        found = self._store.open_alerts(now) + self._store.resolved_alerts(now)
        windows = upcoming(MaintenanceDefinitions(self._runtime.definitions).known().values(), now)
        return {alert.id: alert for alert in found}, self._store.mutes(now), windows


_BOOKS: WeakKeyDictionary[App[int], AlertBook] = WeakKeyDictionary()


def book_of(app: App[int], runtime: Runtime, now: Callable[[], float]) -> AlertBook | None:
    """The one book of an app, made at the first call; None where no alerts are kept."""
    book = _BOOKS.get(app)
    if book is None and runtime.alerts is not None:
        book = _BOOKS[app] = AlertBook(runtime, runtime.alerts, now)
    return book
