"""The agent's Unix socket: bound with the right mode, never taken from a live agent. Standard library only."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BACKLOG = 256
_FIRST_PASSED_FD = 3


class ListenError(Exception):
    """The socket cannot be had; the message says why and what to do."""


class AlreadyRunningError(ListenError):
    """Another agent listens there."""


class Listener:
    """A bound, listening socket and the lock that says it is ours."""

    def __init__(self, sock: socket.socket, path: Path | None, lock_fd: int | None) -> None:
        self.socket = sock
        self._path = path
        self._lock_fd = lock_fd

    def close(self) -> None:
        """Stop listening and remove the socket; one that was passed in stays its owner's."""
        self.socket.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def listen(path: Path, *, group: int | None = None) -> Listener:
    """Bind ``path`` and listen: folder 0750 (0700 without ``group`` or root), socket 0660 (0600).

    A socket passed by systemd (``LISTEN_FDS``) is used as it is. A socket nobody listens on is replaced.

    Raises:
        AlreadyRunningError: an agent (or another program) listens there.
        ListenError: the path cannot be used.
    """
    passed = _passed_socket()
    if passed is not None:
        return Listener(passed, None, None)
    shared = group is not None or os.geteuid() == 0
    try:
        _make_folder(path.parent, 0o750 if shared else 0o700, group)
        lock_fd = _lock(path)
    except OSError as error:
        raise ListenError(f"cannot use {path}: {error.strerror}") from error
    try:
        _remove_stale(path)
        return Listener(_bind(path, 0o660 if shared else 0o600, group), path, lock_fd)
    except OSError as error:
        os.close(lock_fd)
        raise ListenError(f"cannot listen on {path}: {error.strerror or error}") from error
    except ListenError:
        os.close(lock_fd)
        raise


def _passed_socket() -> socket.socket | None:
    """The socket systemd opened for us, taken over once."""
    count, pid = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit() or int(count) < 1:
        return None
    sock = socket.socket(fileno=_FIRST_PASSED_FD)
    if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
        raise ListenError("the socket passed by systemd is no Unix stream socket; use ListenStream=/path")
    sock.setblocking(False)
    os.set_inheritable(_FIRST_PASSED_FD, False)
    return sock


def _make_folder(folder: Path, mode: int, group: int | None) -> None:
    """Create the folder with its mode; one that exists keeps the mode its owner gave it."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=mode)
        folder.chmod(mode)  # mkdir's mode passes through the umask
        if group is not None:
            os.chown(folder, -1, group)


def _lock(path: Path) -> int:
    """Hold the lock file beside the socket for the life of this process."""
    fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise AlreadyRunningError(f"an agent already listens on {path}") from None
    return fd


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is no socket; remove it or choose another --socket")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise ListenError(f"cannot tell who listens on {path}: {error.strerror or error}") from error
    raise AlreadyRunningError(f"another program listens on {path}")


def _bind(path: Path, mode: int, group: int | None) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    umask = os.umask(0o777 & ~mode)  # the socket must never be wider than it will be, not even for a moment
    try:
        sock.bind(str(path))
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(umask)
    if group is not None:
        os.chown(path, -1, group)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return sock
