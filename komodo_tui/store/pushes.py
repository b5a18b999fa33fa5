"""Pushes that were seen: the last commit of each branch, the deliveries that told of them, and the queue of what to do.

What a look or a delivery changes is one transaction: whoever is killed has done all of it or nothing, and a delivery
that comes again finds itself here.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.pushes import Push, SeenBranch
from komodo_tui.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable
    from pathlib import Path

Taken = Literal["accepted", "duplicate", "known"]
"""A push to act on; a delivery that came before; a commit that was seen already."""

KEPT_DELIVERIES = 30 * 86400.0
"""Seconds a delivery's id is known; a copy of it that is older is recognised by nothing."""
MOST_DELIVERIES = 200_000
"""Ids kept at most."""
KEPT_PUSHES = 100
"""Of each repo."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
  repo TEXT PRIMARY KEY, url TEXT NOT NULL, branch TEXT NOT NULL, "commit" TEXT NOT NULL DEFAULT '',
  checked REAL NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', since REAL NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (repo TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (repo, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_age ON deliveries (at);
CREATE TABLE IF NOT EXISTS pushes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL, branch TEXT NOT NULL, before TEXT NOT NULL,
  "commit" TEXT NOT NULL, source TEXT NOT NULL, delivery TEXT NOT NULL, who TEXT NOT NULL, subject TEXT NOT NULL,
  seen REAL NOT NULL, count INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT 'pending',
  run TEXT NOT NULL DEFAULT '', started REAL NOT NULL DEFAULT 0, ended REAL NOT NULL DEFAULT 0,
  note TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS pushes_by_repo ON pushes (repo, id);
CREATE UNIQUE INDEX IF NOT EXISTS one_pending ON pushes (repo) WHERE state = 'pending';
CREATE UNIQUE INDEX IF NOT EXISTS one_running ON pushes (repo) WHERE state = 'running';
"""
_COLUMNS = (
    'id, repo, branch, before, "commit", source, delivery, who, subject, seen, count, state, run, started, ended, '
    "note, tries"
)
_NAMES = tuple(_COLUMNS.replace('"', "").split(", "))


class PushStore(SqliteFile):
    """All pushes of a state directory. Synchronous, safe from any thread and process. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, "the queue of pushes")

    # -- what comes in ------------------------------------------------------------------------------------------

    def looked(self, seen: SeenBranch, branch: str, now: float, *, began: float | None = None) -> bool:
        """A look found the branch at this commit; True when that is a push. The first look sets nothing off.

        ``branch`` is its name, where the definition has none. ``began``: Unix time at which the look did; what a
        webhook told meanwhile is newer than what it found.
        """
        with self._open(write=True) as db:
            row = _seen_row(db, seen)
            old = row[0] if row is not None else ""
            if row is not None and began is not None and began <= row[2] <= now:
                return False
            _write_seen(db, seen, now)
            if not old or old == seen.commit:
                return False
            _enter(db, Push(repo=seen.repo, branch=branch, before=old, commit=seen.commit, seen=now))
            return True

    def failed_look(self, seen: SeenBranch, problem: str, now: float) -> bool:
        """A look failed; True when that is news. What the branch was before stays known."""
        with self._open(write=True) as db:
            row = _seen_row(db, seen)
            if row is not None:
                db.execute(
                    "UPDATE seen SET since = CASE WHEN problem = '' THEN ? ELSE since END, problem = ? WHERE repo = ?",
                    (now, problem, seen.repo),
                )
                return bool(row[1] != problem)
            db.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, '', 0, ?, ?)",
                (seen.repo, seen.url, seen.branch, problem, now),
            )
            return True

    def delivered(self, push: Push, seen: SeenBranch, ids: Collection[str], now: float) -> Taken:
        """Somebody told of a push; ``ids`` name the delivery, and one that is known makes it a copy.

        ``seen`` has the URL and the branch as the repo's definition says them, and the commit.
        """
        with self._open(write=True) as db:
            for one in ids:
                if db.execute("SELECT 1 FROM deliveries WHERE repo = ? AND id = ?", (push.repo, one)).fetchone():
                    return "duplicate"
            db.executemany("INSERT INTO deliveries VALUES (?, ?, ?)", [(push.repo, one, now) for one in ids])
            row = _seen_row(db, seen)
            old = row[0] if row is not None else ""
            if push.commit and old == push.commit:
                return "known"
            if push.commit:
                _write_seen(db, seen, now)
            _enter(db, msgspec.structs.replace(push, before=old, seen=now))
            return "accepted"

    # -- what is to be done -------------------------------------------------------------------------------------

    def claim(self, run: str, now: float) -> Push | None:
        """Take the push that waits longest, of a repo of which none is under way; it is ``running`` as ``run``."""
        with self._open(write=True) as db:
            row = db.execute(
                "SELECT id FROM pushes AS p WHERE state = 'pending' AND due <= ? AND NOT EXISTS (SELECT 1 FROM pushes"
                " WHERE repo = p.repo AND state = 'running') ORDER BY id LIMIT 1",
                (now,),
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE pushes SET state = 'running', run = ?, started = ?, tries = tries + 1, note = '' WHERE id = ?",
                (run, now, row[0]),
            )
            return _push(db.execute(f"SELECT {_COLUMNS} FROM pushes WHERE id = ?", (row[0],)).fetchone())

    def ended(self, push: Push, *, good: bool, note: str, now: float, again_at: float = 0.0) -> None:
        """How it ended; with ``again_at`` it waits again until then, unless a newer push waits already."""
        with self._open(write=True) as db:
            newer = db.execute(
                "SELECT 1 FROM pushes WHERE repo = ? AND state = 'pending'", (push.repo,)
            ).fetchone()  # fmt: skip
            again = again_at > 0 and newer is None
            state = "pending" if again else "done" if good else "failed"
            db.execute(
                "UPDATE pushes SET state = ?, note = ?, ended = ?, due = ? WHERE id = ? AND state = 'running'",
                (state, note, now, again_at if again else 0.0, push.id),
            )
            if newer is not None and not good:  # what this one did not do, the newer one has to
                db.execute(
                    "UPDATE pushes SET before = ? WHERE repo = ? AND state = 'pending'", (push.before, push.repo)
                )
            db.execute(
                "DELETE FROM pushes WHERE repo = ? AND state IN ('done', 'failed') AND id <= (SELECT id FROM pushes"
                " WHERE repo = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (push.repo, push.repo, KEPT_PUSHES),
            )

    def next_due(self) -> float | None:
        """When the next push that waits for its time may be tried again; None = none waits."""
        with self._open(write=False) as db:
            row = db.execute("SELECT min(due) FROM pushes WHERE state = 'pending' AND due > 0").fetchone()
        return float(row[0]) if row[0] is not None else None

    # -- looks --------------------------------------------------------------------------------------------------

    def running(self) -> list[Push]:
        """Those that are under way, or were when their process was killed."""
        return self._pushes("WHERE state = 'running' ORDER BY id", ())

    def recent(self, repo: str = "", limit: int = 50) -> list[Push]:
        """Newest first, of one repo or of all."""
        if repo:
            return self._pushes("WHERE repo = ? ORDER BY id DESC LIMIT ?", (repo, limit))
        return self._pushes("ORDER BY id DESC LIMIT ?", (limit,))

    def newest(self) -> dict[str, Push]:
        """The newest push of each repo."""
        found = self._pushes("WHERE id IN (SELECT max(id) FROM pushes GROUP BY repo)", ())
        return {push.repo: push for push in found}

    def seen(self) -> dict[str, SeenBranch]:
        """What is known of each repo's branch."""
        with self._open(write=False) as db:
            rows = db.execute('SELECT repo, url, branch, "commit", checked, problem, since FROM seen').fetchall()
        names = ("repo", "url", "branch", "commit", "checked", "problem", "since")
        return {row[0]: SeenBranch(**dict(zip(names, row, strict=True))) for row in rows}

    def prune(self, known: Iterable[str], now: float) -> None:
        """Forget old deliveries, and what is known of repos that are not defined any more; their pushes stay."""
        with self._open(write=True) as db:
            db.execute("DELETE FROM deliveries WHERE at < ?", (now - KEPT_DELIVERIES,))
            db.execute(
                "DELETE FROM deliveries WHERE at < (SELECT at FROM deliveries ORDER BY at DESC LIMIT 1 OFFSET ?)",
                (MOST_DELIVERIES,),
            )
            names = set(known)
            gone = [row[0] for row in db.execute("SELECT repo FROM seen") if row[0] not in names]
            db.executemany("DELETE FROM seen WHERE repo = ?", [(name,) for name in gone])

    def _pushes(self, where: str, values: tuple[object, ...]) -> list[Push]:
        with self._open(write=False) as db:
            return [_push(row) for row in db.execute(f"SELECT {_COLUMNS} FROM pushes {where}", values)]


