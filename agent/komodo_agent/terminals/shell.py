"""A program of the agent's own user on the server itself, behind a pseudo-terminal."""

from __future__ import annotations

import os
import pwd
import signal
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..pty import PtyProcess, login_shell
from ..wire.exec import ExecExit

if TYPE_CHECKING:
    from ..wire.terminals import ShellRequest
    from .ring import Size

_KEPT_OUT = ("SSH_", "KOMODO_", "NOTIFY_", "LISTEN_", "INVOCATION_ID", "JOURNAL_STREAM", "PYTHON")
"""Beginnings of names in the agent's own environment that say nothing of this terminal."""


class PtyProgram:
    """A started program."""

    def __init__(self, process: PtyProcess) -> None:
        self._process = process
        self.read = process.read
        self.write = process.write
        self.resize = process.resize
        self.close = process.close

    @classmethod
    async def start(cls, request: ShellRequest, size: Size) -> PtyProgram:
        """Start the command, or the user's login shell.

        Raises:
            AgentError: it cannot be started.
        """
        command = request.command or (login_shell(), "-l")
        if any("\0" in word for word in (*command, *request.environment, *request.environment.values())):
            raise AgentError("bad_request", "a command cannot hold a NUL character")
        try:
            environment = _environment(request.environment)
            return cls(await PtyProcess.start(command, size.rows, size.cols, environment))
        except OSError as error:
            raise AgentError("failed", f"{command[0]} cannot be started: {error.strerror or error}") from error

    async def exit(self) -> ExecExit:
        """How it ended."""
        code = await self._process.exit()
        if code < 0:
            return ExecExit(code=128 - code, reason=f"ended by {signal.Signals(-code).name}")
        return ExecExit(code=code)


def _environment(wanted: dict[str, str]) -> dict[str, str]:
    """As a login gives it, as far as the agent knows."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    user = pwd.getpwuid(os.geteuid())
    login = {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": login_shell()}
    return {**own, **login, "TERM": "xterm-256color", "COLORTERM": "truecolor", **wanted}
