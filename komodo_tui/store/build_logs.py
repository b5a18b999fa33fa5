"""The whole output of builds, one packed file each: agents forget their jobs, and the history keeps the end alone."""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError
from komodo_tui.store.atomic import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 100
"""Logs of each build."""
LONGEST = 32 << 20
"""Bytes of one that are read again."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class BuildLogs:
    """``<state>/build-logs/NAME/ACT.log.gz``. Blocks."""

    def __init__(self, root: Path) -> None:
        """``root``: of the state."""
        self._root = root / "build-logs"

    def write(self, name: str, act: str, log: bytes) -> None:
        """Keep one, and forget the oldest of many. Raises StoreError."""
        path = self._path(name, act)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(path, gzip.compress(log, 6))
            kept = sorted(path.parent.glob("*.log.gz"), key=lambda one: one.stat().st_mtime, reverse=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error
        for old in kept[KEPT:]:
            with suppress(OSError):
                old.unlink()

    def read(self, name: str, act: str) -> bytes | None:
        """One; None where it is not kept. Raises StoreError."""
        path = self._path(name, act)
        try:
            with gzip.open(path) as file:
                return file.read(LONGEST)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, zlib.error) as error:
            hint = "remove it: the history keeps the end of the output"
            raise StoreError(f"{path} cannot be read: {error}", hint=hint) from error

    def _path(self, name: str, act: str) -> Path:
        if not _WORD.fullmatch(name) or not _WORD.fullmatch(act):
            raise StoreError(f"there is no log of {name[:60]!r} {act[:60]!r}")
        return self._root / name / f"{act}.log.gz"
