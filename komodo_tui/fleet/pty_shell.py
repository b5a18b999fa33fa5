"""The user's own shell on this machine, in a pseudo-terminal."""

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

from komodo_tui.domain.errors import ActError
from komodo_tui.fleet.sessions import SessionEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHUNK = 64 << 10
_HANGUP_GRACE = 2.0
# The first terminal that the leader of a new session opens becomes the session's own, so ^C and job control work.
# Python's way to that (preexec_fn) may deadlock in a process with threads.
_TAKE_TERMINAL = 'exec "$0" <>"$1" >&0 2>&0'


class PtyShell:
    """A login shell behind a pseudo-terminal: a :class:`~komodo_tui.fleet.sessions.ByteSession`."""

    def __init__(self, title: str, process: asyncio.subprocess.Process, master: int, slave: int) -> None:
        self.title = title
        self._process = process
        self._master: int | None = master
        # Held open until the shell has shown that it holds it too: a terminal that nobody holds reads as ended.
        self._slave: int | None = slave
        self._exit = asyncio.ensure_future(self._let_go_at_exit())
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writing = asyncio.Lock()

    @classmethod
    async def start(cls, title: str, cols: int, rows: int, shell: Path | None = None) -> PtyShell:
        """Start ``shell``, or the user's login shell.

        Raises:
            ActError: it cannot be started.
        """
        path = str(shell) if shell is not None else _login_shell()
        master, slave = os.openpty()
        try:
            _set_size(slave, cols, rows)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _TAKE_TERMINAL, path, os.ttyname(slave),
                stdin=asyncio.subprocess.DEVNULL, cwd=_home(), start_new_session=True,
                env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            )  # fmt: skip
        except OSError as error:
            os.close(master)
            os.close(slave)
            raise ActError(f"the shell {path} cannot be started: {error.strerror}", hint="check $SHELL") from error
        os.set_blocking(master, False)
        return cls(title, process, master, slave)

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
                self._let_go()
                return data
            except BlockingIOError:
                await self._ready(self._readable, asyncio.get_running_loop().add_reader)
            except OSError as error:
                if error.errno != errno.EIO:  # what a master says once every process has let go of the terminal
                    raise
                return b""
        return b""

    async def write(self, data: bytes) -> None:
        """Send input; waits while the shell does not take it."""
        view = memoryview(data)
        async with self._writing:
            while view and self._master is not None:
                try:
                    view = view[os.write(self._master, view) :]
                except BlockingIOError:
                    await self._ready(self._writable, asyncio.get_running_loop().add_writer)
                except OSError:
                    return

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the shell its window's size in cells."""
        if self._master is not None:
            _set_size(self._master, cols, rows)

    async def wait(self) -> SessionEnd:
        """Wait for the shell's end."""
        code = await self._process.wait()
        if code < 0:
            return SessionEnd(code=None, reason=f"ended by {signal.Signals(-code).name}")
        return SessionEnd(code=code)

    async def close(self) -> None:
        """Hang up, as closing a terminal does; what ignores that for 2 s is killed."""
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
            async with asyncio.timeout(_HANGUP_GRACE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._exit

    async def _ready(self, event: asyncio.Event, watch: Callable[[int, Callable[[], None]], None]) -> None:
        """Wait until the terminal can be read or written."""
        master = self._master
        if master is None:
            return
        loop = asyncio.get_running_loop()
        unwatch = loop.remove_reader if event is self._readable else loop.remove_writer
        event.clear()
        watch(master, event.set)
        try:
            await event.wait()
        finally:
            if self._master is not None:
                unwatch(master)


def _set_size(fd: int, cols: int, rows: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def _login_shell() -> str:
    try:
        shell = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        shell = ""
    return os.environ.get("SHELL") or shell or "/bin/sh"


def _home() -> str:
    home = os.path.expanduser("~")
    return home if os.path.isdir(home) else "/"
