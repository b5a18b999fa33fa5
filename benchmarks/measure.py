"""Means of measuring: processor time and memory of processes, a program on a pseudo-terminal, medians."""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import select
import signal
import statistics
import struct
import subprocess
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time these processes have used so far, in seconds; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def matching(word: str) -> list[int]:
    """Pids of the processes whose command line holds the word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def yardstick() -> float:
    """Processor seconds of two million additions in Python: how fast a core is at this moment.

    Processor time grows too where others share the core's caches; figures of two runs compare by this.
    """
    best = float("inf")
    for _ in range(5):
        start, total = time.process_time(), 0
        for n in range(2_000_000):
            total += n
        best = min(best, time.process_time() - start)
    return best


@dataclass
class Timing:
    """Wall and processor seconds of one finished command."""

    wall: float
    cpu: float


def time_command(command: Sequence[str], env: dict[str, str] | None = None) -> Timing:
    """Run a command to its end, output thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(wall, cpu)


def interleaved(commands: Mapping[str, Sequence[str]], rounds: int, env: dict[str, str]) -> dict[str, Timing]:
    """Medians of several commands run in turn, so that a slow moment hits all of them."""
    runs: dict[str, list[Timing]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(time_command(command, env))
    return {
        name: Timing(statistics.median(t.wall for t in seen), statistics.median(t.cpu for t in seen))
        for name, seen in runs.items()
    }


@dataclass
class Terminal:
    """A program on a pseudo-terminal of its own, its output counted and searchable."""

    command: Sequence[str]
    env: dict[str, str]
    cols: int = 120
    rows: int = 40
    output: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Terminal:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.cols, 0, 0))
            os.execvpe(self.command[0], list(self.command), {**self.env, "TERM": "xterm-256color"})
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)

    def pump(self, seconds: float) -> int:
        """Read what comes for this long; returns how many bytes came."""
        end = time.perf_counter() + seconds
        seen = 0
        while (left := end - time.perf_counter()) > 0:
            seen += self._read(left)
        return seen

    def until(self, condition: Callable[[bytes], bool], timeout: float) -> float | None:
        """Seconds since the program's start when its output so far first met the condition; None on timeout."""
        end = time.perf_counter() + timeout
        while not condition(bytes(self.output)):
            left = end - time.perf_counter()
            if left <= 0:
                return None
            self._read(left)
        return time.perf_counter() - self.started

    def must(self, condition: Callable[[bytes], bool], timeout: float) -> float:
        """Like :meth:`until`.

        Raises:
            RuntimeError: it did not come; the message has the end of the output.
        """
        found = self.until(condition, timeout)
        if found is None:
            raise RuntimeError(f"not seen in {timeout:.0f} s: {bytes(self.output[-400:])!r}")
        return found

    def forget(self) -> None:
        """Throw away what came so far: looking through it again and again would be the slowest part."""
        self.output.clear()

    def type(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.fd, keys)

    def _read(self, timeout: float) -> int:
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return 0
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            time.sleep(min(timeout, 0.05))
            return 0
        self.output += data
        return len(data)
