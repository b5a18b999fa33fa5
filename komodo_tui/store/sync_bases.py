"""What each sync has brought, and how its last look went: a file a sync, replaced as a whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import StoreError
from komodo_tui.domain.syncs import SyncBase
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_decode = msgspec.json.Decoder(SyncBase).decode


class SyncBases:
    """The folder ``syncs`` of the state directory. Every call blocks, and is safe from any process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, sync: str) -> SyncBase:
        """What is known of it; nothing while it was never looked at.

        Raises:
            StoreError: the file is damaged or cannot be read. It is never taken for an empty one: what a sync does not
                know to have brought, it would not delete, but it would overwrite what was changed here.
        """
        try:
            return _decode(self._path(sync).read_bytes())
        except FileNotFoundError:
            return SyncBase()
        except OSError as error:
            raise StoreError(f"{self._path(sync)} cannot be read: {error.strerror}") from error
        except (msgspec.DecodeError, ValueError) as error:
            raise StoreError(
                f"{self._path(sync)} is damaged: {error}",
                hint="remove it: the next apply then shows every difference as a change of the files",
            ) from error

    def shown(self, sync: str) -> SyncBase:
        """The same for lists and alerts: what is damaged is the problem of this one alone."""
        try:
            return self.read(sync)
        except StoreError as error:
            return SyncBase(looked=time.time(), problem=str(error))

    def update(self, sync: str, change: Callable[[SyncBase], SyncBase]) -> SyncBase:
        """Make something else of what is known now, and return it. Nobody else writes meanwhile. Raises StoreError."""
        with FileLock(self._folder / "lock"):
            base = self.read(sync)
            changed = change(base)
            if changed != base:
                self.write(sync, changed)
        return changed

    def write(self, sync: str, base: SyncBase) -> None:
        """Replace it, whatever it is. Raises StoreError."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be made: {error.strerror}") from error
        write_atomic(self._path(sync), msgspec.json.encode(base))

    def lock(self, sync: str) -> FileLock:
        """Held by whoever applies it."""
        return FileLock(self._folder / f"{sync}.lock")

    def _path(self, sync: str) -> Path:
        return self._folder / f"{sync}.json"
