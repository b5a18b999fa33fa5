"""One thread that notices growth and rotation of the log files that are followed.

A thread, not a task: rotation does not wait while the event loop is busy. It opens the new files at once, so that a
reader who comes later still finds the ones that were deleted meanwhile.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .log_files import LogFiles

_ROTATING, _BUSY, _QUIET = 0.003, 0.01, 0.04
"""Seconds between looks while some log rotates, while some grows, and while none does."""
_FOR = 0.5


class LogWatcher:
    """Watches any number of logs while there are any; the thread lives no longer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[LogFiles, Callable[[], object]] = {}
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, files: LogFiles, wake: Callable[[], object]) -> None:
        """Watch a log. ``wake`` is called in the watcher's thread whenever there is news; it must be quick."""
        with self._lock:
            self._watched[files] = wake
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log watcher", daemon=True)
                self._thread.start()

    def remove(self, files: LogFiles) -> None:
        """Stop watching. Does not return while this log is being looked at, so its files can be closed after."""
        with self._lock:
            self._watched.pop(files, None)
        self._changed.set()

    def _run(self) -> None:
        busy = rotated = float("-inf")
        while True:
            with self._lock:
                if not self._watched:
                    self._thread = None
                    return
                now = time.monotonic()
                for files, wake in self._watched.items():
                    if files.scan():
                        busy = now
                        rotated = max(rotated, files.rotated)
                        wake()
            self._changed.wait(_ROTATING if now - rotated < _FOR else _BUSY if now - busy < _FOR else _QUIET)
            self._changed.clear()


watcher = LogWatcher()
"""The one of this process."""
