"""Where one build keeps its files: its clone, what it needs while it runs, and its lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..repos.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 5.0
"""Seconds a command that an agent left behind gets to end."""


class Place:
    """``<state>/builds/<name>``. All of it blocks."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.path = root / name
        self.work = self.path / "work"
        self.lock_path = self.path / "lock"
        self.source = Folder(self.path, "source")
        """The clone of its repository."""

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Be the one agent that builds under this name. No child inherits this: it is free once its agent is gone.

        Raises:
            AgentError: ``conflict``: another agent that lives builds it; ``failed``: the disk refuses.
        """
        with self._held(self.path / "agent"):
            yield

    @contextmanager
    def locked(self) -> Iterator[int]:
        """One build at a time under this name, across processes; gives the lock, for children to inherit.

        Raises:
            AgentError: ``conflict``: it is being built; ``failed``: the disk refuses.
        """
        with self._held(self.lock_path) as lock:
            yield lock

    @contextmanager
    def _held(self, path: Path) -> Iterator[int]:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise AgentError(
                "failed", f"{self.path} cannot be made: {error.strerror}", hint="look at the disk of the server"
            ) from error
        try:
            if not _try(lock):
                raise AgentError(
                    "conflict", f"{self.name} is being built already", hint="wait for its end, or cancel it",
                    retryable=True,
                )  # fmt: skip
            yield lock
        finally:
            os.close(lock)

    def clear(self) -> None:
        """Take away what a build needed while it ran."""
        shutil.rmtree(self.work, ignore_errors=True)

    def begin(self) -> None:
        """Make an empty folder for what a build needs. Raises AgentError."""
        self.clear()
        try:
            (self.work / "empty").mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise AgentError(
                "failed", f"{self.work} cannot be made: {error.strerror}", hint="look at the disk of the server"
            ) from error

    def is_free(self) -> bool:
        """Whether nobody holds the lock now."""
        try:
            with self.locked():
                return True
        except AgentError as error:
            return error.code != "conflict"

    def free(self) -> None:
        """End whoever holds the lock. Only inside :meth:`ours`: what holds it then is what a killed agent left."""
        for number in (signal.SIGINT, signal.SIGKILL):
            until = time.monotonic() + _PATIENCE
            while holders := self._holders():
                if time.monotonic() > until:
                    break
                for pid in holders:
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
                time.sleep(0.05)

    def _holders(self) -> list[int]:
        """The processes that hold the lock's file, but for this one."""
        found: list[int] = []
        try:
            mine, wanted = os.getpid(), os.stat(self.lock_path)
        except FileNotFoundError:
            return found
        for folder in Path("/proc").glob("[0-9]*/fd"):
            pid = int(folder.parent.name)
            if pid == mine:
                continue
            with suppress(OSError):
                if any(_is(descriptor, wanted) for descriptor in folder.iterdir()):
                    found.append(pid)
        return found


def left_behind(root: Path) -> None:
    """After the agent's start: end what an agent that was killed left running, and clear up after it. Blocks."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in list(root.iterdir()):
            if (path / "work").is_dir():
                place = Place(root, path.name)
                with suppress(AgentError), place.ours():
                    place.free()
                    with place.locked():
                        place.clear()


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is(descriptor: Path, wanted: os.stat_result) -> bool:
    try:
        found = descriptor.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
