"""The terminal pane: its echo, a flood, keys during it and ``^C`` on a container; its core (:mod:`.terminal_core`)."""

from __future__ import annotations

import os
import re
import shlex
import statistics
import string
import subprocess
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import terminal_core
from benchmarks.lab import environment, private_server, program, stop_agents
from benchmarks.measure import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rig.server import Server

_LETTERS = string.ascii_letters
_KEYS = 120
_FLOODS = 3
_STOPS = 7
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0AB]|[=>78cM])")
_MAKE_LOG = """
i=0; while [ $i -lt 100 ]; do echo "2026-01-01T00:00:00Z app: GET /orders/$i took 12 ms, 200"; i=$((i+1)); done > /part
i=0; while [ $i -lt 2000 ]; do cat /part; i=$((i+1)); done | head -c 10000000 > /big
"""
_TAIL = 16 << 10
"""Bytes of output that are looked at: looking at all of a flood again and again would slow it down."""
_QUIET = 0.15
_PANE, _TERMINAL = b" PANE ", b" TERMINAL "


def _holds(word: bytes, output: bytes) -> bool:
    return word in output


def _text(output: bytes) -> bytes:
    return _SEQUENCE.sub(b"", output)


class Shell:
    """A shell in the container, on a pseudo-terminal, by one of three ways."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def send(self, keys: bytes) -> float:
        """Press keys; returns when."""
        now = time.perf_counter()
        os.write(self.terminal.fd, keys)
        return now

    def wait(self, condition: Callable[[bytes], bool], begin: float, timeout: float = 60.0) -> float:
        """Seconds from ``begin`` until what came since :meth:`Terminal.forget` met the condition, as text."""
        self.terminal.must(lambda output: condition(_text(output[-_TAIL:])), timeout)
        return time.perf_counter() - begin

    def settle(self) -> None:
        """Let all that was asked for come, and forget it."""
        while self.terminal.pump(_QUIET):
            continue
        self.terminal.forget()

    def run(self, line: str, until: bytes) -> float:
        """Seconds a line takes until its last word."""
        self.settle()
        begin = self.send(line.encode() + b"\r")
        return self.wait(lambda output: until in output, begin, 300)


@contextmanager
def _plain(server: Server, home: Path) -> Iterator[Shell]:
    command = ["docker", "-H", server.docker_host, "exec", "-it", "web", "sh"]
    with Terminal(command, environment(home)) as terminal:
        shell = Shell(terminal)
        shell.wait(lambda output: b"# " in output, time.perf_counter())
        yield shell


@contextmanager
def _tmux(server: Server, home: Path) -> Iterator[Shell]:
    tmux = ["tmux", "-S", str(home / "tmux"), "-f", "/dev/null"]
    inner = shlex.join(["docker", "-H", server.docker_host, "exec", "-it", "web", "sh"])
    with Terminal([*tmux, "new-session", inner], environment(home)) as terminal:
        shell = Shell(terminal)
        try:
            shell.wait(lambda output: b"# " in output, time.perf_counter())
            yield shell
        finally:
            subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


@contextmanager
def _pane(server: Server, home: Path) -> Iterator[Shell]:
    env = environment(home, DOCKER_HOST=server.docker_host)
    with Terminal(program(), env) as terminal:
        shell = Shell(terminal)
        try:
            shell.wait(lambda output: b"Containers" in output, time.perf_counter())
            shell.send(b"3")
            shell.wait(lambda output: b"busybox" in output, time.perf_counter())
            shell.settle()
            shell.send(b"s")
            shell.wait(lambda output: b"/ #" in output, time.perf_counter())
            shell.settle()
            for key, word in ((b"\x1d", _PANE), (b"z", _TERMINAL)):  # the drawer, over all of the screen
                shell.terminal.forget()
                shell.wait(partial(_holds, word), shell.send(key))
            shell.settle()
            yield shell
        finally:
            stop_agents(str(home))


def _echo(shell: Shell, count: int) -> list[float]:
    """Seconds of each key until it is on the screen."""
    found: list[float] = []
    while len(found) < count:
        for letter in _LETTERS[: count - len(found)]:
            shell.settle()
            key = letter.encode()
            found.append(shell.wait(partial(_holds, key), shell.send(key), 20))
        shell.send(b"\x15")
    return found


def _modes(shell: Shell, count: int) -> list[float]:
    """Seconds until the program's own keys are answered: out of the terminal and in again, by turns."""
    found = []
    for number in range(count):
        key, word = ((b"\x1d", _PANE), (b"i", _TERMINAL))[number % 2]
        shell.terminal.forget()
        begin = shell.send(key)
        found.append(shell.wait(partial(_holds, word), begin, 20))
        shell.terminal.pump(0.05)
    return found


