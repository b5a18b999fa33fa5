"""The journals of procedure runs: SQLite, one file a month, append-only, each entry on disk before the call returns.

A journal has one writer: the process that holds the lock of its run. Anybody may read it meanwhile. What a run did to
servers stands in the history, whose chain notices changes; a journal tells how the recipe went.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import NotFoundError, RefusedError, StoreError
from komodo_tui.domain.procedures.journal import Answer, Entry, RunEnded, RunStarted, RunSummary, decoder
from komodo_tui.store.locks import FileLock
from komodo_tui.store.run_rows import SCHEMA, SHORTEST, SUMMARY, VERSION, summary_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class RunStore:
    """All runs of a state directory. Synchronous, safe from any thread and process."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clock = clock
        self._thread = threading.RLock()
        self._connections: dict[str, sqlite3.Connection] = {}

    def lock(self, run: str) -> FileLock:
        """The lock that the process of a run holds while it lives."""
        return FileLock(self.folder / f"{run}.lock")

    def alive(self, run: str) -> bool:
        """Whether a process works on a run. Its lock's file goes with it."""
        lock = self.lock(run)
        if not lock.path.exists():
            return False
        if not lock.try_acquire():
            return True
        lock.path.unlink(missing_ok=True)
        lock.release()
        return False

    def begin(self, entry: RunStarted) -> None:
        """Write the first entry of a run: an id begins once, whoever tries to begin it again.

        Raises:
            RefusedError: a run of this id has begun.
            StoreError: it cannot be written.
        """
        now = self._clock()
        path = self.folder / time.strftime("runs-%Y-%m.db", time.gmtime(now))
        with self._writing(path) as connection:
            for each in {path, *self._files()[-2:]}:  # it may have begun before midnight of the month's last day
                if self._connect(each).execute("SELECT 1 FROM runs WHERE run = ?", (entry.run,)).fetchone():
                    raise RefusedError(f"run {entry.run} has begun already")
            parameters = msgspec.json.encode(entry.parameters).decode()
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                (entry.run, entry.procedure, now, str(entry.actor), parameters),
            )
            connection.execute("INSERT INTO entries VALUES (?, 1, ?, ?)", (entry.run, now, text_of(entry)))

    def append(self, run: str, *entries: Entry) -> None:
        """Write the next entries of a run, all or none.

        Raises:
            NotFoundError: there is no such run.
            StoreError: it cannot be written, or the run has ended.
        """
        now = self._clock()
        with self._writing(self._file_of(run)) as connection:
            if connection.execute("SELECT 1 FROM ends WHERE run = ?", (run,)).fetchone() is not None:
                raise StoreError(f"run {run} has ended already")
            (last,) = connection.execute("SELECT max(seq) FROM entries WHERE run = ?", (run,)).fetchone()
            connection.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?)",
                [(run, last + number, now, text_of(entry)) for number, entry in enumerate(entries, 1)],
            )
            for entry in entries:
                if isinstance(entry, RunEnded):
                    connection.execute("INSERT INTO ends VALUES (?, ?, ?, ?)", (run, now, entry.outcome, entry.summary))

    def answer(self, run: str, answer: Answer) -> None:
        """Keep what a person said to a step that asks.

        Raises:
            NotFoundError: there is no such run.
            RefusedError: somebody was faster, or the run has ended.
        """
        with self._writing(self._file_of(run)) as connection:
            if connection.execute("SELECT 1 FROM ends WHERE run = ?", (run,)).fetchone() is not None:
                raise RefusedError(f"run {run} has ended already")
            place = (run, answer.stage, answer.step)
            known = connection.execute(
                "SELECT who FROM answers WHERE run = ? AND stage = ? AND step = ?", place
            ).fetchone()
            if known is not None:
                raise RefusedError(f"{known[0]} has answered already")
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*place, answer.at, answer.yes, answer.who, answer.note),
            )

    def answered(self, run: str, stage: int, step: int) -> Answer | None:
        """What was said to this step; None while nobody has. Raises NotFoundError."""
        with self._reading(self._file_of(run)) as connection:
            row = connection.execute(
                "SELECT yes, who, at, note FROM answers WHERE run = ? AND stage = ? AND step = ?", (run, stage, step)
            ).fetchone()
        if row is None:
            return None
        return Answer(stage=stage, step=step, yes=bool(row[0]), who=row[1], at=row[2], note=row[3])

    def entries(self, run: str, after: int = 0) -> list[tuple[int, float, Entry]]:
        """(number, Unix time, entry) of a run, those after a number.

        Raises:
            NotFoundError: there is no such run.
            StoreError: an entry cannot be read.
        """
        with self._reading(self._file_of(run)) as connection:
            rows = connection.execute(
                "SELECT seq, at, content FROM entries WHERE run = ? AND seq > ? ORDER BY seq", (run, after)
            ).fetchall()
        try:
            return [(seq, at, decoder.decode(content)) for seq, at, content in rows]
        except msgspec.DecodeError as error:
            raise StoreError(f"the journal of run {run} cannot be read: {error}") from error

    def runs(self, procedure: str = "", limit: int = 50) -> list[RunSummary]:
        """The newest runs first, of one procedure or of all."""
        found: list[RunSummary] = []
        for path in reversed(self._files()):
            with self._reading(path) as connection:
                rows = connection.execute(
                    f"{SUMMARY} WHERE ? IN ('', procedure) ORDER BY started DESC LIMIT ?",
                    (procedure, limit - len(found)),
                ).fetchall()
            found += [summary_of(*row) for row in rows]
            if len(found) >= limit:
                break
        return found

    def get(self, run: str) -> RunSummary:
        """One run; the start of its id will do where only one begins so.

        Raises:
            NotFoundError: none, or several.
        """
        pattern = run.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found: list[RunSummary] = []
        for path in reversed(self._files()):
            with self._reading(path) as connection:
                rows = connection.execute(f"{SUMMARY} WHERE runs.run LIKE ? ESCAPE '\\' {SHORTEST}", (pattern,))
                found += [summary_of(*row) for row in rows]
        exact = [one for one in found if one.run == run]
        if exact:
            return exact[0]
        outer = [one for one in found if "." not in one.run]
        found = outer or found
        if len(found) != 1 or not run:
            what = "no run" if not found else "more than one run"
            raise NotFoundError(f"{what} begins with {run!r}", hint="komodo-tui procedure runs lists them")
        return found[0]

    def within(self, run: str) -> list[str]:
        """The ids of the runs that are steps of a run."""
        with self._reading(self._file_of(run)) as connection:
            rows = connection.execute(
                "SELECT run FROM runs WHERE run >= ? AND run < ? ORDER BY run", (f"{run}.", f"{run}/")
            ).fetchall()
        return [row[0] for row in rows]

    def last_good(self, procedure: str, before: float) -> RunSummary | None:
        """The newest run that ended well and began before this Unix time; None where there is none."""
        for path in reversed(self._files()):
            with self._reading(path) as connection:
                row = connection.execute(
                    f"{SUMMARY} WHERE procedure = ? AND outcome = 'success' AND started < ? "
                    "AND runs.run NOT LIKE '%.%' ORDER BY started DESC LIMIT 1",
                    (procedure, before),
                ).fetchone()
            if row is not None:
                return summary_of(*row)
        return None

    def close(self) -> None:
        """Close the files."""
        with self._thread:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("runs-*.db"))

    def _file_of(self, run: str) -> Path:
        for path in reversed(self._files()):
            with self._reading(path) as connection:
                if connection.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone() is not None:
                    return path
        raise NotFoundError(f"there is no run {run}", hint="komodo-tui procedure runs lists them")

    @contextlib.contextmanager
    def _writing(self, path: Path) -> Iterator[sqlite3.Connection]:
        with self._thread, self._translated("written"), FileLock(self.folder / "lock"):
            connection = self._connect(path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[sqlite3.Connection]:
        with self._thread, self._translated("read"):
            yield self._connect(path)

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = self._connections.get(path.name)
        if connection is not None:
            return connection
        new = not path.exists()
        if new:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise StoreError(
                    f"{path} was written by a newer komodo-tui (schema {version})", hint="update komodo-tui here"
                )
            if version < VERSION:  # what is there already is left as it is
                connection.execute("PRAGMA journal_mode=WAL")
                connection.executescript(SCHEMA)
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        self._connections[path.name] = connection
        return connection

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"the journal of runs cannot be {doing} in {self.folder}: {error}", hint="free space or mend the folder"
            ) from error
