"""Rows of alerts, and how a change becomes some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.alerts import Alert, AlertEntry, Mute, Subject

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from typing import Any

    from komodo_tui.domain.alerts import AlertLevel, Covering, Transition

COLUMNS = (
    "id, server, kind, what, level, opened, changed, value, text, flapping, resolved, acknowledged, acknowledged_by, "
    "note"
)


def apply_transition(db: sqlite3.Connection, one: Transition, now: float) -> None:
    """Write one change of an alert and its entry; a change of none that is open opens it, unless it ends it."""
    subject = one.subject
    where = (subject.server, subject.kind, subject.what)
    row = db.execute(
        "SELECT id FROM alerts WHERE server = ? AND kind = ? AND what = ? AND resolved IS NULL", where
    ).fetchone()  # fmt: skip
    if row is None:
        if one.change == "resolved":
            return
        done = db.execute(
            "INSERT INTO alerts (server, kind, what, level, opened, changed, value, text, flapping) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*where, one.level, now, now, one.value, one.text, one.flapping),
        )
        enter(db, int(done.lastrowid or 0), now, "opened", one.level, one.text)
        return
    alert = int(row[0])
    if one.change == "resolved":
        db.execute("UPDATE alerts SET resolved = ?, changed = ? WHERE id = ?", (now, now, alert))
    else:
        db.execute(
            "UPDATE alerts SET level = ?, changed = ?, value = ?, text = ?, flapping = ? WHERE id = ?",
            (one.level, now, one.value, one.text, one.flapping, alert),
        )
    if one.change == "escalated":  # who took care of a warning has not seen this
        db.execute("UPDATE alerts SET acknowledged = NULL, acknowledged_by = '', note = '' WHERE id = ?", (alert,))
    enter(db, alert, now, one.change, one.level, one.text)


def enter(
    db: sqlite3.Connection, alert: int, at: float, change: str, level: AlertLevel, text: str, who: str = ""
) -> None:
    """Write an entry."""
    db.execute(
        "INSERT INTO entries (alert, at, change, level, text, who) VALUES (?, ?, ?, ?, ?, ?)",
        (alert, at, change, level, text, who),
    )


def read_entry(row: Sequence[Any]) -> AlertEntry:
    """A row of entries, in the order of its fields."""
    return AlertEntry(seq=row[0], alert=row[1], at=row[2], change=row[3], level=row[4], text=row[5], who=row[6])


def read_mutes(db: sqlite3.Connection, now: float) -> list[Mute]:
    """Mutes that hold now or will."""
    rows = db.execute(
        "SELECT id, server, kind, what, starts, until, who, reason FROM mutes WHERE until > ? ORDER BY starts", (now,)
    ).fetchall()
    return [
        Mute(id=id, server=server, kind=kind, what=what, starts=starts, until=until, who=who, reason=reason)
        for id, server, kind, what, starts, until, who, reason in rows
    ]


def read_alert(row: Sequence[Any], mutes: Iterable[Covering], now: float) -> Alert:
    """A row of :data:`COLUMNS`."""
    subject = Subject(row[1], row[2], row[3])
    return Alert(
        id=row[0], subject=subject, level=row[4], opened=row[5], changed=row[6], value=row[7], text=row[8],
        flapping=bool(row[9]), resolved=row[10], acknowledged=row[11], acknowledged_by=row[12], note=row[13],
        muted=row[10] is None and any(mute.covers(subject, now) for mute in mutes),
    )  # fmt: skip
