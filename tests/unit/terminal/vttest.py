"""Records vttest on the pane's core, and what xterm shows at each place where vttest waits for a key.

``python -m tests.unit.terminal.vttest``. Needs vttest, xterm and Xvfb. Writes ``vttest.bytes``, all that vttest wrote,
and ``vttest.screens``: the name of each checkpoint, how many bytes came before it, and xterm's screen there, as text.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import make_core
from tests.unit.terminal.screens import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "recordings"
COLS, ROWS = 80, 24
TESTS = (("1", ("1",)), ("2", ("2",)), ("3", ("8", "9", "10", "0")), ("8", ("8",)))
"""The items of the main menu, and what is chosen: cursor movements, screen features, three of the character sets, and
the inserting and deleting of the VT102."""
_QUIET = 0.5
_DISPLAY = ":77"


class Session:
    """vttest on a pseudo-terminal of the core's."""

    def __init__(self) -> None:
        pid, self._fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp("vttest", ["vttest", f"{ROWS}x{COLS}.132"])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        self._core = make_core("ghostty", COLS, ROWS, Options())
        self._picture = Picture()
        self.output = b""

    def type(self, line: str) -> None:
        """Type a line and wait until vttest waits."""
        os.write(self._fd, line.encode() + b"\r")
        self.settle()

    def settle(self) -> None:
        """Wait until vttest waits."""
        while select.select([self._fd], [], [], _QUIET)[0]:
            data = os.read(self._fd, 1 << 16)
            self.output += data
            if answer := self._core.feed(data):
                os.write(self._fd, answer)
        self._picture.take(self._core.take_frame(force=True))

    @property
    def at_menu(self) -> bool:
        """Whether a menu is shown."""
        return any("Choose test type" in line for line in self._picture.lines)


def record() -> tuple[bytes, dict[str, int]]:
    """What vttest wrote, and the places of the checkpoints in it."""
    session = Session()
    session.settle()
    marks = {"menu": len(session.output)}
    for item, choices in TESTS:
        if choices != (item,):
            session.type(item)
            marks[f"{item} menu"] = len(session.output)
        for choice in choices:
            session.type(choice)
            number = 0
            while not session.at_menu:
                number += 1
                name = f"{item}.{number}" if choices == (item,) else f"{item} item {choice}"
                marks[name] = len(session.output)
                session.type("")
    return session.output, marks


def printed_by_xterm(output: bytes, cols: int, rows: int) -> tuple[str, list[int]]:
    """The text of xterm's screen after some output, and the cursor's column and row, counted from 0."""
    with tempfile.TemporaryDirectory() as folder:
        shown, printed, place = (Path(folder) / name for name in ("output", "printed", "place"))
        shown.write_bytes(output)
        resources = ("c132: true", f"printerCommand: cat > {printed}", "printAttributes: 0", "printerAutoClose: true",
                     "printerExtent: true")  # fmt: skip
        options = [word for resource in resources for word in ("-xrm", f"XTerm*{resource}")]
        program = (
            f"stty raw -echo; cat {shown}; printf '\\e[6n'; IFS= read -rs -t 3 -d R place; "
            f"printf %s \"$place\" > {place}; printf '\\e[i'; sleep 0.5"
        )
        env = {"DISPLAY": _DISPLAY, "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": folder}
        subprocess.run(
            ["xterm", "-u8", "-geometry", f"{cols}x{rows}", *options, "-e", "bash", "-c", program],
            env=env, check=True, timeout=20,
        )  # fmt: skip
        lines = [line.rstrip("\r\f ") for line in printed.read_text(errors="replace").replace("\f", "").split("\n")]
        row, _, col = place.read_text().rpartition("[")[2].partition(";")
    return "\n".join(lines).rstrip("\n"), [int(col) - 1, int(row) - 1]


@contextmanager
def display() -> Iterator[None]:
    """An X server without a screen."""
    server = subprocess.Popen(["Xvfb", _DISPLAY, "-screen", "0", "1600x1000x24"], stderr=subprocess.DEVNULL)
    try:
        place = Path("/tmp/.X11-unix") / f"X{_DISPLAY.lstrip(':')}"
        while not place.exists():  # it is there once connections are taken
            assert server.poll() is None, "Xvfb has ended"
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    """Record both."""
    output, marks = record()
    with display():
        screens = {name: [place, printed_by_xterm(output[:place], COLS, ROWS)[0]] for name, place in marks.items()}
    (FOLDER / "vttest.bytes").write_bytes(output)
    (FOLDER / "vttest.screens").write_text(json.dumps(screens, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(screens)} checkpoints, {len(set(text for _, text in screens.values()))} of them different")
    return 0


if __name__ == "__main__":
    sys.exit(main())
