"""Layers that have arrived, kept until the engine has them, so that a broken attempt goes on where it stopped.

One file a layer, named by its digest. A file in use bears its import's name behind: nobody else takes it, and an agent
that starts gives the names back. It is locked as well, so that those of another agent that lives are left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import re
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..held import is_held
from ..problems import AgentError

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = re.compile(r"[0-9a-f]{64}")
_IN_USE = re.compile(r"([0-9a-f]{64}|unnamed-\d+)\.([0-9a-f]{8,32})")
_LAYER = re.compile(r"sha256:([0-9a-f]{64})")
_OLDEST = 3 * 86400.0
"""Seconds after which what nobody came back for goes."""
_MOST = 20 << 30
"""Bytes kept at most between attempts; the oldest go first."""
_RESERVE = 256 << 20
"""Bytes of the disk that are left alone."""
_READ = 1 << 20


class Spool:
    """The folder. All methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> None:
        """Give back what an agent that ended had in use, and drop what is too old or too much.

        Raises:
            OSError: the folder cannot be used.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self.folder.iterdir():
            match = _IN_USE.fullmatch(path.name)
            if match and is_held(path):
                continue
            if match and _KEPT.fullmatch(match.group(1)):
                _give_back(path, self.folder / match.group(1))
            elif not _KEPT.fullmatch(path.name):
                path.unlink()
        self.prune()

    def kept(self, layers: tuple[str, ...]) -> dict[str, int]:
        """The bytes there are of these layers; those without any are left out."""
        found: dict[str, int] = {}
        for layer in layers:
            with suppress(OSError):
                size = (self.folder / digits(layer)).stat().st_size
                if size:
                    found[layer] = size
        return found

    def free(self) -> int:
        """Bytes free on its disk, less a reserve."""
        return max(0, shutil.disk_usage(self.folder).free - _RESERVE)

    def prune(self) -> None:
        """Drop what is too old or too much; what is in use stays."""
        files: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another import has ended meanwhile
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = 0
        for changed, size, path in sorted(files, reverse=True):
            total += size
            if _KEPT.fullmatch(path.name) and (total > _MOST or time.time() - changed > _OLDEST):
                path.unlink(missing_ok=True)
                total -= size

    def take(self, layer: str, name: str) -> Held:
        """Have this layer's file to oneself; ``layer`` is empty for one whose digest is not known yet."""
        kept = self.folder / digits(layer) if layer else None
        path = self.folder / f"{digits(layer) if layer else f'unnamed-{time.monotonic_ns()}'}.{name}"
        if kept is not None:
            with suppress(FileNotFoundError):
                os.replace(kept, path)
        return Held(self.folder, path, layer)


class Held:
    """One layer's file while an import has it. Blocks."""

    def __init__(self, folder: Path, path: Path, layer: str) -> None:
        self.path = path
        self.layer = layer
        self._folder = folder
        self._file = open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b", buffering=0)  # noqa: SIM115
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._lock = os.dup(self._file.fileno())
        """The same open file: locked until the import is done with it."""
        self._digest = _sha256()
        self.size = 0
        """Bytes there are."""
        while piece := self._file.read(_READ):
            self._digest.update(piece)
            self.size += len(piece)

    def write(self, piece: bytes) -> None:
        """Append.

        Raises:
            AgentError: the disk is full.
        """
        try:
            view = memoryview(piece)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise AgentError(
                "failed", f"a layer cannot be kept in {self._folder}: {error.strerror}", hint="free disk space there"
            ) from error
        self._digest.update(piece)
        self.size += len(piece)

    def digest(self) -> str:
        """Of all there is."""
        return f"sha256:{self._digest.hexdigest()}"

    def close(self) -> None:
        """No more is written; it stays in use."""
        self._file.close()

    def drop(self) -> None:
        """It is of no use (any more)."""
        self.path.unlink(missing_ok=True)
        self._let_go()

    def keep(self) -> None:
        """Leave it for the next attempt."""
        if not self.layer or not self.size:
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            _give_back(self.path, self._folder / digits(self.layer))
        self._let_go()

    def _let_go(self) -> None:
        self._file.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _sha256() -> Any:
    """OpenSSL's where there is one: seven times as fast as Python's own, which the agent has otherwise.

    It is loaded with the first image that arrives; most agents never see one, and it takes megabytes.
    """
    try:
        _hashlib = importlib.import_module("_hashlib")
    except ImportError:
        return hashlib.sha256()
    return _hashlib.openssl_sha256()


def digits(layer: str) -> str:
    """The digest's digits, safe as a file's name.

    Raises:
        AgentError: it is no digest.
    """
    match = _LAYER.fullmatch(layer)
    if match is None:
        raise AgentError("bad_request", f"{layer[:80]!r} is no layer's digest")
    return match.group(1)


def _give_back(path: Path, kept: Path) -> None:
    """Of two pieces of one layer the longer is kept."""
    if kept.exists() and kept.stat().st_size >= path.stat().st_size:
        path.unlink()
    else:
        os.replace(path, kept)
