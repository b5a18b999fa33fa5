"""The user's own shell on this machine, in a pseudo-terminal."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from komodo_agent.pty import PtyProcess, login_shell
from komodo_tui.domain.errors import ActError
from komodo_tui.fleet.sessions import SessionEnd

if TYPE_CHECKING:
    from pathlib import Path


class PtyShell:
    """A login shell behind a pseudo-terminal: a :class:`~komodo_tui.fleet.sessions.ByteSession`."""

    def __init__(self, title: str, process: PtyProcess) -> None:
        self.title = title
        self._process = process
        self.read = process.read
        self.write = process.write
        self.close = process.close

    @classmethod
    async def start(cls, title: str, cols: int, rows: int, shell: Path | None = None) -> PtyShell:
        """Start ``shell``, or the user's login shell.

        Raises:
            ActError: it cannot be started.
        """
        path = str(shell) if shell is not None else os.environ.get("SHELL") or login_shell()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        try:
            return cls(title, await PtyProcess.start([path], rows, cols, environment))
        except OSError as error:
            raise ActError(f"the shell {path} cannot be started: {error.strerror}", hint="check $SHELL") from error

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the shell its window's size in cells."""
        await self._process.resize(rows, cols)

    async def wait(self) -> SessionEnd:
        """Wait for the shell's end."""
        code = await self._process.exit()
        if code < 0:
            return SessionEnd(code=None, reason=f"ended by {signal.Signals(-code).name}")
        return SessionEnd(code=code)
