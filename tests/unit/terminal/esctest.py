"""Runs esctest2 against the pane's core. ``python -m tests.unit.terminal.esctest CHECKOUT [--write]``

CHECKOUT is a clone of ThomasDickey/esctest2. Each test gets a new core. What a pane's core leaves to others is answered
here from the core's picture: the checksum of a cell, and the size of the window. Fails when a test fails that is not
in ``esctest_failing.txt``; ``--write`` writes that list anew.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import sys
from pathlib import Path

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import make_core
from tests.unit.terminal.screens import Picture

FAILING = Path(__file__).parent / "esctest_failing.txt"
CORE = (
    "BS", "CBT", "CHA", "CHT", "CNL", "CPL", "CR", "CUB", "CUD", "CUF", "CUP", "CUU", "DCH", "DECALN", "DECRC",
    "DECSTBM", "DL", "ECH", "ED", "EL", "FF", "HPA", "HPR", "HTS", "HVP", "ICH", "IL", "IND", "LF", "NEL", "REP", "RI",
    "RIS", "RM", "SCORC", "SD", "SM", "SU", "TBC", "VPA", "VPR", "VT",
)  # fmt: skip
"""The tests of the core VT part, by the sequence they are about: moving, erasing, inserting and deleting, scrolling,
margins, tabs, repeating, saving and resetting. What is left out: rectangles, columns, protection, reports, colours and
titles that are asked for, windows, conformance levels, control strings."""
NOT_CORE = {"RISTests.test_RIS_ResetTitleMode"}
"""It asks for the title of the window."""
CASES = 251
COLS, ROWS = 80, 25
_CALLS = re.compile(
    rb"\x1b\[(?P<id>\d*);\d*;(?P<top>\d*);(?P<left>\d*);\d*;\d*\*y|\x1b\[(?P<size>1[89])t"
    rb"|\x1b\[8;(?P<rows>\d*);?(?P<cols>\d*)t|\x1b\]7777;(?P<name>[^;]*);(?P<result>[^\x07]*)\x07"
)
_RUNNER = """
import os, sys
sys.argv = ["esctest.py", "--expected-terminal=xterm", "--max-vt-level=4", "--xterm-checksum=334", "--timeout=1",
            "--xterm-reverse-wrap=383", "--logfile=" + sys.argv[1], "--no-print-logs", "--include=" + sys.argv[2]]
space = {"__name__": "esctest"}
exec(compile(open("esctest.py").read().replace("\\nmain()", "\\n"), "esctest.py", "exec"), space)
plain = space["RunTest"]
def run(name, method):
    def mark(result):
        sys.stdout.write("\\x1b]7777;%s;%s\\x07" % (name, result))
        sys.stdout.flush()
    mark("begin")
    while os.read(0, 1) != b"\\xff":  # answers that the test before did not wait for
        pass
    result = plain(name, method)
    mark({True: "ok", False: "failed", None: "skipped"}[result])
    return result
space["RunTest"] = run
space["main"]()
"""


class Bench:
    """The core between esctest and us."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""
        self.results: dict[str, str] = {}
        self._begin()

    def _begin(self) -> None:
        self._size = (COLS, ROWS)
        self._core = make_core("ghostty", COLS, ROWS, Options())
        self._picture = Picture()

    def take(self, data: bytes) -> None:
        """Output of esctest."""
        data, at = self._rest + data, 0
        for match in _CALLS.finditer(data):
            self._feed(data[at : match.start()])
            self._answer(match)
            at = match.end()
        escape = data.rfind(b"\x1b", max(at, len(data) - 64))
        end = escape if escape >= 0 and b"\x07" not in data[escape:] and len(data) - escape < 40 else len(data)
        complete = re.search(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[^\[\]PX^_])", data[end:])
        end = len(data) if complete else end
        self._feed(data[at:end])
        self._rest = data[end:]

    def _feed(self, data: bytes) -> None:
        if data and (answer := self._core.feed(data)):
            os.write(self._fd, answer)

    def _answer(self, call: re.Match[bytes]) -> None:
        if call["name"] is not None:
            if call["result"] == b"begin":
                self._core.close()
                self._begin()
                os.write(self._fd, b"\xff")
            else:
                self.results[call["name"].decode()] = call["result"].decode()
        elif call["size"] is not None:
            cols, rows = self._size
            os.write(self._fd, b"\x1b[%d;%d;%dt" % (int(call["size"]) - 10, rows, cols))
        elif call["rows"] is not None:
            self._size = (int(call["cols"] or 0) or self._size[0], int(call["rows"] or 0) or self._size[1])
            self._core.resize(*self._size)
        else:
            cell = self._cell(int(call["left"] or 1) - 1, int(call["top"] or 1) - 1)
            os.write(self._fd, b"\x1bP%s!~%04X\x1b\\" % (call["id"], ord(cell)))

    def _cell(self, x: int, y: int) -> str:
        self._picture.take(self._core.take_frame(force=True))
        at = 0
        for text, _, cells in self._picture.rows.get(y, []):
            if at <= x < at + cells and cells == len(text):
                return text[x - at]
            at += cells
        return " "


def is_core(name: str) -> bool:
    """Whether a test, as ``CUPTests.test_CUP_DefaultParams``, is of the core VT part."""
    return name.partition("Tests.")[0] in CORE and name not in NOT_CORE


def run(checkout: Path, log: str = os.devnull, include: str = ".*") -> dict[str, str]:
    """Every test whose name matches ``include``: ``ok``, ``failed``, ``skipped``. ``log`` is a file that tells why."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(checkout / "esctest")
        os.execv(sys.executable, [sys.executable, "-B", "-c", _RUNNER, log, include])
    bench = Bench(fd)
    try:
        while select.select([fd], [], [], 60)[0]:
            try:
                data = os.read(fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            bench.take(data)
    finally:
        os.close(fd)
        os.waitpid(pid, 0)
    return bench.results


def main() -> int:
    """Run, compare, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--log", default=os.devnull, metavar="FILE", help="why tests failed")
    arguments = parser.parse_args()
    results = {name: result for name, result in run(arguments.checkout, arguments.log).items() if result != "skipped"}
    core = set(filter(is_core, results))
    failing = {name for name, result in results.items() if result == "failed"}
    print(f"{len(results) - len(failing)} of {len(results)}; of the core VT {len(core - failing)} of {len(core)}")
    if arguments.write:
        FAILING.write_text("".join(f"{name}\n" for name in sorted(failing)))
    new = sorted(failing - set(FAILING.read_text().split()))
    print(*(f"fails now: {name}" for name in new), sep="\n")
    return 1 if new or len(core) != CASES else 0


if __name__ == "__main__":
    sys.exit(main())
