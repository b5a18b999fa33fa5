"""Locks between processes: ``flock`` on files that are never removed, so they die with their holder.

The kernel queues waiters fairly; libraries that poll starve (one of four contenders got one turn in three seconds).
A blocking wait belongs into a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock on a path now. Nobody is kept out by the question for longer than it takes.

    Raises:
        StoreError: it cannot be found out.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"the lock file {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: those who ask do not disturb each other
    except BlockingIOError:
        return True
    except OSError as error:
        raise StoreError(f"{path} cannot be asked for its lock: {error.strerror}") from error
    finally:
        os.close(fd)
    return False


class FileLock:
    """An exclusive lock on a path. Not re-entrant; one object is one holder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._fd is not None

    def fileno(self) -> int:
        """The descriptor, to hand to a child: the lock then lives until the child ends too."""
        if self._fd is None:
            raise ValueError(f"the lock {self.path.name} is not held")
        return self._fd

    def acquire(self) -> None:
        """Wait for it."""
        self._take(fcntl.LOCK_EX)

    def try_acquire(self) -> bool:
        """Take it if it is free."""
        return self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Give it back. Does nothing when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take(self, how: int) -> bool:
        if self._fd is not None:
            raise ValueError(f"the lock {self.path.name} is held already")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"the lock file {self.path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(fd, how)
        except BlockingIOError:
            os.close(fd)
            return False
        except OSError as error:
            os.close(fd)
            hint = "keep the state directory on a local file system" if error.errno == errno.ENOLCK else ""
            raise StoreError(f"{self.path} cannot be locked: {error.strerror}", hint=hint) from error
        self._fd = fd
        return True

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
