"""The queue of what has to be told, on disk beside the alerts: it survives restarts and alerters that are down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.alerts import Alert, AlertEntry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from komodo_tui.store.alerts import AlertStore

GIVE_UP = 2 * 86400.0
"""Seconds after which a change is told to nobody any more."""
KEPT = 7 * 86400.0
"""Seconds after the end of an alert for which is known to whom it was told: whom its end has to be told to."""

_WORSE = ("opened", "escalated")
_QUEUE = "INSERT OR IGNORE INTO deliveries (entry, alerter, next, queued) VALUES (?, ?, ?, ?)"
_TOLD = "SELECT 1 FROM deliveries JOIN entries ON entries.seq = entry WHERE alerter = ? AND alert = ?"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One change that has to reach one alerter."""

    alerter: str
    entry: AlertEntry
    alert: Alert
    tries: int


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How an alerter does."""

    waiting: int = 0
    last: float = 0.0
    """When something reached it last."""
    error: str = ""
    """Of what waits."""


class DeliveryQueue:
    """Filled from the alerts' entries, each looked at once. Written by one process: ``watch``. Raises StoreError."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store

    def fill(self, wanted: Callable[[Alert, AlertEntry], Sequence[str]], now: float) -> None:
        """Look at the entries since the last call; ``wanted`` names the alerters of each.

        At the very first call only what comes from now on counts. A muted alert is told to nobody before the mute is
        over, and never where it is over itself by then; that one is resolved, only to whom it had been told.
        """
        with self._store.writing() as db:
            row = db.execute("SELECT seq FROM told").fetchone()
            newest = db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]
            if row is not None:
                for entry, alert in self._store.entries_after(row[0], now):
                    if alert.muted and entry.change in _WORSE:
                        db.execute("INSERT OR IGNORE INTO held VALUES (?)", (alert.id,))
                    for alerter in () if alert.muted else wanted(alert, entry):
                        if entry.change == "resolved" and not db.execute(_TOLD, (alerter, alert.id)).fetchone():
                            continue
                        db.execute(_QUEUE, (entry.seq, alerter, now, now))
            for entry, alert in self._heard_again(db, now):
                for alerter in wanted(alert, entry):
                    db.execute(_QUEUE, (entry.seq, alerter, now, now))
            db.execute("INSERT OR REPLACE INTO told VALUES (1, ?)", (newest,))
            db.execute(
                "DELETE FROM deliveries WHERE queued < ? AND EXISTS (SELECT 1 FROM entries JOIN alerts"
                " ON alerts.id = entries.alert WHERE entries.seq = deliveries.entry AND resolved < ?)",
                (now - KEPT, now - KEPT),
            )

    def _heard_again(self, db: sqlite3.Connection, now: float) -> list[tuple[AlertEntry, Alert]]:
        """What opened while it was muted, is not muted any more and still presses: how bad it became last."""
        found = []
        still = {alert.id: alert for alert in self._store.open_alerts(now)}
        for (number,) in db.execute("SELECT alert FROM held").fetchall():
            alert = still.get(number)
            if alert is not None and alert.muted:
                continue
            db.execute("DELETE FROM held WHERE alert = ?", (number,))
            if alert is not None and alert.pressing:
                last = [entry for entry in self._store.entries(number) if entry.change in _WORSE][-1:]
                found += [(entry, alert) for entry in last]
        return found

    def due(self, now: float, limit: int = 50_000) -> list[Delivery]:
        """What has to be told now, oldest first; all of a storm, so that it is one message."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT alerter, entry, tries FROM deliveries JOIN entries ON entries.seq = entry "
                "WHERE done IS NULL AND next <= ? AND max(at, queued) > ? ORDER BY entry LIMIT ?",
                (now, now - GIVE_UP, limit),
            ).fetchall()
        known = {entry.seq: (entry, alert) for entry, alert in self._store.entries_after(
            min((row[1] for row in rows), default=1) - 1, now)} if rows else {}  # fmt: skip
        return [
            Delivery(alerter=alerter, entry=known[seq][0], alert=known[seq][1], tries=tries)
            for alerter, seq, tries in rows
            if seq in known
        ]

    def done(self, deliveries: Sequence[Delivery], now: float) -> None:
        """These have arrived."""
        with self._store.writing() as db:
            db.executemany(
                "UPDATE deliveries SET done = ?, error = '' WHERE alerter = ? AND entry = ?",
                [(now, one.alerter, one.entry.seq) for one in deliveries],
            )

    def failed(self, deliveries: Sequence[Delivery], again: float, error: str) -> None:
        """These have not; try at ``again`` (Unix time)."""
        with self._store.writing() as db:
            db.executemany(
                "UPDATE deliveries SET tries = tries + 1, next = ?, error = ? WHERE alerter = ? AND entry = ?",
                [(again, error[:300], one.alerter, one.entry.seq) for one in deliveries],
            )

    def status(self, alerter: str) -> DeliveryStatus:
        """How an alerter does."""
        with self._store.reading() as db:
            waiting, error = db.execute(
                "SELECT count(*), coalesce(max(error), '') FROM deliveries WHERE alerter = ? AND done IS NULL",
                (alerter,),
            ).fetchone()
            last = db.execute("SELECT max(done) FROM deliveries WHERE alerter = ?", (alerter,)).fetchone()[0]
        return DeliveryStatus(waiting=waiting, last=last or 0.0, error=error)
