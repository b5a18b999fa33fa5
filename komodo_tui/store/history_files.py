"""The files of the history: one SQLite database a month, opened safely, checked row by row."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import StoreError
from komodo_tui.store import chain, history_index
from komodo_tui.store.atomic import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RESERVE = 8 << 20
"""Bytes kept aside, given free when the disk is full, so that outcomes of acts under way can still be written."""

SCHEMA = 1
"""In ``PRAGMA user_version`` of each file."""
_TABLES = """
CREATE TABLE rows (
  seq INTEGER PRIMARY KEY, action TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('intent', 'outcome')),
  at REAL NOT NULL, content TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE (action, kind));
CREATE TABLE start (seq INTEGER NOT NULL, before TEXT NOT NULL);
CREATE TRIGGER rows_no_update BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER rows_no_delete BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER start_no_update BEFORE UPDATE ON start BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER start_no_delete BEFORE DELETE ON start BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "afs", "ceph"})
"""File systems whose locks cannot be relied on, by SQLite least of all."""


class Link(NamedTuple):
    """A row's place in the chain."""

    seq: int
    hash: str


class HistoryFiles:
    """The folder of the history. Not locked: its user serialises threads and writers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connections: dict[str, sqlite3.Connection] = {}
        self._key: bytes | None = None
        self._checked = False

    def all(self) -> list[Path]:
        """The files there are, oldest first."""
        return sorted(self.folder.glob("history-*.db"))

    def connect(self, path: Path) -> sqlite3.Connection:
        """The connection to a file there is."""
        connection = self._connections.get(path.name)
        if connection is None:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=30,
            )
            try:
                connection.execute("PRAGMA synchronous=FULL")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > SCHEMA:
                    raise StoreError(
                        f"{path} was written by a newer komodo-tui (schema {version})",
                        hint="update komodo-tui on this machine; nothing was changed",
                    )
            except BaseException:
                connection.close()
                raise
            self._connections[path.name] = connection
        return connection

    def create(self, path: Path) -> None:
        """Make a file, unless it is there; hold the history's lock. Nobody ever sees it half made."""
        if path.exists():
            return
        new = self.folder / "new.db"
        for stray in (new, self.folder / "new.db-wal", self.folder / "new.db-shm"):
            stray.unlink(missing_ok=True)
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(f"{_TABLES} {history_index.SCHEMA} PRAGMA user_version = {SCHEMA};")
        os.replace(new, path)
        sync_folder(self.folder)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def key(self) -> bytes:
        """The key of the chain; made before the first file, and never again."""
        if self._key is None:
            self._key = chain.load_key(self.folder / "key", create=not self.all())
        return self._key

    def head(self, files: Sequence[Path]) -> Link:
        """The newest row; number 0 and the genesis hash before there is one."""
        for path in reversed(files):
            connection = self.connect(path)
            row = connection.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
            if row is None:
                row = connection.execute("SELECT seq, before FROM start").fetchone()
            if row is not None:
                return Link(*row)
        return Link(0, chain.GENESIS)

    def prepare(self, *, reserve: bool) -> None:
        """Make the folder ready for a row.

        With ``reserve``, room has to be kept for the rows that will have to follow: where 8 MiB are not to be had,
        nothing new begins.

        Raises:
            StoreError: it is on a network file system, or there is no room.
        """
        if not self._checked:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            kind = file_system(self.folder)
            if kind in _NETWORK:
                raise StoreError(
                    f"the history cannot be written on a network file system ({kind} at {self.folder})",
                    hint="choose a local folder with --home or $KOMODO_TUI_HOME",
                )
            self._checked = True
        path = self.folder / "reserve"
        if reserve and not path.exists():
            _reserve(path)

    def free_reserve(self) -> bool:
        """Give the reserve back to the file system; False when it is gone already."""
        try:
            (self.folder / "reserve").unlink()
        except OSError:
            return False
        return True

    def verify(self, path: Path, link: Link, *, first: bool) -> tuple[Link, int, str]:
        """Check one file that should go on from ``link``: its last link, its rows, and where it breaks."""
        connection = self.connect(path)
        start = connection.execute("SELECT seq, before FROM start").fetchone()
        if start is None:
            return link, 0, ""  # made, and its first row never written
        if first:
            link = Link(*start)  # older files may have been dropped on purpose: the chain begins here
        elif Link(*start) != link:
            return link, 0, f"{path.name} does not go on where the file before it ends (row {link.seq})"
        count = 0
        rows = connection.execute("SELECT seq, action, kind, at, content, hash FROM rows ORDER BY seq")
        for number, action, kind, at, content, digest in rows:
            if number != link.seq + 1:
                return link, count, f"{path.name}: row {link.seq + 1} is missing"
            if chain.link(self.key(), link.hash, canonical(number, action, kind, at, content)) != digest:
                return link, count, f"{path.name}: row {number} is not what was written ({kind} of {action})"
            link, count = Link(number, digest), count + 1
        return link, count, ""

    def anchor(self, link: Link) -> None:
        """Note the newest row beside the files, so that a chain cut off at its end is noticed. Hold the lock.

        Not synced: after a power cut it may be older than the chain, never newer.
        """
        fd = os.open(self.folder / "head", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, f"{link.seq:020d} {link.hash}\n".encode(), 0)
        finally:
            os.close(fd)

    def anchored(self) -> Link | None:
        """The row noted last; None where there is no note that can be read."""
        try:
            seq, digest = (self.folder / "head").read_text("ascii").split()
            return Link(int(seq), digest)
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """Turn what SQLite and the system raise into a StoreError; ``doing`` is ``read`` or ``written``."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise _unusable(self.folder, doing, str(error)) from error
        except sqlite3.IntegrityError as error:
            raise StoreError(f"the history refuses the row: {error}") from error
        except sqlite3.Error as error:
            raise StoreError(
                f"the history cannot be {doing}: a file in {self.folder} is damaged ({error})",
                hint="move the newest history-*.db away with its -wal and -shm; a check of the chain tells of the gap",
            ) from error
        except OSError as error:
            raise _unusable(self.folder, doing, error.strerror or str(error)) from error


def _unusable(folder: Path, doing: str, why: str) -> StoreError:
    return StoreError(
        f"the history cannot be {doing} in {folder}: {why}",
        hint="free space or mend the folder; until then nothing is changed on any server",
    )


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
