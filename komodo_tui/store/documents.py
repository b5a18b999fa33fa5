"""TinyDB made safe for several processes: a storage that locks and replaces, and a table that locks around each change.

The stock storage writes in place, so a crash leaves half a file and two writers destroy it within milliseconds. The
stock table reads and writes in two steps, remembers the next id and caches queries; each of these loses or hides
another process's change. A storage alone cannot cure that, hence both classes.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from tinydb.storages import Storage
from tinydb.table import Table

from komodo_tui.domain.errors import StoreError
from komodo_tui.store.atomic import sweep, write_atomic
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Tables = dict[str, dict[str, Any]]
VERSIONS = 5
"""How many earlier versions are kept beside the file, ``.1`` the newest."""
LIMIT = 8 << 20
"""The largest file that is read, in bytes; definitions of five thousand servers are a quarter of it."""


class LockedStorage(Storage):
    """One JSON file, replaced whole under a lock, with a ring of earlier versions to fall back on."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.notices: list[str] = []
        """What was found damaged and how it was mended, for a person to read."""
        self._thread = threading.RLock()
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._kept: int | None = None
        self._tables: Tables = {}

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the file, against other threads and other processes; may be nested."""
        with self._thread:
            if self._lock.held:
                yield
                return
            with self._lock:
                sweep(self.path)
                yield

    def read(self) -> Tables:
        """The file's tables. The answer is shared: do not change it.

        Raises:
            StoreError: it cannot be read, and no earlier version can either.
        """
        with self._thread:
            if not self._is_current():
                self._load()
            return self._tables

    def read_copy(self) -> Tables:
        """The file's tables, to change and write back while :meth:`exclusive` is held."""
        return {name: dict(table) for name, table in self.read().items()}

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the file. Hold :meth:`exclusive` from the read before to here."""
        with self.exclusive():
            content = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode()
            self._keep_version()
            write_atomic(self.path, content + b"\n")

    def close(self) -> None:
        """Give the descriptor back."""
        with self._thread:
            self._forget()

    def _is_current(self) -> bool:
        """Whether the version read last is the one on disk.

        The open descriptor keeps its inode from being used again, so an equal number means the same file; times
        do not tell: half of five thousand replacements shared theirs with the one before.
        """
        if self._kept is None:
            return False
        try:
            kept, now = os.fstat(self._kept), os.stat(self.path)
        except OSError:
            return False
        return (kept.st_ino, kept.st_dev, kept.st_size, kept.st_mtime_ns) == (
            now.st_ino, now.st_dev, now.st_size, now.st_mtime_ns,
        )  # fmt: skip

    def _load(self) -> None:
        try:
            self._open()
        except FileNotFoundError:
            self._forget()
            if self.path.with_name(f"{self.path.name}.1").exists():
                self._rescue("is gone")
        except ValueError as error:
            self._rescue(f"cannot be read ({error})")
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}") from error

    def _open(self) -> None:
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            tables = parse_tables(_read_all(fd))
        except BaseException:
            os.close(fd)
            raise
        self._forget()
        self._kept, self._tables = fd, tables

    def _forget(self) -> None:
        if self._kept is not None:
            os.close(self._kept)
        self._kept, self._tables = None, {}

    def _rescue(self, why: str) -> None:
        """Set the damaged file aside and bring back the newest version that is whole."""
        with self.exclusive():
            with contextlib.suppress(FileNotFoundError, ValueError):
                self._open()  # another process was quicker
                return
            aside = self.path.with_name(f"{self.path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}")
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.path, aside)
            for number in range(1, VERSIONS + 1):
                version = self.path.with_name(f"{self.path.name}.{number}")
                with contextlib.suppress(OSError, ValueError):
                    content = version.read_bytes()
                    parse_tables(content)
                    write_atomic(self.path, content)
                    self._open()
                    self.notices.append(f"{self.path} {why}; version {number} before it was restored, see {aside.name}")
                    return
            self._forget()
            self.notices.append(f"{self.path} {why} and there is no earlier version; it was kept as {aside.name}")

    def _keep_version(self) -> None:
        """Shift the ring and link today's file in; a link costs microseconds, a copy would cost a write."""
        if not self.path.exists():
            return
        for number in range(VERSIONS, 1, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.path}.{number - 1}", f"{self.path}.{number}")
        try:
            os.link(self.path, f"{self.path}.1")
        except OSError as error:
            raise StoreError(f"{self.path}.1 cannot be written: {error.strerror}") from error


def parse_tables(content: bytes) -> Tables:
    """Read the file's bytes. Raises ValueError when they are not whole tables."""
    try:
        tables = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError("not a map of tables")
    return tables


def _read_all(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as file:
        content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise ValueError(f"larger than {LIMIT >> 20} MiB")
    return content


class LockedTable(Table):
    """A table whose documents have names for ids, and whose every change is one locked read-modify-write."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB's stubs say int; any hashable works
    default_query_cache_capacity = 0

    def _update_table(self, updater: Callable[[dict[Any, Mapping[str, Any]]], None]) -> None:
        storage = self._storage
        if not isinstance(storage, LockedStorage):
            raise TypeError("LockedTable needs a LockedStorage")
        with storage.exclusive():
            tables = storage.read_copy()
            table: dict[Any, Mapping[str, Any]] = dict(tables.get(self.name, {}))
            updater(table)
            storage.write({**tables, self.name: table})

    def _get_next_id(self) -> int:
        raise TypeError("documents are inserted under their name")
