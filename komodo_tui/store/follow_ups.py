"""What is to follow builds: noted before a build begins, so that a program that ends in between leaves it to the next.

Who works on one holds its lock (:class:`komodo_tui.operations.locking.TargetLocks`); the rows tell how far it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.follow_ups import FollowStep, FollowUp
from komodo_tui.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS follow_ups (
  act TEXT PRIMARY KEY, build TEXT NOT NULL, asked REAL NOT NULL, ended REAL, steps TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS follow_ups_open ON follow_ups (asked) WHERE ended IS NULL;
"""
_COLUMNS = "act, build, asked, ended, steps"
_KEPT = 5_000
"""Of those that have ended."""
_AT_ONCE = 500
"""Acts that are asked for in one question."""
_steps = msgspec.json.Decoder(tuple[FollowStep, ...])


class FollowUpStore(SqliteFile):
    """All follow-ups of a state directory. Synchronous, safe from any thread and process. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, "what follows builds")

    def note(self, act: str, build: str, now: float) -> None:
        """Something is to follow this build, which is about to begin."""
        with self._open(write=True) as db:
            db.execute("INSERT OR IGNORE INTO follow_ups (act, build, asked) VALUES (?, ?, ?)", (act, build, now))
            db.execute(
                "DELETE FROM follow_ups WHERE ended IS NOT NULL AND act NOT IN "
                "(SELECT act FROM follow_ups ORDER BY asked DESC LIMIT ?)", (_KEPT,),
            )  # fmt: skip

    def write(self, act: str, steps: Sequence[FollowStep], ended: float | None = None) -> None:
        """How far it is; ``ended`` is the Unix time of its end."""
        with self._open(write=True) as db:
            db.execute(
                "UPDATE follow_ups SET steps = ?, ended = ? WHERE act = ?",
                (msgspec.json.encode(tuple(steps)).decode(), ended, act),
            )

    def drop(self, act: str) -> None:
        """Nothing follows: the build did not come to be."""
        with self._open(write=True) as db:
            db.execute("DELETE FROM follow_ups WHERE act = ?", (act,))

    def open(self) -> list[FollowUp]:
        """Those that have not ended, the oldest first."""
        with self._open(write=False) as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM follow_ups WHERE ended IS NULL ORDER BY asked").fetchall()
        return [_read(*row) for row in rows]

    def of(self, acts: Iterable[str]) -> dict[str, FollowUp]:
        """Those of these builds' acts, as far as there are any."""
        wanted, found = list(acts), dict[str, FollowUp]()
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            with self._open(write=False) as db:
                rows = db.execute(f"SELECT {_COLUMNS} FROM follow_ups WHERE act IN ({marks})", some).fetchall()
            found |= {row[0]: _read(*row) for row in rows}
        return found

    def get(self, act: str) -> FollowUp | None:
        """That of one build."""
        return self.of((act,)).get(act)


def _read(act: str, build: str, asked: float, ended: float | None, steps: str) -> FollowUp:
    return FollowUp(act=act, build=build, asked=asked, ended=ended, steps=_steps.decode(steps))
