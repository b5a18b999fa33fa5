"""Who keeps the past of a folder: one agent, whatever others live with the same state.

There are others for a while after an upgrade, and where programs of one user have other environments.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "lock"


class Writer:
    """The right to write in a folder, held until the process ends or gives it back. All calls block, briefly."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd: int | None = None

    def hold(self) -> bool:
        """Whether this one may write; takes the right when nobody has it.

        A folder that takes no lock is no reason not to try: what is written there fails and is told then.
        """
        if self._fd is not None:
            return True
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def let_go(self) -> None:
        """Leave the right to the next one."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
