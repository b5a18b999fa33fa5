"""A program of the agent's own user on the server itself, behind a pseudo-terminal."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pwd
import signal
import struct
import termios
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.exec import ExecExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.terminals import ShellRequest
    from .ring import Size

_CHUNK = 64 << 10
_GRACE = 2.0
# The first terminal that the leader of a new session opens becomes the session's own, so ^C and job control work.
# Python's way to that (preexec_fn) may deadlock in a process with threads.
_TAKE_TERMINAL = 't=$1; shift; exec "$@" <>"$t" >&0 2>&0'
_KEPT_OUT = ("SSH_", "KOMODO_", "NOTIFY_", "LISTEN_", "INVOCATION_ID", "JOURNAL_STREAM", "PYTHON")
"""Beginnings of names in the agent's own environment that say nothing of this terminal."""


class PtyProgram:
    """A started program."""

    def __init__(self, process: asyncio.subprocess.Process, master: int, slave: int) -> None:
        self._process = process
        self._master: int | None = master
        # Held open until the program has shown that it holds it too: a terminal that nobody holds reads as ended.
        self._slave: int | None = slave
        self._readable, self._writable = asyncio.Event(), asyncio.Event()
        self._exit = asyncio.ensure_future(self._let_go_at_exit())

    @classmethod
    async def start(cls, request: ShellRequest, size: Size) -> PtyProgram:
        """Start the command, or the user's login shell.

        Raises:
            AgentError: it cannot be started.
        """
        command = request.command or (_login_shell(), "-l")
        if any("\0" in word for word in (*command, *request.environment, *request.environment.values())):
            raise AgentError("bad_request", "a command cannot hold a NUL character")
        master, slave = os.openpty()
        try:
            _set_size(slave, size)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _TAKE_TERMINAL, "sh", os.ttyname(slave), *command,
                stdin=asyncio.subprocess.DEVNULL, cwd=_home(), start_new_session=True,
                env=_environment(request.environment),
            )  # fmt: skip
        except OSError as error:
            os.close(master)
            os.close(slave)
            raise AgentError("failed", f"{command[0]} cannot be started: {error.strerror or error}") from error
        os.set_blocking(master, False)
        return cls(process, master, slave)

    async def _let_go_at_exit(self) -> None:
        await self._process.wait()
        self._let_go()

    def _let_go(self) -> None:
        slave, self._slave = self._slave, None
        if slave is not None:
            os.close(slave)

    async def read(self) -> bytes:
        """The next output; empty at the end."""
        while self._master is not None:
            try:
                data = os.read(self._master, _CHUNK)
            except BlockingIOError:
                await self._ready(self._readable, asyncio.get_running_loop().add_reader)
                continue
            except OSError as error:
                if error.errno != errno.EIO:  # what a master says once every process has let go of the terminal
                    raise
                return b""
            self._let_go()
            return data
        return b""

    async def write(self, data: bytes) -> None:
        """Input; waits while it takes none."""
        view = memoryview(data)
        while view and self._master is not None:
            try:
                view = view[os.write(self._master, view) :]
            except BlockingIOError:
                await self._ready(self._writable, asyncio.get_running_loop().add_writer)
            except OSError:
                return

    async def resize(self, rows: int, cols: int) -> None:
        """Tell it the size of its terminal."""
        if self._master is not None:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    async def exit(self) -> ExecExit:
        """How it ended."""
        code = await self._process.wait()
        if code < 0:
            return ExecExit(code=128 - code, reason=f"ended by {signal.Signals(-code).name}")
        return ExecExit(code=code)

    async def close(self) -> None:
        """Hang up, as closing a terminal does; what ignores that for some seconds is killed."""
        master, self._master = self._master, None
        if master is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(master)
        loop.remove_writer(master)
        self._readable.set()
        self._writable.set()
        self._let_go()
        os.close(master)  # the kernel sends SIGHUP to the session
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE)
        except asyncio.TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._exit

    async def _ready(self, event: asyncio.Event, watch: Callable[[int, Callable[[], None]], None]) -> None:
        """Wait until the terminal can be read or written."""
        master, loop = self._master, asyncio.get_running_loop()
        if master is None:
            return
        unwatch = loop.remove_reader if event is self._readable else loop.remove_writer
        event.clear()
        watch(master, event.set)
        try:
            await event.wait()
        finally:
            if self._master is not None:
                unwatch(master)


def _set_size(fd: int, size: Size) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.cols, 0, 0))


def _environment(wanted: dict[str, str]) -> dict[str, str]:
    """As a login gives it, as far as the agent knows."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    user = pwd.getpwuid(os.geteuid())
    login = {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": _login_shell()}
    return {**own, **login, "TERM": "xterm-256color", "COLORTERM": "truecolor", **wanted}


def _login_shell() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"


def _home() -> str:
    home = os.path.expanduser("~")
    return home if os.path.isdir(home) else "/"
