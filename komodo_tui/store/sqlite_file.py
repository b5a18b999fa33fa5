"""A small SQLite file that several processes share: opened late, private, durable, one writer at a time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SqliteFile:
    """The base of stores that are one SQLite file. Synchronous, safe from any thread and process."""

    def __init__(self, path: Path, schema: str, what: str, *, version: int = 1) -> None:
        """``schema`` makes what is missing of this ``version``; ``what`` names the contents in errors."""
        self._path = path
        self._schema = schema
        self._what = what
        self._version = version
        self._thread = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._thread:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def _open(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """The connection, held against all others; with ``write`` in one transaction. Raises StoreError."""
        try:
            with self._thread, FileLock(self._path.with_suffix(".lock")):
                db = self._connect()
                if not write:
                    yield db
                    return
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._what} cannot be used ({self._path}): {error}") from error

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            if (
                db.execute("PRAGMA user_version").fetchone()[0] != self._version
            ):  # else it would be written at each look
                db.executescript(f"{self._schema}; PRAGMA user_version = {self._version};")
            self._connection = db
        return self._connection