def branches_seen(path: Path) -> dict[str, SeenBranch]:
    """What is known of each repo's branch; nothing where nobody has looked yet. Raises StoreError."""
    if not path.exists():
        return {}
    with closing(PushStore(path)) as store:
        return store.seen()


def _seen_row(db: sqlite3.Connection, seen: SeenBranch) -> tuple[str, str, float] | None:
    """The commit, the problem and the time that are known; None where the definition names another URL or branch
    since."""
    row = db.execute(
        'SELECT "commit", problem, checked FROM seen WHERE repo = ? AND url = ? AND branch = ?',
        (seen.repo, seen.url, seen.branch),
    ).fetchone()
    return (row[0], row[1], row[2]) if row is not None else None


def _write_seen(db: sqlite3.Connection, seen: SeenBranch, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, '', 0)",
        (seen.repo, seen.url, seen.branch, seen.commit, now),
    )


def _enter(db: sqlite3.Connection, push: Push) -> None:
    """Let it wait, or count it into the one that waits. What the one before it did not do, it has to."""
    changed = db.execute(
        'UPDATE pushes SET "commit" = ?, source = ?, delivery = ?, who = ?, subject = ?, seen = ?, branch = ?,'
        " count = count + 1, due = 0, tries = 0 WHERE repo = ? AND state = 'pending'",
        (push.commit, push.source, push.delivery, push.who, push.subject, push.seen, push.branch, push.repo),
    ).rowcount
    if not changed:
        newest = db.execute(
            "SELECT state, before FROM pushes WHERE repo = ? ORDER BY id DESC LIMIT 1", (push.repo,)
        ).fetchone()
        before = newest[1] if newest is not None and newest[0] == "failed" else push.before
        db.execute(
            'INSERT INTO pushes (repo, branch, before, "commit", source, delivery, who, subject, seen)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (push.repo, push.branch, before, push.commit, push.source, push.delivery, push.who, push.subject,
             push.seen),
        )  # fmt: skip


def _push(row: tuple[object, ...]) -> Push:
    return Push(**dict(zip(_NAMES, row, strict=True)))  # type: ignore[arg-type]
