"""A program behind a pseudo-terminal on this machine. Knows nothing of the agent; the client has local shells too."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pwd
import struct
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CHUNK = 64 << 10
_GRACE = 2.0
# The first terminal that the leader of a new session opens becomes the session's own, so ^C and job control work.
# Python's way to that (preexec_fn) may deadlock in a process with threads.
_TAKE_TERMINAL = 't=$1; shift; exec "$@" <>"$t" >&0 2>&0'


class PtyProcess:
    """A started program."""

    def __init__(self, process: asyncio.subprocess.Process, master: int, slave: int) -> None:
        self._process = process
        self._master: int | None = master
        # Held open until the program has shown that it holds it too: a terminal that nobody holds reads as ended.
        self._slave: int | None = slave
        self._readable, self._writable = asyncio.Event(), asyncio.Event()
        self._writing = asyncio.Lock()
        self._exit = asyncio.ensure_future(self._let_go_at_exit())

    @classmethod
    async def start(cls, command: Sequence[str], rows: int, cols: int, environment: Mapping[str, str]) -> PtyProcess:
        """Start a command in the user's home, with the environment it is given and nothing else.

        Raises:
            OSError: it cannot be started.
        """
        master, slave = os.openpty()
        try:
            _set_size(slave, rows, cols)
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _TAKE_TERMINAL, "sh", os.ttyname(slave), *command,
                stdin=asyncio.subprocess.DEVNULL, cwd=_home(), start_new_session=True, env=environment,
            )  # fmt: skip
        except BaseException:
            os.close(master)
            os.close(slave)
            raise
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
        """The next output, at most 64 KiB; empty at the end."""
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
        """Input; waits while it takes none. Does nothing after the end."""
        view = memoryview(data)
        async with self._writing:
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
            _set_size(self._master, rows, cols)

    async def exit(self) -> int:
        """Wait for the end: its status, or the number of the signal that ended it, negative."""
        return await self._process.wait()

    async def close(self) -> None:
        """Hang up, as closing a terminal does; what ignores that for some seconds is killed. Safe to call twice."""
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


def _set_size(fd: int, rows: int, cols: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def login_shell() -> str:
    """The shell that the user's account names."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"


def _home() -> str:
    home = os.path.expanduser("~")
    return home if os.path.isdir(home) else "/"
