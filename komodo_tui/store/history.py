"""The history of acts: SQLite, one file a month, append-only, every row on disk before the call returns.

An act is two rows: its intent, written before the first effect, and its outcome. Rows are never changed or deleted
(triggers refuse it) and are chained by hash. Write transactions run under a lock of our own: SQLite's busy handler let
one of four writers wait for seconds.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.operations import ActionRecord, Outcome, StepResult
from komodo_tui.store import chain
from komodo_tui.store.history_files import HistoryFiles, canonical
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the whole chain found."""

    ok: bool
    rows: int
    files: int
    head: str
    """Hash of the newest row: copy it elsewhere to notice a rewritten history."""
    broken: str = ""
    """Where the chain first breaks, and how."""


class _Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an outcome row."""

    outcome: Outcome
    summary: str = ""
    steps: tuple[StepResult, ...] = ()
    after: str = ""


class History:
    """All acts ever made from this state directory. Synchronous, safe from any thread and process."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._db = HistoryFiles(folder)
        self._clock = clock
        self._thread = threading.RLock()
        self._lock = FileLock(folder / "lock")

    def begin(self, record: ActionRecord) -> int:
        """Write the intent of an act and return its number.

        Raises:
            StoreError: it cannot be written; then the act must not begin.
        """
        intent = msgspec.structs.replace(record, seq=0, ended=None, outcome=None, summary="", steps=(), after="")
        return self._append(record.id, "intent", msgspec.json.encode(intent).decode())

    def finish(
        self, action: str, outcome: Outcome, steps: Sequence[StepResult] = (), *, summary: str = "", after: str = ""
    ) -> int:
        """Write the outcome of an act, once.

        Raises:
            StoreError: it cannot be written, or the act has an outcome already.
        """
        content = _Finish(outcome=outcome, summary=summary, steps=tuple(steps), after=after)
        return self._append(action, "outcome", msgspec.json.encode(content).decode())

    def get(self, action: str) -> ActionRecord:
        """One act.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self._reading() as files:
            for path in reversed(files):
                row = self._db.connect(path).execute(
                    "SELECT seq, at, content FROM rows WHERE action = ? AND kind = 'intent'", (action,)
                ).fetchone()  # fmt: skip
                if row is not None:
                    return self._join(row, self._outcomes([action]))
        raise NotFoundError(f"there is no action {action}")

    def query(
        self,
        test: Callable[[ActionRecord], bool] | None = None,
        *,
        limit: int = 200,
        before: int | None = None,
        since: float = 0.0,
    ) -> list[ActionRecord]:
        """The newest acts first: at most ``limit`` that pass the test, older than number ``before``."""
        found: list[ActionRecord] = []
        for record in self.walk(before=before):
            if record.started < since:
                break
            if test is None or test(record):
                found.append(record)
                if len(found) >= limit:
                    break
        return found

    def walk(self, *, before: int | None = None, batch: int = 500) -> Iterator[ActionRecord]:
        """All acts, newest first, read in batches."""
        top = before if before is not None else 1 << 62
        while True:
            records = self._batch(top, batch)
            yield from records
            if not records:
                return
            top = records[-1].seq

    def unfinished(self) -> list[ActionRecord]:
        """Acts without an outcome, oldest first: under way, or left by a process that died."""
        with self._reading() as files:
            rows: list[Any] = []
            for path in files:
                rows += self._db.connect(path).execute(
                    "SELECT i.seq, i.at, i.content, i.action FROM rows i LEFT JOIN rows o "
                    "ON o.action = i.action AND o.kind = 'outcome' WHERE i.kind = 'intent' AND o.seq IS NULL"
                ).fetchall()  # fmt: skip
            outcomes = self._outcomes([row[3] for row in rows])
        return [self._join(row[:3], outcomes) for row in rows if row[3] not in outcomes]

    def verify(self) -> ChainReport:
        """Check every row against the chain, oldest first."""
        with self._reading() as files:
            before, count = chain.GENESIS, 0
            for path in files:
                before, seen, broken = self._db.verify(path, before, first=path == files[0])
                count += seen
                if broken:
                    return ChainReport(ok=False, rows=count, files=len(files), head=before, broken=broken)
        return ChainReport(ok=True, rows=count, files=len(files), head=before)

    def version(self) -> tuple[int, int]:
        """Changes when a row is added by anybody: cheap to ask, to know when to read again."""
        with self._reading() as files:
            if not files:
                return (0, 0)
            row = self._db.connect(files[-1]).execute("SELECT max(seq) FROM rows").fetchone()
            return (len(files), row[0] or 0)

    def close(self) -> None:
        """Close the files."""
        with self._thread:
            self._db.close()

    def _append(self, action: str, kind: str, content: str) -> int:
        with self._thread, self._db.translated():
            self._db.prepare()
            with self._lock:
                try:
                    return self._insert(action, kind, content)
                except sqlite3.OperationalError as error:
                    if "full" not in str(error) or kind != "outcome" or not self._db.free_reserve():
                        raise
                    return self._insert(action, kind, content)

    def _insert(self, action: str, kind: str, content: str) -> int:
        key = self._db.key()
        now = self._clock()
        path = self._db.folder / time.strftime("history-%Y-%m.db", time.gmtime(now))
        files = self._db.all()
        if files and files[-1] > path:
            path = files[-1]  # the clock went back over the end of a month: the chain goes on where it is
        seq, before = self._db.head(files)
        connection = self._db.connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT 1 FROM start").fetchone() is None:
                connection.execute("INSERT INTO start (before, seq) VALUES (?, ?)", (before, seq))
            digest = chain.link(key, before, canonical(seq + 1, action, kind, now, content))
            connection.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", (seq + 1, action, kind, now, content, digest)
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return seq + 1

    @contextlib.contextmanager
    def _reading(self) -> Iterator[list[Path]]:
        with self._thread, self._db.translated():
            yield self._db.all()

    def _batch(self, top: int, size: int) -> list[ActionRecord]:
        rows: list[Any] = []
        with self._reading() as files:
            for path in reversed(files):
                rows += self._db.connect(path).execute(
                    "SELECT seq, at, content, action FROM rows WHERE kind = 'intent' AND seq < ? "
                    "ORDER BY seq DESC LIMIT ?", (top, size - len(rows)),
                ).fetchall()  # fmt: skip
                if len(rows) >= size:
                    break
            outcomes = self._outcomes([row[3] for row in rows])
        return [self._join(row[:3], outcomes) for row in rows]

    def _outcomes(self, actions: Sequence[str]) -> dict[str, tuple[float, _Finish]]:
        found: dict[str, tuple[float, _Finish]] = {}
        for path in self._db.all() if actions else ():
            connection = self._db.connect(path)
            for start in range(0, len(actions), 500):
                part = actions[start : start + 500]
                marks = ",".join("?" * len(part))
                for action, at, content in connection.execute(
                    f"SELECT action, at, content FROM rows WHERE kind = 'outcome' AND action IN ({marks})", part
                ):
                    found[action] = (at, msgspec.json.decode(content, type=_Finish))
        return found

    def _join(self, row: tuple[int, float, str], outcomes: dict[str, tuple[float, _Finish]]) -> ActionRecord:
        record = msgspec.json.decode(row[2], type=ActionRecord)
        record = msgspec.structs.replace(record, seq=row[0])
        ended = outcomes.get(record.id)
        if ended is None:
            return record
        at, finish = ended
        return msgspec.structs.replace(
            record, ended=at, outcome=finish.outcome, summary=finish.summary, steps=finish.steps, after=finish.after
        )
