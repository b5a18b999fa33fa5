"""The terminal that a verb was started on, given over to a program elsewhere and taken back as it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import stat
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import ActError, HostUnreachableError
from komodo_tui.fleet.sessions import ByteSession, SessionEnd, SharedSession
from komodo_tui.fleet.tasks import end as end_tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from komodo_tui.fleet.kept import KeptSession, KeptTerminal

_CHUNK = 32 << 10
LEAVE = b"\x1d"
"""``^]``; with ``d`` after it the program is left alone, a second one is sent."""
LEFT = "left"
_QUESTION = re.compile(
    rb"\x1b\[[>=?]?[0-9;]*[cn]|\x1b\[\??[0-9;]*\$p|\x1b\[>[0-9;]*q|\x1b\[1[1-9]t|\x1b\[2[01]t|\x1b\[\?u"
    rb"|\x1b\][0-9;]*;\?(?:\x07|\x1b\\)|\x1bP[+$]q[^\x1b]{0,200}\x1b\\|\x1bZ|\x05"
)
"""What a terminal answers: when output is repeated, the answer was given long ago."""


_MODES = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])|\x1b([=>])|\x1b\[([<>=])[0-9;]*u|\x1b\[[0-9]+(;[0-9]+)?r")
_USUALLY_ON = frozenset({b"7", b"25"})


class LeftBehind:
    """What a program has set in this terminal and not taken back."""

    def __init__(self) -> None:
        self._tail = b""
        self._other: dict[bytes, bytes] = {}
        self._undo: set[bytes] = set()

    def take(self, data: bytes) -> None:
        """The next output."""
        data = self._tail + data
        done = 0
        for match in _MODES.finditer(data):
            done = match.end()
            numbers, how, keypad, keyboard, _ = match.groups()
            if numbers is not None:
                self._mode(numbers, how)
            else:
                self._undo.add(b"\x1b>" if keypad else b"\x1b[<u" if keyboard else b"\x1b7\x1b[r\x1b8")
        begin = data.rfind(b"\x1b", max(done, len(data) - 80))
        self._tail = data[begin:] if begin >= 0 else b""

    def _mode(self, numbers: bytes, how: bytes) -> None:
        for number in numbers.split(b";"):
            usual = b"h" if number in _USUALLY_ON else b"l"
            if how == usual:
                self._other.pop(number, None)
            elif len(self._other) < 64:
                self._other[number] = usual

    def undo(self) -> bytes:
        """What takes it back; nothing where nothing was set."""
        modes = b"".join(b"\x1b[?" + number + usual for number, usual in self._other.items())
        return modes + b"".join(self._undo) + (b"\x1b[m" if modes or self._undo else b"")


class LeaveKeys:
    """Finds ``^] d`` in what is typed, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._held = False

    def take(self, typed: bytes) -> tuple[bytes, bool]:
        """What of it is for the program, and whether the person wants to leave."""
        passed = bytearray()
        for number in typed:
            key = bytes((number,))
            if self._held:
                self._held = False
                if key == b"d":
                    return bytes(passed), True
                passed += LEAVE if key == LEAVE else LEAVE + key
            elif key == LEAVE:
                self._held = True
            else:
                passed += key
        return bytes(passed), False


async def carry_kept(session: KeptSession, kept: KeptTerminal, *, keys: bool = True) -> SessionEnd:
    """Give this terminal to one that lives in an agent, until its program ends (it is forgotten then) or is left."""
    end = await carry(session, LeaveKeys(), keys=keys)
    if end.code is not None:
        await kept.end()
    elif end.reason == LEFT:
        sys.stderr.write(f"left {session.title}; its program goes on: komodo-tui attach {kept.id[:8]}\n")
    return end


async def carry(session: ByteSession, leave: LeaveKeys | None = None, *, keys: bool = True) -> SessionEnd:
    """Every key to the program, every byte of it to this terminal, until it ends or is left. Closes the session."""
    fd = sys.stdin.fileno()
    try:
        behind = LeftBehind()
        with _raw(fd, behind), _resizes(session, fd):
            receiving = asyncio.ensure_future(_show(session, behind))
            sending = asyncio.ensure_future(_type(session, fd, leave, keys=keys))
            try:
                await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done() and sending.done() and sending.result():
                    _write(behind.undo() + b"\r\n")
                    return SessionEnd(code=None, reason=LEFT)
                await receiving
                return await session.wait()
            finally:
                await end_tasks(receiving, sending)
    finally:
        await session.close()


async def _show(session: ByteSession, behind: LeftBehind) -> None:
    shared = session if isinstance(session, SharedSession) else None
    while data := await session.read():
        if shared is not None and not shared.answering:
            data = _QUESTION.sub(b"", data)
        behind.take(data)
        _write(data)


async def _type(session: ByteSession, fd: int, leave: LeaveKeys | None, *, keys: bool) -> bool:
    """Whether the person wants to leave."""
    async for typed in arriving(fd):
        passed, leaving = leave.take(typed) if leave is not None else (typed, False)
        if passed and keys:
            await session.write(passed)
        if leaving:
            return True
    return leave is not None  # this terminal is gone: the program that lives elsewhere is not


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def clear() -> None:
    """An empty screen, as the repeated output expects it."""
    _write(b"\x1b[H\x1b[2J")


def exit_code(end: SessionEnd, what: str, server: str) -> int:
    """The program's own; 0 when it was left running.

    Raises:
        KomodoError: it ended otherwise.
    """
    if end.code is not None:
        return end.code
    if end.reason == LEFT:
        return 0
    if end.reason.startswith("the connection"):
        raise HostUnreachableError(f"{what}: {end.reason}", server=server)
    raise ActError(f"{what}: {end.reason or 'it ended without an exit status'}", server=server)


async def arriving(fd: int) -> AsyncIterator[bytes]:
    """What arrives on a descriptor, without a thread that could not be ended while it waits."""
    loop = asyncio.get_running_loop()
    waits = not stat.S_ISREG(os.fstat(fd).st_mode)  # a file is always ready, and cannot be watched
    ready = asyncio.Event()
    while True:
        if waits:
            ready.clear()
            try:
                loop.add_reader(fd, ready.set)
            except PermissionError:  # /dev/null and the like are always ready too
                waits = False
                continue
            try:
                await ready.wait()
            finally:
                loop.remove_reader(fd)
        try:
            data = os.read(fd, _CHUNK)
        except OSError:  # a terminal that was hung up
            return
        if not data:
            return
        yield data


@contextlib.contextmanager
def _raw(fd: int, behind: LeftBehind) -> Iterator[None]:
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, termios.error):  # it may be gone
            _write(behind.undo())
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resizes(session: ByteSession, fd: int) -> Iterator[None]:
    """Tell the program when this terminal's window changes."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[Any]] = set()

    def tell() -> None:
        size = os.get_terminal_size(fd)
        task = loop.create_task(session.resize(size.columns, size.lines))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGWINCH, tell)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
