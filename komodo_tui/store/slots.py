"""Due times of schedules: each belongs to the first process that claims it, whoever else looks at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (
  name TEXT NOT NULL, at REAL NOT NULL, claimed REAL NOT NULL, who TEXT NOT NULL, result TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (name, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, schedule TEXT NOT NULL, since REAL NOT NULL);
"""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A due time that was claimed."""

    at: float
    result: str
    """The run's id, ``missed``, or why it did not begin."""


class SlotStore(SqliteFile):
    """All slots of a state directory. Synchronous, safe from any thread and process. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, "the slots of schedules")

    def since(self, name: str, schedule: str, now: float) -> float:
        """From when on a schedule counts: its newest slot, else when it was first seen like this."""
        with self._open(write=True) as db:
            row = db.execute("SELECT schedule, since FROM seen WHERE name = ?", (name,)).fetchone()
            if row is None or row[0] != schedule:
                db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (name, schedule, now))
                return now
            newest = db.execute("SELECT max(at) FROM slots WHERE name = ?", (name,)).fetchone()[0]
            return max(float(row[1]), float(newest or 0.0))

    def claim(self, name: str, at: float, who: str, now: float) -> bool:
        """Take a slot; False when somebody has it."""
        with self._open(write=True) as db:
            done = db.execute("INSERT OR IGNORE INTO slots VALUES (?, ?, ?, ?, '')", (name, at, now, who))
            return done.rowcount == 1

    def note(self, name: str, at: float, result: str) -> None:
        """What became of a slot."""
        with self._open(write=True) as db:
            db.execute("UPDATE slots SET result = ? WHERE name = ? AND at = ?", (result, name, at))

    def missed(self, name: str, since: float) -> int:
        """How many of its times after a moment nobody was there for."""
        with self._open(write=False) as db:
            query = "SELECT count(*) FROM slots WHERE name = ? AND at > ? AND result = 'missed'"
            return int(db.execute(query, (name, since)).fetchone()[0])

    def last(self, name: str) -> Slot | None:
        """The newest slot of a schedule."""
        with self._open(write=False) as db:
            row = db.execute(
                "SELECT at, result FROM slots WHERE name = ? ORDER BY at DESC LIMIT 1", (name,)
            ).fetchone()  # fmt: skip
        return Slot(at=row[0], result=row[1]) if row is not None else None
