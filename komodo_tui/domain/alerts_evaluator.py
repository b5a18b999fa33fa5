"""From readings to alerts, with patience: sustained for, hysteresis, escalation, damping of what flaps. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.domain.alerts import LEVELS, AlertChange, AlertKind, AlertLevel, Subject, Transition
from komodo_tui.domain.alerts_readings import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.alerts_readings import Survey

GAP = 90.0
"""Seconds without word after which what was about to open has to begin anew."""
FLAPS = 3
"""Openings within :data:`FLAP_WINDOW` from which on an alert flaps."""
FLAP_WINDOW = 3600.0
FLAP_CLEAR = 900.0
"""Seconds a flapping one has to be well."""
_RANK = {"ok": 0, "warning": 1, "critical": 2}


class Patience(NamedTuple):
    """How long something has to last, in seconds."""

    warning: float
    critical: float
    clear: float
    """How long it has to be well before it is resolved."""


PATIENCE: dict[AlertKind, Patience] = {
    "network": Patience(30, 30, 15),
    "unreachable": Patience(30, 180, 15),
    "engine": Patience(20, 90, 15),
    "cpu": Patience(300, 300, 120),
    "memory": Patience(120, 120, 120),
    "swap": Patience(600, 600, 300),
    "disk": Patience(60, 30, 60),
    "down": Patience(15, 60, 10),
    "unhealthy": Patience(60, 600, 30),
    "restarts": Patience(0, 0, 60),
    "oom": Patience(0, 0, 300),
    "load": Patience(600, 600, 300),
    "pressure": Patience(300, 300, 120),
    "deployment": Patience(150, 150, 0),
    "drift": Patience(300, 3600, 0),
    "update": Patience(0, 0, 0),
    "build": Patience(0, 0, 0),
    "procedure": Patience(0, 0, 0),
    "sync": Patience(0, 3600, 0),
    "schedule": Patience(0, 0, 0),
    "certificate": Patience(0, 0, 0),
    "log": Patience(0, 0, 0),
    "push": Patience(0, 0, 0),
}


class Pending(msgspec.Struct, frozen=True):
    """What a process that ends knows of a subject, in seconds before its end; by rank."""

    subject: Subject
    since: tuple[float | None, ...]
    below: tuple[float | None, ...]


class _Track:
    """One subject that is, or was of late, not well. All times are monotonic seconds."""

    __slots__ = ("below", "lasts", "open", "openings", "seen", "since")

    def __init__(self, at: float) -> None:
        self.open = 0
        """0: no; else the rank of its level."""
        self.since: list[float | None] = [None, None, None]
        """By rank: when it became that bad."""
        self.below: list[float | None] = [None, None, None]
        """By rank: when it was last left."""
        self.openings: list[float] = []
        self.seen = at
        self.lasts: float | None = None

    def note(self, reading: Reading, at: float) -> None:
        """Take in how it is now."""
        if at - self.seen > GAP and not self.open:
            self.since = [None, None, None]
        self.seen, self.lasts = at, reading.lasts
        for rank in (1, 2):
            if _RANK[reading.level] >= rank:
                if self.since[rank] is None:
                    self.since[rank] = at
                self.below[rank] = None
            elif _RANK[reading.held] >= rank:
                self.below[rank] = None
            else:
                self.since[rank] = None
                if self.below[rank] is None:
                    self.below[rank] = at

    def ripe(self, patience: Patience, at: float) -> int:
        """The rank that has lasted long enough; 0 for none."""
        for rank, wanted in ((2, patience.critical), (1, patience.warning)):
            began = self.since[rank]
            if began is not None and at - began >= wanted:
                return rank
        return 0

    def flaps(self, at: float) -> bool:
        self.openings = [time for time in self.openings if at - time <= FLAP_WINDOW]
        return len(self.openings) >= FLAPS

    def step(self, subject: Subject, reading: Reading, at: float) -> Transition | None:
        """What changes now."""
        patience = PATIENCE[subject.kind]
        if reading.lasts is not None:
            patience = Patience(reading.lasts, reading.lasts, min(patience.clear, reading.lasts))
        ripe = self.ripe(patience, at)
        if ripe > self.open and not (reading.old and not self.open):
            change: AlertChange = "escalated" if self.open else "opened"
            if not self.open:
                self.openings.append(at)
            self.open = ripe
            return self._told(subject, change, LEVELS[ripe - 1], reading, at)
        left = self.below[self.open] if self.open else None
        clear = max(patience.clear, FLAP_CLEAR) if self.open and self.flaps(at) else patience.clear
        if left is None or at - left < clear:
            return None
        had = LEVELS[self.open - 1]
        if self.open == 2 and self.below[1] is None:
            self.open = 1
            return self._told(subject, "eased", "warning", reading, at)
        self.open = 0
        return self._told(subject, "resolved", had, reading, at)

    def _told(
        self, subject: Subject, change: AlertChange, level: AlertLevel, reading: Reading, at: float
    ) -> Transition:
        return Transition(
            subject=subject, change=change, level=level, value=reading.value, text=reading.text,
            flapping=self.flaps(at),
        )  # fmt: skip


def _ages(times: Iterable[float | None], at: float) -> tuple[float | None, ...]:
    return tuple(None if time is None else at - time for time in times)


class Evaluator:
    """Decides what opens, escalates, eases and is resolved. Times are monotonic: a clock that jumps changes nothing."""

    def __init__(self) -> None:
        self._tracks: dict[Subject, _Track] = {}

    def restore(
        self, opened: Iterable[tuple[Subject, AlertLevel]], openings: Iterable[tuple[Subject, float]], at: float
    ) -> None:
        """Go on where another process stopped.

        ``opened``: the alerts that are open; ``openings``: what opened of late, and how many seconds ago.
        """
        for subject, age in openings:
            self._tracks.setdefault(subject, _Track(at)).openings.append(at - age)
        for subject, level in opened:
            self._tracks.setdefault(subject, _Track(at)).open = _RANK[level]

    def pending(self, at: float) -> list[Pending]:
        """What is not well, or was not of late, for a process that looks after this one."""
        return [
            Pending(subject, _ages(track.since, at), _ages(track.below, at)) for subject, track in self._tracks.items()
        ]

    def resume(self, pending: Iterable[Pending], gone: float, at: float) -> None:
        """Go on after a process that ended ``gone`` seconds ago: what is so at both looks counts as lasting."""
        for one in pending:
            track = self._tracks.setdefault(one.subject, _Track(at))
            track.since = [None if age is None else at - gone - age for age in one.since]
            track.below = [None if age is None else at - gone - age for age in one.below]

    def look(self, survey: Survey, at: float) -> list[Transition]:
        """Take in a survey; returns what changed, in the order of the readings."""
        changes: list[Transition] = []
        named = set()
        for reading in survey.readings:
            named.add(reading.subject)
            track = self._tracks.get(reading.subject)
            if track is None:
                track = self._tracks[reading.subject] = _Track(at)
            self._step(track, reading, at, changes)
        for subject, track in list(self._tracks.items()):
            if subject in named:
                continue
            if subject.server not in survey.servers:
                del self._tracks[subject]
                if track.open:
                    text = "the server is not managed any more"
                    level = LEVELS[track.open - 1]
                    changes.append(Transition(subject=subject, change="resolved", level=level, text=text))
            elif (subject.server, subject.scope) in survey.told:
                self._step(track, Reading(subject, "ok", "ok", None, "well again", lasts=track.lasts), at, changes)
                if not track.open and not track.flaps(at) and not track.openings:
                    del self._tracks[subject]
        return changes

    def _step(self, track: _Track, reading: Reading, at: float, changes: list[Transition]) -> None:
        track.note(reading, at)
        change = track.step(reading.subject, reading, at)
        if change is not None:
            changes.append(change)
