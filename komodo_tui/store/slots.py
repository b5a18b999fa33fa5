"""Due times of schedules: each belongs to the first process that claims it, whoever else looks at the same moment.

A slot is claimed together with the id of the run it is to become, and is open until it is known what became of it: who
comes after a process that was killed in between can tell whether that run began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (
  name TEXT NOT NULL, at REAL NOT NULL, claimed REAL NOT NULL, who TEXT NOT NULL, result TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (name, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_slots (
  name TEXT NOT NULL, at REAL NOT NULL, run TEXT NOT NULL, PRIMARY KEY (name, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, schedule TEXT NOT NULL, since REAL NOT NULL);
"""

_FROM_AHEAD = "(result = 'missed' AND claimed > ?)"
"""Of a slot that was noted as missed by a clock that was ahead: nothing was started."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A due time that was claimed."""

    at: float
    result: str
    """The run's id, ``missed``, or why it did not begin."""


class OpenSlot(NamedTuple):
    """A due time of which is not known what became."""

    name: str
    at: float
    run: str
    """The id that was chosen for its run."""


class SlotStore(SqliteFile):
    """All slots of a state directory. Synchronous, safe from any thread and process. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, "the slots of schedules", version=2)

    def since(self, name: str, schedule: str, now: float) -> float:
        """From when on a schedule counts: its newest slot, else when it was first seen like this.

        What a clock that was ahead has left in the future does not count: else nothing would be due until then.
        """
        with self._open(write=True) as db:
            row = db.execute("SELECT schedule, since FROM seen WHERE name = ?", (name,)).fetchone()
            if row is None or row[0] != schedule or row[1] > now:
                db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (name, schedule, now))
                return now
            query = f"SELECT max(at) FROM slots WHERE name = ? AND at <= ? AND NOT {_FROM_AHEAD}"
            newest = db.execute(query, (name, now, now)).fetchone()[0]
            return max(float(row[1]), float(newest or 0.0))

    def claim(self, name: str, at: float, who: str, now: float, *, run: str) -> bool:
        """Take a slot, open until it is noted what became of it; False when somebody has it.

        One that was noted as missed by a clock that was ahead is free still: nothing was started.
        """
        with self._open(write=True) as db:
            db.execute(f"DELETE FROM slots WHERE name = ? AND at = ? AND {_FROM_AHEAD}", (name, at, now))
            done = db.execute("INSERT OR IGNORE INTO slots VALUES (?, ?, ?, ?, '')", (name, at, now, who))
            if done.rowcount == 1:
                db.execute("INSERT INTO open_slots VALUES (?, ?, ?)", (name, at, run))
            return done.rowcount == 1

    def note(self, name: str, at: float, result: str) -> None:
        """What became of a slot; it is not open any more."""
        with self._open(write=True) as db:
            db.execute("UPDATE slots SET result = ? WHERE name = ? AND at = ?", (result, name, at))
            db.execute("DELETE FROM open_slots WHERE name = ? AND at = ?", (name, at))

    def open(self) -> list[OpenSlot]:
        """What was claimed and never noted, oldest first."""
        with self._open(write=False) as db:
            rows = db.execute("SELECT name, at, run FROM open_slots ORDER BY at, name").fetchall()
        return [OpenSlot(*row) for row in rows]

    def prune(self, most: int = 45_000) -> None:
        """Forget the oldest of what is known: so many of each schedule stay, a month of one that is due each minute."""
        with self._open(write=True) as db:
            for (name,) in db.execute("SELECT DISTINCT name FROM slots").fetchall():
                query = "SELECT at FROM slots WHERE name = ? ORDER BY at DESC LIMIT 1 OFFSET ?"
                oldest = db.execute(query, (name, most)).fetchone()
                if oldest is not None:
                    db.execute("DELETE FROM slots WHERE name = ? AND at <= ?", (name, oldest[0]))

    def missed(self, name: str, since: float) -> int:
        """How many of its times after a moment nobody was there for."""
        with self._open(write=False) as db:
            query = "SELECT count(*) FROM slots WHERE name = ? AND at > ? AND result = 'missed'"
            return int(db.execute(query, (name, since)).fetchone()[0])

    def last(self, name: str, now: float) -> Slot | None:
        """The newest slot of a schedule that is not still to come: a clock that was ahead leaves such."""
        with self._open(write=False) as db:
            row = db.execute(
                "SELECT at, result FROM slots WHERE name = ? AND at <= ? ORDER BY at DESC LIMIT 1", (name, now)
            ).fetchone()
        return Slot(at=row[0], result=row[1]) if row is not None else None
