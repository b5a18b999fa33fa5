"""How full the mounted file systems are, without ever waiting for one of them.

``statvfs`` on a network mount whose server is gone does not return, and the thread that called it cannot be ended.
So each of those has a daemon thread of its own, never one of the event loop's executor, and at most one call out.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from ..wire.models import Filesystem
from .mounts import MountTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .mounts import Mount

_LIMIT = 2.0
"""Seconds after which a mount that has not answered is called stalled."""
_REMOTE_PERIOD = 10.0
"""Seconds between looks at a network mount."""

Statvfs = tuple[int, int, int]
"""Bytes: total, used, available."""


def usage(path: str) -> Statvfs:
    """Bytes in total, used, and available to users other than root, as ``df`` counts them.

    Raises:
        OSError: it cannot be looked at.
    """
    seen = os.statvfs(path)
    return (
        seen.f_blocks * seen.f_frsize,
        (seen.f_blocks - seen.f_bfree) * seen.f_frsize,
        seen.f_bavail * seen.f_frsize,
    )


class Filesystems:
    """All mounts worth showing. :meth:`read` never blocks.

    Args:
        table: what is mounted.
        look: asks one file system; may hang for those that are ``remote``.
    """

    def __init__(self, table: MountTable | None = None, look: Callable[[str], Statvfs] = usage) -> None:
        self._table = table or MountTable()
        self._look = look
        self._remote: dict[Mount, _Watched] = {}

    def read(self) -> tuple[Filesystem, ...]:
        """Local file systems as they are now, network mounts as they last answered.

        A network mount appears once it has answered or is known to be stalled; its figures are then zeros.
        """
        mounts = self._table.read()
        for gone in self._remote.keys() - set(mounts):
            self._remote.pop(gone).close()
        found = []
        for mount in mounts:
            seen = self._remote_usage(mount) if mount.remote else self._local_usage(mount)
            if seen is not None:
                found.append(_filesystem(mount, *seen))
        return tuple(found)

    def close(self) -> None:
        """Let go of the threads; one that is stuck ends when its mount answers."""
        for watched in self._remote.values():
            watched.close()
        self._remote.clear()
        self._table.close()

    def _local_usage(self, mount: Mount) -> tuple[Statvfs, None] | None:
        try:
            return self._look(mount.path), None
        except OSError:  # unmounted meanwhile, or below a folder we may not enter
            return None

    def _remote_usage(self, mount: Mount) -> tuple[Statvfs, float | None] | None:
        watched = self._remote.get(mount)
        if watched is None:
            watched = self._remote[mount] = _Watched(mount.path, self._look)
        return watched.read()


def _filesystem(mount: Mount, figures: Statvfs, stalled: float | None) -> Filesystem:
    total, used, available = figures
    return Filesystem(
        path=mount.path,
        device=mount.device,
        kind=mount.kind,
        total=total,
        used=used,
        available=available,
        stalled_since=stalled,
    )


class _Watched:
    """A network mount and the thread that looks at it."""

    def __init__(self, path: str, look: Callable[[str], Statvfs]) -> None:
        self._path = path
        self._look = look
        self._wake = threading.Event()
        self._closed = False
        self._asked: tuple[float, float] | None = None
        """Monotonic and Unix time of the call that is out."""
        self._asked_last = float("-inf")
        self._usage: Statvfs | None = None
        self._thread = threading.Thread(target=self._run, name=f"mount {path}", daemon=True)
        self._thread.start()

    def read(self) -> tuple[Statvfs, float | None] | None:
        now = time.monotonic()
        asked = self._asked
        if asked is not None:
            stalled = asked[1] if now - asked[0] >= _LIMIT else None
            if stalled is not None:
                return self._usage or (0, 0, 0), stalled
        elif now - self._asked_last >= _REMOTE_PERIOD:
            self._asked_last = now
            self._asked = (now, time.time())
            self._wake.set()
        known = self._usage
        return (known, None) if known is not None else None

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._closed:
                return
            try:
                self._usage = self._look(self._path)
            except OSError:  # ESTALE, EIO, ENOTCONN: an answer too, but not one with figures
                self._usage = None
            self._asked = None
