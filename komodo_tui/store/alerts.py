"""Alerts, what became of each, and mutes: one SQLite file, written by the evaluator and by whoever acknowledges."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.errors import NotFoundError, RefusedError, StoreError
from komodo_tui.store.alert_rows import COLUMNS, apply_transition, enter, read_alert, read_entry, read_mutes
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from komodo_tui.domain.alerts import Alert, AlertEntry, Covering, Mute, Transition

_SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
  level TEXT NOT NULL, opened REAL NOT NULL, changed REAL NOT NULL, value REAL, text TEXT NOT NULL,
  flapping INTEGER NOT NULL DEFAULT 0, resolved REAL, acknowledged REAL, acknowledged_by TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS one_open ON alerts (server, kind, what) WHERE resolved IS NULL;
CREATE INDEX IF NOT EXISTS alerts_by_resolved ON alerts (resolved);
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, alert INTEGER NOT NULL, at REAL NOT NULL, change TEXT NOT NULL,
  level TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS entries_by_alert ON entries (alert, seq);
CREATE TABLE IF NOT EXISTS mutes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
  starts REAL NOT NULL, until REAL NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS looks (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  entry INTEGER NOT NULL, alerter TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next REAL NOT NULL,
  error TEXT NOT NULL DEFAULT '', done REAL, queued REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (entry, alerter)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (alert INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS told (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
PRAGMA user_version = 3;
"""
_VERSION = 3
_FROM_2 = "ALTER TABLE deliveries ADD COLUMN queued REAL NOT NULL DEFAULT 0"
KEPT = 90 * 86400.0
"""Seconds a resolved alert is kept."""


