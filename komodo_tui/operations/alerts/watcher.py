"""Looks at the fleet again and again, and writes down what opens and what is over. One process at a time does."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts_evaluator import FLAP_WINDOW, Evaluator, Pending
from komodo_tui.domain.alerts_readings import Survey, joined
from komodo_tui.domain.alerts_survey import Surveyor
from komodo_tui.domain.errors import StoreError
from komodo_tui.store.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from komodo_tui.domain.alerts import Transition
    from komodo_tui.domain.alerts_readings import Reading
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.store.alerts import AlertStore

NOTHING = Survey([], frozenset(), frozenset())
INTERVAL = 5.0
"""Seconds between two looks."""
_NOTE_LOOKS = 60.0
"""Seconds after which is written down that somebody looked, and how open ones are now, though nothing changed."""
_PRUNE = 86400.0
_FORGOTTEN = 7200.0
"""Seconds after which what a look alone had seen says nothing any more."""


class _Notes(msgspec.Struct, frozen=True):
    """Of a look that was one alone."""

    at: float
    """Unix time."""
    pending: list[Pending]


class AlertWatcher:
    """Runs in each process that keeps the fleet connected; those without the lock wait for their turn."""

    def __init__(
        self,
        state: FleetState,
        store: AlertStore,
        say: Callable[[str], None] = lambda text: None,
        more: Callable[[], Survey] = lambda: NOTHING,
        elsewhere: Callable[[], bool] = lambda: False,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``say`` is told, in a line, of what changed and of what cannot be written.

        ``more`` gives what is known besides the live state; it returns at once. ``elsewhere``: whether somebody else
        shall look; it is asked at each look, in a thread.
        """
        self._state = state
        self._store = store
        self._say = say
        self._more = more
        self._elsewhere = elsewhere
        self._now = now
        self._monotonic = monotonic
        self._lock = store.evaluator_lock()
        self._surveyor: Surveyor | None = None
        self._evaluator = Evaluator()
        self._unwritten: list[Transition] = []
        self._noted = self._pruned = -_PRUNE
        self._trouble = ""
        self.looked = 0.0
        """Monotonic time of the last look, whoever's turn it was."""
        self.began = asyncio.Event()
        """Set while it is this process that evaluates."""
        self.over = asyncio.Event()
        """Set while it is not, after it was."""

    @property
    def evaluating(self) -> bool:
        """Whether it is this process that does."""
        return self._lock.held

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(INTERVAL)
        finally:
            self._lock.release()

    async def once(self, notes: Path) -> bool:
        """Look once and end; False where somebody else looks all the time.

        ``notes`` is a file that keeps what is not well until the next such look: what is so at both counts as lasting.
        Raises StoreError.
        """
        try:
            if not await asyncio.to_thread(self._take_turn):
                return False
            await asyncio.to_thread(self._resume, notes)
            await self.look()
            kept = _Notes(at=self._now(), pending=self._evaluator.pending(self._monotonic()))
            await asyncio.to_thread(write_atomic, notes, msgspec.json.encode(kept))
        finally:
            self._lock.release()
        return True

    def _resume(self, notes: Path) -> None:
        try:
            kept = msgspec.json.decode(notes.read_bytes(), type=_Notes)
        except (OSError, msgspec.DecodeError):  # none, or none that can be read: what lasts begins now
            return
        gone = self._now() - kept.at
        if 0 <= gone <= _FORGOTTEN:
            self._evaluator.resume(kept.pending, gone, self._monotonic())

    async def look(self) -> None:
        """Look once, if it is our turn."""
        self.looked = self._monotonic()
        try:
            if await asyncio.to_thread(self._elsewhere):
                self._give_way()
                return
            if self._surveyor is None and not await asyncio.to_thread(self._take_turn):
                return
            assert self._surveyor is not None
            self.began.set()
            self.over.clear()
            at, now = self._monotonic(), self._now()
            survey = joined(self._surveyor.survey(self._state.servers, at, now), self._more())
            self._unwritten += self._evaluator.look(survey, at)
            if self._unwritten or at - self._noted >= _NOTE_LOOKS:
                await asyncio.to_thread(self._write, survey.readings, at, now)
            self._trouble = ""
        except StoreError as error:  # what could not be written is kept, and tried again at the next look
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._say(f"alerts: {error}")

    def _give_way(self) -> None:
        """What is open is on disk: whoever looks now goes on with it."""
        if self._surveyor is not None:
            self._surveyor, self._unwritten = None, []
            self._lock.release()
            self.began.clear()
            self.over.set()

    def _take_turn(self) -> bool:
        if not self._lock.held and not self._lock.try_acquire():
            return False
        at, now = self._monotonic(), self._now()
        evaluator = Evaluator()
        evaluator.restore(
            [(alert.subject, alert.level) for alert in self._store.open_alerts(now)],
            [(subject, now - opened) for subject, opened in self._store.openings(now - FLAP_WINDOW)],
            at,
        )
        self._surveyor, self._evaluator = Surveyor(self._store.last_look()), evaluator
        return True

    def _write(self, readings: Sequence[Reading], at: float, now: float) -> None:
        figures = {reading.subject: (reading.value, reading.text) for reading in readings if not reading.old}
        self._store.apply(self._unwritten, now, figures)
        for change in self._unwritten:
            what = f"{change.subject.kind} {change.subject}"
            self._say(f"alert {change.change}: {what} {change.level}: {change.text}")
        self._unwritten = []
        self._noted = at
        if at - self._pruned >= _PRUNE:
            self._pruned = at
            self._store.prune(now)
