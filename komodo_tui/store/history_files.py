"""The files of the history: one SQLite database a month, opened safely, checked row by row."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError
from komodo_tui.store import chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RESERVE = 8 << 20
"""Bytes kept aside, given free when the disk is full, so that outcomes of acts under way can still be written."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
  seq INTEGER PRIMARY KEY, action TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('intent', 'outcome')),
  at REAL NOT NULL, content TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE (action, kind));
CREATE TABLE IF NOT EXISTS start (before TEXT NOT NULL, seq INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS rows_kind ON rows (kind, seq);
CREATE TRIGGER IF NOT EXISTS rows_no_update BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS rows_no_delete BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS start_no_update BEFORE UPDATE ON start BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS start_no_delete BEFORE DELETE ON start BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "afs", "ceph"})
"""File systems whose locks cannot be relied on, by SQLite least of all."""


class HistoryFiles:
    """The folder of the history. Not locked: its user serialises threads and writers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connections: dict[str, sqlite3.Connection] = {}
        self._key: bytes | None = None

    def all(self) -> list[Path]:
        """The files there are, oldest first."""
        return sorted(self.folder.glob("history-*.db"))

    def connect(self, path: Path) -> sqlite3.Connection:
        """The connection to a file; it is made, 0600, if it is not there."""
        connection = self._connections.get(path.name)
        if connection is None:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(_SCHEMA)
            self._connections[path.name] = connection
        return connection

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def key(self) -> bytes:
        """The key of the chain."""
        if self._key is None:
            self._key = chain.load_key(self.folder / "key")
        return self._key

    def head(self, files: Sequence[Path]) -> tuple[int, str]:
        """Number and hash of the newest row; 0 and the genesis hash before there is one."""
        for path in reversed(files):
            connection = self.connect(path)
            row = connection.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
            if row is None:
                row = connection.execute("SELECT seq, before FROM start").fetchone()
            if row is not None:
                return int(row[0]), str(row[1])
        return 0, chain.GENESIS

    def prepare(self) -> None:
        """Make the folder and the reserve.

        Raises:
            StoreError: it is on a network file system.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kind = file_system(self.folder)
        if kind in _NETWORK:
            raise StoreError(
                f"the history cannot live on a network file system ({kind} at {self.folder})",
                hint="choose a local folder with --home or $KOMODO_TUI_HOME",
            )
        reserve = self.folder / "reserve"
        if not reserve.exists():
            with contextlib.suppress(OSError):  # without room for it we do without
                _reserve(reserve)

    def free_reserve(self) -> bool:
        """Give the reserve back to the file system; False when it is gone already."""
        try:
            (self.folder / "reserve").unlink()
        except OSError:
            return False
        return True

    def verify(self, path: Path, before: str, *, first: bool) -> tuple[str, int, str]:
        """Check one file that should go on from hash ``before``: its last hash, its rows, and where it breaks."""
        connection = self.connect(path)
        start = connection.execute("SELECT before, seq FROM start").fetchone()
        rows = connection.execute("SELECT seq, action, kind, at, content, hash FROM rows ORDER BY seq").fetchall()
        if start is None:
            return before, 0, f"{path.name} has rows and no start" if rows else ""
        if first:
            before = start[0]  # older files may have been dropped on purpose: the chain begins here
        elif start[0] != before:
            return before, 0, f"{path.name} does not go on where the file before it ends"
        seq, count = start[1], 0
        for number, action, kind, at, content, digest in rows:
            if number != seq + 1:
                return before, count, f"{path.name}: row {seq + 1} is missing"
            if chain.link(self.key(), before, canonical(number, action, kind, at, content)) != digest:
                return before, count, f"{path.name}: row {number} is not what was written ({kind} of {action})"
            before, seq, count = digest, number, count + 1
        return before, count, ""

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what SQLite and the system raise into a StoreError."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise StoreError(f"the history refuses the row: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"the history in {self.folder} cannot be used: {error}",
                hint="free space or mend the folder; until then nothing is changed on any server",
            ) from error


def canonical(seq: int, action: str, kind: str, at: float, content: str) -> str:
    """What the hash of a row covers."""
    return f"{seq}\n{action}\n{kind}\n{at!r}\n{content}"


def file_system(folder: Path) -> str:
    """The kind of file system a folder is on, as the kernel names it; empty where that cannot be known."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ""
    real = os.path.realpath(folder) + "/"
    best, kind = "", ""
    for fields in lines:
        point = fields[4].replace("\\040", " ").rstrip("/") + "/"
        if real.startswith(point) and len(point) >= len(best):
            best, kind = point, fields[fields.index("-") + 1]
    return kind


def _reserve(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, RESERVE)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(fd)
