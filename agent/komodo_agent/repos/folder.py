"""Where one clone is kept: its git directory, its files beside it, what is known of it, and its lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_STALE = ("index.lock", "HEAD.lock", "config.lock", "shallow.lock", "packed-refs.lock", "refs/komodo/remote.lock",
          "objects/maintenance.lock", "gc.pid")  # fmt: skip


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a clone beside git's own."""

    url: str
    branch: str = ""
    fetched: float = 0.0
    pulled: str = ""
    """The commit that was checked out last by us; another one there is somebody's own work."""
    warnings: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(Record).decode


class Folder:
    """``<state>/repos/<name>``. All of it blocks; only taking the lock is quick."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.path = root / name
        self.git_dir = self.path / "git"
        self.files = self.path / "files"
        self.new_git = self.path / "git.new"
        self.known_hosts = self.path / "known_hosts"

    def make(self) -> None:
        """Make what is missing. Raises AgentError."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.mkdir(exist_ok=True, mode=0o755)
            self.files.mkdir(exist_ok=True, mode=0o755)
        except OSError as error:
            raise AgentError("failed", f"{self.path} cannot be made: {error.strerror}") from error

    def record(self) -> Record | None:
        """What was written last; None where nothing can be read."""
        try:
            return _decode((self.path / "clone.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, record: Record) -> None:
        """Whole or not at all. Raises AgentError."""
        temporary = self.path / "clone.json.tmp"
        try:
            temporary.write_bytes(msgspec.json.encode(record))
            temporary.replace(self.path / "clone.json")
        except OSError as error:
            raise AgentError("failed", f"{self.path}/clone.json cannot be written: {error.strerror}") from error

    def trust(self, host_keys: Iterable[str]) -> None:
        """Write the host keys that ssh may trust. Raises AgentError."""
        try:
            self.known_hosts.write_text("".join(f"{line}\n" for line in host_keys))
        except OSError as error:
            raise AgentError("failed", f"{self.known_hosts} cannot be written: {error.strerror}") from error

    @contextmanager
    def locked(self) -> Iterator[int]:
        """One act at a time, across processes; gives the lock.

        git inherits the lock: it is free only when no git of an agent that was killed works on the clone any more.

        Raises:
            AgentError: another act is under way.
        """
        locks = self.root / ".locks"
        try:
            locks.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(locks / self.name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise AgentError("failed", f"the lock of {self.name} cannot be made: {error.strerror}") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AgentError(
                    "conflict", f"another act on the clone of {self.name} is under way", hint="wait for its end",
                    retryable=True,
                ) from error  # fmt: skip
            yield lock
        finally:
            os.close(lock)

    def tidy(self) -> list[str]:
        """Take away what acts that were killed have left, and name it. The lock is held, so nobody uses it."""
        found = []
        for name in _STALE:
            with suppress(OSError):
                (self.git_dir / name).unlink()
                found.append(f"git/{name}")
        if self.new_git.exists():
            shutil.rmtree(self.new_git, ignore_errors=True)
            found.append("git.new")
        old = self.path / "git.old"
        if old.exists():
            if self.git_dir.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.rename(self.git_dir)
            found.append("git.old")
        for gone in self.root.glob(f".gone-{self.name}-*"):
            shutil.rmtree(gone, ignore_errors=True)
        return found

    def drop_unfinished(self) -> None:
        """Take away what an act that failed has made; of a clone that never was, all but files.

        git leaves what it could not finish to its garbage collection, weeks later: a full disk would stay full.
        """
        shutil.rmtree(self.new_git, ignore_errors=True)
        for left in (
            *self.git_dir.glob("objects/pack/tmp_*"),
            *self.git_dir.glob("objects/[0-9a-f][0-9a-f]/tmp_obj_*"),
        ):
            with suppress(OSError):
                left.unlink()
        for left in self.git_dir.glob("objects/tmp_objdir-*"):
            shutil.rmtree(left, ignore_errors=True)
        if self.record() is None and not self.git_dir.exists():
            for name in ("clone.json.tmp", "known_hosts"):
                (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.files.rmdir()
                self.path.rmdir()

    def take_new(self) -> None:
        """Put the new git directory in the place of the old one. Raises AgentError."""
        old = self.path / "git.old"
        try:
            if self.git_dir.exists():
                self.git_dir.rename(old)
            self.new_git.rename(self.git_dir)
        except OSError as error:
            raise AgentError("failed", f"{self.git_dir} cannot be replaced: {error.strerror}") from error
        shutil.rmtree(old, ignore_errors=True)

    def lend(self) -> None:
        """Let the new git directory see the old one's commits and index, so that git knows what changes."""
        (self.new_git / "objects/info").mkdir(parents=True, exist_ok=True)
        (self.new_git / "objects/info/alternates").write_text(f"{self.git_dir / 'objects'}\n")
        shutil.copyfile(self.git_dir / "index", self.new_git / "index")

    def lent_back(self) -> None:
        """No more of that."""
        (self.new_git / "objects/info/alternates").unlink(missing_ok=True)
        shutil.rmtree(self.new_git / "logs", ignore_errors=True)

    def remove(self) -> None:
        """All of it. Raises AgentError."""
        gone = self.root / f".gone-{self.name}-{uuid.uuid4().hex[:8]}"
        try:
            self.path.rename(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise AgentError("failed", f"{error.filename or gone} cannot be removed: {error.strerror}") from error

    def outside(self, links: Iterable[str]) -> list[str]:
        """Those of these links (paths below the files) that lead out of the clone."""
        top = os.path.realpath(self.files)
        found = []
        for link in links:
            end = os.path.realpath(os.path.join(top, link))
            if end != top and not end.startswith(f"{top}/"):
                found.append(link)
        return found
