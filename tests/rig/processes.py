"""Start and stop processes by pid, and wait for what they bring about."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def run(*command: str, timeout: float = 60, stdin: bytes | None = None) -> str:
    """Run a command to its end and return its output; its failure is a RuntimeError with its words."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"
        )
    return done.stdout.decode(errors="replace")


def spawn(command: Sequence[str], *, log: Path, env: dict[str, str] | None = None) -> int:
    """Start a process in a session of its own, its output in ``log``; returns its pid."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, env=env
        )
    process.returncode = 0  # it is stopped by pid, maybe by another process: keep Popen from warning about it
    return process.pid


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def stop(pid: int, *, sig: int = signal.SIGTERM, grace: float = 15.0) -> None:
    """End a process: ask, then insist."""
    for attempt in (sig, signal.SIGKILL):
        try:
            os.kill(pid, attempt)
        except ProcessLookupError:
            return
        if wait_for(lambda: not _reap(pid), grace, what=""):
            return


def _reap(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return alive(pid)


def wait_for(condition: Callable[[], bool], timeout: float, *, what: str) -> bool:
    """Wait until it holds. With ``what`` a timeout is an error that says what was waited for."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            if what:
                raise TimeoutError(f"{what} did not happen within {timeout:g} s")
            return False
        time.sleep(0.02)
    return True


def children(pid: int) -> list[int]:
    """Pids of a process's children."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def pids_in(netns: str) -> list[int]:
    """Processes that still live in the namespace: agents and shells the tests left."""
    try:
        space = Path(netns).stat().st_ino
    except OSError:
        return []
    found = []
    for entry in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if entry.stat().st_ino == space:
                found.append(int(entry.parts[2]))
        except OSError:
            continue
    return found