def _interrupt(shell: Shell) -> float:
    """Seconds from ^C until the shell asks again, in the middle of a flood."""
    shell.settle()
    shell.send(b"cat /big /big /big /big\r")
    shell.terminal.pump(1.0)
    shell.terminal.forget()
    begin = shell.send(b"\x03")
    return shell.wait(lambda output: b"/ #" in output, begin)


def _quantile(values: list[float], share: float) -> float:
    return 1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure() -> dict[str, object]:
    """All figures, the ways by turns so that a slow moment hits all of them."""
    figures: dict[str, object] = {}
    with private_server("terminal") as server, tempfile.TemporaryDirectory(prefix="komodo-bench-") as folder:
        server.docker("run", "-d", "--name", "web", "busybox", "sleep", "1000000")
        server.docker("exec", "web", "sh", "-c", _MAKE_LOG)
        homes = {name: Path(folder) / name for name in ("plain", "tmux", "pane")}
        for home in homes.values():
            home.mkdir()
        with (
            _plain(server, homes["plain"]) as plain,
            _tmux(server, homes["tmux"]) as tmux,
            _pane(server, homes["pane"]) as pane,
        ):
            figures |= _echoes(plain, pane)
            figures |= _floods(tmux, pane)
            figures |= _keys_meanwhile(pane)
            figures |= _stops(plain, pane)
    return figures | terminal_core.measure()


def _echoes(plain: Shell, pane: Shell) -> dict[str, object]:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_KEYS // 20):
        theirs += _echo(plain, 20)
        ours += _echo(pane, 20)
    figures: dict[str, object] = {}
    for share in (0.5, 0.95):
        name = f"p{share * 100:.0f}"
        figures[f"echo through the pane, {name} ms"] = _quantile(ours, share)
        figures[f"echo through docker exec -it, {name} ms"] = _quantile(theirs, share)
        figures[f"  more, {name} ms"] = _quantile(ours, share) - _quantile(theirs, share)
    return figures


def _floods(tmux: Shell, pane: Shell) -> dict[str, object]:
    ours, theirs = [], []
    for number in range(_FLOODS):
        line, word = f"cat /big; echo do''ne{number}", f"done{number}".encode()
        theirs.append(tmux.run(line, word))
        ours.append(pane.run(line, word))
    return {
        "cat of 10 MB through the pane, median s": statistics.median(ours),
        "cat of 10 MB through tmux, median s": statistics.median(theirs),
        "  ratio": statistics.median(ours) / statistics.median(theirs),
    }


def _keys_meanwhile(pane: Shell) -> dict[str, object]:
    keys: list[float] = []
    for _ in range(_FLOODS):
        pane.settle()
        pane.send(b"cat /big /big /big /big /big /big\r")
        pane.terminal.pump(0.5)
        keys += _modes(pane, 30)
        pane.send(b"\x03")
    pane.settle()
    return {
        "keys of the program during a flood, p95 ms": _quantile(keys, 0.95),
        "  median ms": _quantile(keys, 0.5),
    }


def _stops(plain: Shell, pane: Shell) -> dict[str, object]:
    figures: dict[str, object] = {}
    stops: dict[str, list[float]] = {"through the pane": [], "through docker exec -it": []}
    for _ in range(_STOPS):
        stops["through docker exec -it"].append(_interrupt(plain))
        stops["through the pane"].append(_interrupt(pane))
    for way, found in stops.items():
        figures[f"^C stops a flood {way}, median ms"] = 1000 * statistics.median(found)
        figures[f"  the slowest of {_STOPS}, {way}, ms"] = 1000 * max(found)
    return figures
