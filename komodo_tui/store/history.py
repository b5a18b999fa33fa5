"""The history of acts: SQLite, one file a month, append-only, every row on disk before the call returns.

An act is two rows: its intent, written before the first effect, and its outcome. Rows are never changed or deleted
(triggers refuse it) and are chained by hash. Write transactions run under a lock of our own: SQLite's busy handler let
one of four writers wait for seconds.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import NotFoundError, StoreError
from komodo_tui.domain.filters import ActionFilter
from komodo_tui.store import chain, history_index
from komodo_tui.store.history_files import HistoryFiles, Link, canonical
from komodo_tui.store.history_rows import Finish, ended, read_intent, read_outcome
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from komodo_tui.domain.operations import ActionRecord, Outcome, StepResult


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the whole chain found."""

    ok: bool
    rows: int
    files: int
    head: str
    """Hash of the newest row: copy it elsewhere to notice a rewritten history."""
    broken: str = ""
    """Where the chain first breaks, and how."""


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
        with self._writing(reserve=True):
            return self._append(intent, None)

    def finish(
        self, action: str, outcome: Outcome, steps: Sequence[StepResult] = (), *, summary: str = "", after: str = ""
    ) -> int:
        """Write the outcome of an act, once, and return the row's number.

        Raises:
            NotFoundError: there is no act of that id.
            StoreError: it cannot be written, or the act has an outcome already.
        """
        finish = Finish(outcome=outcome, summary=summary, steps=tuple(steps), after=after)
        with self._writing(reserve=False):
            record = self.get(action)
            if record.outcome is not None:
                raise StoreError(f"action {action} has an outcome already: {record.outcome}")
            try:
                return self._append(record, finish)
            except (sqlite3.OperationalError, OSError) as error:
                if not _is_full(error) or not self._db.free_reserve():
                    raise
                return self._append(record, finish)

    def get(self, action: str) -> ActionRecord:
        """One act.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self._reading() as files:
            for path in reversed(files):
                row = self._db.connect(path).execute(
                    "SELECT seq FROM rows WHERE action = ? AND kind = 'intent'", (action,)
                ).fetchone()  # fmt: skip
                if row is not None:
                    return self._records(path, [row[0]], files)[0]
        raise NotFoundError(f"there is no action {action}")

    def query(
        self,
        test: Callable[[ActionRecord], bool] | None = None,
        *,
        limit: int = 200,
        before: int | None = None,
        since: float = 0.0,
    ) -> list[ActionRecord]:
        """The newest acts first: at most ``limit`` that pass the test, older than number ``before``.

        ``since`` is Unix time of the start. An :class:`~komodo_tui.domain.filters.ActionFilter` is looked up in the
        index; any other test has to see every record.
        """
        found: list[ActionRecord] = []
        for record in self.walk(test if isinstance(test, ActionFilter) else None, before=before, page=limit):
            if record.started < since:
                break
            if test is None or test(record):
                found.append(record)
                if len(found) >= limit:
                    break
        return found

    def walk(
        self, wanted: ActionFilter | None = None, *, before: int | None = None, page: int = 500
    ) -> Iterator[ActionRecord]:
        """Acts that may pass, newest first, read in pages; between two pages others may write."""
        top, size = before if before is not None else 1 << 62, max(1, min(page, 500))
        while True:
            records = self._page(wanted, top, size)
            yield from records
            if len(records) < size:
                return
            top, size = records[-1].seq, 500

    def unfinished(self) -> list[ActionRecord]:
        """Acts without an outcome, oldest first: under way, or left by a process that died."""
        found: list[ActionRecord] = []
        with self._reading() as files:
            for path in files:
                found += self._records(path, history_index.unclosed(self._db.connect(path)), files)
        return [record for record in found if record.outcome is None]

    def verify(self) -> ChainReport:
        """Check every row against the chain, oldest first, and the end against the note kept of it."""
        with self._reading() as files:
            noted = self._db.anchored()  # before the rows: it may not be newer than they are
            link, count = Link(0, chain.GENESIS), 0
            for path in files:
                link, seen, broken = self._db.verify(path, link, first=path == files[0])
                count += seen
                if broken:
                    return ChainReport(ok=False, rows=count, files=len(files), head=link.hash, broken=broken)
            broken = self._cut_off(noted, link, files)
        return ChainReport(ok=not broken, rows=count, files=len(files), head=link.hash, broken=broken)

    def version(self) -> tuple[int, int]:
        """Changes when a row is added by anybody: cheap to ask, to know when to read again."""
        with self._reading() as files:
            return (len(files), self._db.head(files[-1:]).seq)

    def close(self) -> None:
        """Close the files."""
        with self._thread:
            self._db.close()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[list[Path]]:
        with self._thread, self._db.translated("read"):
            yield self._db.all()

    @contextlib.contextmanager
    def _writing(self, *, reserve: bool) -> Iterator[None]:
        with self._thread, self._db.translated("written"):
            self._db.prepare(reserve=reserve)
            with self._lock:
                yield

    def _append(self, record: ActionRecord, finish: Finish | None) -> int:
        """Add the row of an intent, or of an outcome; on disk when this returns."""
        key, now, files = self._db.key(), self._clock(), self._db.all()
        path = self._db.folder / time.strftime("history-%Y-%m.db", time.gmtime(now))
        if files and files[-1] > path:
            path = files[-1]  # the clock went back over the end of a month: the chain goes on where it is
        last = self._db.head(files)
        self._db.create(path)
        kind, content = ("intent", record) if finish is None else ("outcome", finish)
        text, seq = msgspec.json.encode(content).decode(), last.seq + 1
        link = Link(seq, chain.link(key, last.hash, canonical(seq, record.id, kind, now, text)))
        connection = self._db.connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT 1 FROM start").fetchone() is None:
                connection.execute("INSERT INTO start VALUES (?, ?)", last)
            row = (seq, record.id, kind, now, text, link.hash)
            connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", row)
            if finish is None:
                history_index.add(connection, seq, record)
            else:
                history_index.close(connection, record.seq, ended(record, now, finish))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
                connection.execute("ROLLBACK")
            raise
        with contextlib.suppress(OSError):  # the row is there: a missing note is no reason to say otherwise
            self._db.anchor(link)
        return seq

    def _page(self, wanted: ActionFilter | None, top: int, size: int) -> list[ActionRecord]:
        found: list[ActionRecord] = []
        with self._reading() as files:
            for path in reversed(files):
                numbers = history_index.search(self._db.connect(path), wanted, top, size - len(found))
                found += self._records(path, numbers, files)
                if len(found) >= size:
                    break
        return found

    def _records(self, path: Path, numbers: Sequence[int], files: Sequence[Path]) -> list[ActionRecord]:
        """The acts whose intents stand in this file under these numbers, in that order."""
        intents: dict[int, ActionRecord] = {}
        connection = self._db.connect(path)
        for part in _parts(numbers):
            marks = ",".join("?" * len(part))
            for seq, action, at, content in connection.execute(
                f"SELECT seq, action, at, content FROM rows WHERE kind = 'intent' AND seq IN ({marks})", part
            ):
                intents[seq] = read_intent(seq, action, at, content)
        open_ = {record.id: record for record in intents.values()}
        for later in files[files.index(path) :]:
            if not open_:
                break
            for action, at, finish in self._outcomes(later, list(open_)):
                record = open_.pop(action)
                intents[record.seq] = ended(record, at, finish)
        return [intents[seq] for seq in numbers if seq in intents]

    def _outcomes(self, path: Path, actions: Sequence[str]) -> Iterator[tuple[str, float, Finish]]:
        connection = self._db.connect(path)
        for part in _parts(actions):
            marks = ",".join("?" * len(part))
            for action, at, content in connection.execute(
                f"SELECT action, at, content FROM rows WHERE kind = 'outcome' AND action IN ({marks})", part
            ):
                yield action, at, read_outcome(content)

    def _cut_off(self, noted: Link | None, last: Link, files: Sequence[Path]) -> str:
        """What is wrong with the end of the chain, by the note of its newest row; empty when nothing is."""
        if noted is None or not noted.seq:
            return ""
        if noted.seq > last.seq:
            return f"rows {last.seq + 1} to {noted.seq} are missing at the end"
        for path in files:
            row = self._db.connect(path).execute("SELECT hash FROM rows WHERE seq = ?", (noted.seq,)).fetchone()
            if row is not None and row[0] != noted.hash:
                return f"{path.name}: row {noted.seq} is not the one that was noted when it was written"
        return ""


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + 500] for start in range(0, len(values), 500))


def _is_full(error: sqlite3.OperationalError | OSError) -> bool:
    """Whether it is want of space; SQLite reports that as an I/O error in some places."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