class AlertStore:
    """All alerts of a state directory. Synchronous, safe from any thread and process. Raises StoreError."""

    def __init__(self, path: Path, windows: Callable[[float], Sequence[Covering]] = lambda now: ()) -> None:
        """``windows`` gives the maintenance that is on at a Unix time."""
        self._path = path
        self._windows = windows
        self._thread = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def evaluator_lock(self) -> FileLock:
        """Held by the one process that evaluates."""
        return FileLock(self._path.with_suffix(".evaluator.lock"))

    # -- the evaluator's side -----------------------------------------------------------------------------------

    def apply(
        self, transitions: Iterable[Transition], now: float, figures: Mapping[Subject, tuple[float | None, str]] = {}
    ) -> None:
        """Write what changed, how open ones are now (value, text), and that somebody looked: all of it or nothing."""
        with self._open(write=True) as db:
            for one in transitions:
                apply_transition(db, one, now)
            for alert, *subject in db.execute(
                "SELECT id, server, kind, what FROM alerts WHERE resolved IS NULL"
            ).fetchall():
                figure = figures.get(Subject(*subject))
                if figure is not None:
                    db.execute("UPDATE alerts SET value = ?, text = ? WHERE id = ?", (*figure, alert))
            db.execute("INSERT OR REPLACE INTO looks VALUES (1, ?)", (now,))

    def last_look(self) -> float | None:
        """When somebody evaluated last (Unix time); None = never."""
        with self._open(write=False) as db:
            row = db.execute("SELECT at FROM looks").fetchone()
        return float(row[0]) if row is not None else None

    def openings(self, since: float) -> list[tuple[Subject, float]]:
        """What opened from then on, and when."""
        with self._open(write=False) as db:
            rows = db.execute("SELECT server, kind, what, opened FROM alerts WHERE opened >= ?", (since,)).fetchall()
        return [(Subject(server, kind, what), opened) for server, kind, what, opened in rows]

    def prune(self, now: float) -> int:
        """Forget alerts resolved long ago, and mutes that are over; returns how many alerts went."""
        with self._open(write=True) as db:
            db.execute("DELETE FROM mutes WHERE until < ?", (now - KEPT,))
            db.execute(
                "DELETE FROM entries WHERE alert IN (SELECT id FROM alerts WHERE resolved < ?)", (now - KEPT,)
            )  # fmt: skip
            return db.execute("DELETE FROM alerts WHERE resolved < ?", (now - KEPT,)).rowcount

    # -- everybody's side ---------------------------------------------------------------------------------------

    def open_alerts(self, now: float) -> list[Alert]:
        """All that are open, with whether they are muted now."""
        return self._alerts("WHERE resolved IS NULL ORDER BY changed DESC", (), now)

    def resolved_alerts(self, now: float, limit: int = 200) -> list[Alert]:
        """The latest that are over."""
        return self._alerts("WHERE resolved IS NOT NULL ORDER BY resolved DESC LIMIT ?", (limit,), now)

    def get(self, alert: int, now: float) -> Alert:
        """One alert. Raises NotFoundError."""
        found = self._alerts("WHERE id = ?", (alert,), now)
        if not found:
            raise NotFoundError(f"there is no alert {alert}", hint="komodo-tui alerts lists them")
        return found[0]

    def entries_after(self, seq: int, now: float) -> list[tuple[AlertEntry, Alert]]:
        """The entries of all alerts after a number, oldest first, each with its alert as it is now."""
        return self._joined("seq > ?", (seq,), now)

    def _joined(self, where: str, values: Sequence[float], now: float) -> list[tuple[AlertEntry, Alert]]:
        columns = ", ".join(f"alerts.{name}" for name in COLUMNS.split(", "))
        with self._open(write=False) as db:
            mutes = self._muting(db, now)
            rows = db.execute(
                f"SELECT seq, entries.alert, at, change, entries.level, entries.text, who, {columns} "
                f"FROM entries JOIN alerts ON alerts.id = entries.alert WHERE {where} ORDER BY seq",
                values,
            ).fetchall()
        return [(read_entry(row[:7]), read_alert(row[7:], mutes, now)) for row in rows]

    def entries_between(self, start: float, end: float, now: float) -> list[tuple[AlertEntry, Alert]]:
        """The entries of all alerts between two times, oldest first, each with its alert as it is now."""
        return self._joined("entries.at BETWEEN ? AND ?", (start, end), now)

    def entries(self, alert: int) -> list[AlertEntry]:
        """What became of an alert, oldest first."""
        with self._open(write=False) as db:
            rows = db.execute(
                "SELECT seq, alert, at, change, level, text, who FROM entries WHERE alert = ? ORDER BY seq", (alert,)
            ).fetchall()
        return [read_entry(row) for row in rows]

    def acknowledge(self, alert: int, who: str, note: str, now: float) -> None:
        """Say that somebody takes care of an alert.

        Raises:
            NotFoundError: there is none.
            RefusedError: it is resolved or acknowledged already; who was first is named.
        """
        with self._open(write=True) as db:
            row = db.execute(
                "SELECT level, resolved, acknowledged_by, acknowledged FROM alerts WHERE id = ?", (alert,)
            ).fetchone()
            if row is None:
                raise NotFoundError(f"there is no alert {alert}", hint="komodo-tui alerts lists them")
            if row[1] is not None:
                raise RefusedError(f"alert {alert} is resolved already")
            if row[3] is not None:
                raise RefusedError(f"alert {alert} was acknowledged already by {row[2]}")
            db.execute(
                "UPDATE alerts SET acknowledged = ?, acknowledged_by = ?, note = ? WHERE id = ?",
                (now, who, note, alert),
            )
            enter(db, alert, now, "acknowledged", row[0], note, who)

    def mutes(self, now: float) -> list[Mute]:
        """Those that hold now or will."""
        with self._open(write=False) as db:
            return read_mutes(db, now)

    def mute(self, mute: Mute) -> int:
        """Add one; returns its id."""
        with self._open(write=True) as db:
            done = db.execute(
                "INSERT INTO mutes (server, kind, what, starts, until, who, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (mute.server, mute.kind, mute.what, mute.starts, mute.until, mute.who, mute.reason),
            )
            return int(done.lastrowid or 0)

    def unmute(self, mute: int) -> None:
        """End one. Raises NotFoundError."""
        with self._open(write=True) as db:
            if db.execute("DELETE FROM mutes WHERE id = ?", (mute,)).rowcount == 0:
                raise NotFoundError(f"there is no mute {mute}", hint="komodo-tui alerts --mutes lists them")

    def close(self) -> None:
        """Close the file."""
        with self._thread:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def writing(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """One write, for what is kept in the same file; it is undone where an error leaves it."""
        return self._open(write=True)

    def reading(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Some reads."""
        return self._open(write=False)

    # -- the file -----------------------------------------------------------------------------------------------

    def _alerts(self, where: str, values: Sequence[Any], now: float) -> list[Alert]:
        with self._open(write=False) as db:
            mutes = self._muting(db, now)
            rows = db.execute(f"SELECT {COLUMNS} FROM alerts {where}", values).fetchall()
        return [read_alert(row, mutes, now) for row in rows]

    def _muting(self, db: sqlite3.Connection, now: float) -> list[Covering]:
        """What may mute an alert now."""
        return [*(mute for mute in read_mutes(db, now) if mute.starts <= now), *self._windows(now)]

    @contextlib.contextmanager
    def _open(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        try:
            with self._thread:
                db = self._connect()
                if not write:
                    yield db
                    return
                with FileLock(self._path.with_suffix(".lock")):
                    db.execute("BEGIN IMMEDIATE")
                    try:
                        yield db
                        db.execute("COMMIT")
                    except BaseException:
                        if db.in_transaction:
                            db.execute("ROLLBACK")
                        raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"alerts cannot be kept in {self._path}: {error}", hint="free space or mend it") from error

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):  # two that make the schema at once would see half of it
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            try:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version > _VERSION:
                    raise StoreError(f"{self._path} was written by a newer komodo-tui (schema {version})")
                if version < _VERSION:
                    db.execute("PRAGMA journal_mode=WAL")
                    columns = [row[1] for row in db.execute("PRAGMA table_info(deliveries)")]
                    if columns and "queued" not in columns:
                        db.execute(_FROM_2)
                    db.executescript(_SCHEMA)
                db.execute("PRAGMA synchronous=FULL")
            except BaseException:
                db.close()
                raise
        self._connection = db
        return db
