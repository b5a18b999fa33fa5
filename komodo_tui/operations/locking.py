"""One lock for each target of an act, held by one process of all that share the state directory.

A lock is an ``flock``: it dies with its holder, however that ends. Its file is removed by the holder before the lock
is given back, so whoever gets a lock looks whether its file is still the one in the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import LockedError
from komodo_tui.domain.text import clean
from komodo_tui.store.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_NOTE = 300
"""Bytes of what a holder says of itself."""


class TargetLocks:
    """The locks of a state directory. None of its calls waits for another holder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def hold(self, names: Iterable[str], who: str = "") -> Iterator[None]:
        """Hold all of these locks, or none. ``who`` is told to those who are refused meanwhile.

        Raises:
            LockedError: somebody else holds one.
            StoreError: the folder cannot be used.
        """
        with contextlib.ExitStack() as stack:
            for name in sorted(set(names)):
                lock = self._take(name, who)
                if lock is None:
                    holder = self._holder(name)
                    raise LockedError(
                        f"another act on {_readable(name)} is under way{f': {holder}' if holder else ''}",
                        hint="wait for its end; the lock goes with the process that holds it",
                    )
                stack.callback(_give_back, lock)
            yield

    def free(self, names: Iterable[str]) -> bool:
        """Whether nobody holds any of these locks now."""
        try:
            with self.hold(names):
                return True
        except LockedError:
            return False

    def _path(self, name: str) -> Path:
        return self._folder / f"act-{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"

    def _take(self, name: str, who: str) -> FileLock | None:
        path = self._path(name)
        while True:
            lock = FileLock(path)
            if not lock.try_acquire():
                return None
            if _is_current(lock):
                with contextlib.suppress(OSError):  # a full disk: it is locked all the same
                    os.pwrite(lock.fileno(), who.encode()[:_NOTE], 0)
                return lock
            lock.release()  # its file was removed by the holder before us: take the new one

    def _holder(self, name: str) -> str:
        with contextlib.suppress(OSError), self._path(name).open("rb") as file:
            return clean(file.read(_NOTE).decode("utf-8", "replace"))
        return ""


def _is_current(lock: FileLock) -> bool:
    try:
        found = os.stat(lock.path)
    except FileNotFoundError:
        return False
    mine = os.fstat(lock.fileno())
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)


def _give_back(lock: FileLock) -> None:
    with contextlib.suppress(OSError):
        lock.path.unlink()
    lock.release()


def _readable(name: str) -> str:
    """``container web-1 4f5e…`` -> ``this container of web-1``, as people know it."""
    kind, _, rest = name.partition(" ")
    server, _, what = rest.partition(" ")
    words = {
        "container": f"this container of {server}", "image": f"this image of {server}",
        "volume": f"this volume of {server}", "network": f"this network of {server}",
        "create": f"that name on {server}", "stack": f"stack {what} of {server}",
        "build": f"the build cache of {what}" if what else f"build {rest}", "repo": f"the clone of {what} on {server}",
        "ship": f"the image on its way to {server}", "push": rest, "follow-up": "what follows this build",
        "definition": f"the {name}",
    }  # fmt: skip
    return words.get(kind, f"server {server}")
