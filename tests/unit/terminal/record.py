"""Records real programs in tmux: what they write, and the screen tmux then shows.

``python -m tests.unit.terminal.record [NAME…]``. Needs root (the programs get a host name and a process list of their
own), tmux, and the programs.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "recordings"
COLS, ROWS = 80, 24
_PAUSE = 0.7
_TIMES = ((re.compile(rb"\b\d\d:\d\d:\d\d\b"), b"12:00:00"),
          (re.compile(rb"[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d"), b"Jan  1 00:00"))  # fmt: skip
"""Times, replaced so that a recording tells nothing of when it was made."""

_TEXT = "".join(f"{number:3} The quick brown fox jumps over the lazy dog. 漢字 e\u0301 😀\n" for number in range(1, 80))
_CODE = '#include <stdio.h>\n\n/* greets */\nint main(void) {\n\tprintf("hello %d\\n", 42);\n\treturn 0;\n}\n'


class Program(NamedTuple):
    """A program, and the keys it is given, one group after the other."""

    name: str
    command: str
    keys: tuple[tuple[str, ...], ...] = ()


PROGRAMS = (
    Program(
        "vim", "vim -u NONE -N -c 'syntax on' -c 'set number hlsearch bg=dark' greet.c",
        (("/", "i", "n", "t", "Enter"), ("o", "x", "Escape"), (":", "v", "s", "p", "Enter"), ("G", "y", "y", "p")),
    ),
    Program("less", "less -N text.txt", (("Space",), ("/", "f", "o", "x", "Enter"), ("n", "k"))),
    Program("nano", "nano -I text.txt", (("a", "b", "c", "Down", "C-k"), ("C-w", "l", "a", "z", "y", "Enter"))),
    Program("htop", "htop -d 100", (("F6",), ("Escape",), ("t",))),
    Program("top", "top -d 100", (("z",), ("x",), ("1",))),
    Program("mc", "mc -u -d", (("Down", "Tab"), ("F9",))),
    Program("dialog", "dialog --title Deploy --checklist 'Which services?' 12 50 4 api '' on db 'the data' off",
            (("Down", "Space"), ("Tab",))),
    Program("tmux", "tmux -S inner -f tmux.conf new-session sh",
            (("C-b", "%"), ("l", "s", "Enter"), ("C-b", '"'), ("e", "c", "h", "o", "Space", "h", "i", "Enter"))),
)  # fmt: skip


def main() -> int:
    """Record all, or those named."""
    FOLDER.mkdir(exist_ok=True)
    for program in PROGRAMS:
        if len(sys.argv) < 2 or program.name in sys.argv[1:]:
            record(program)
    return 0


def record(program: Program) -> None:
    """Write ``NAME.out``, the output, and ``NAME.screen``: the cursor, then the rows with their colours."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, raw = Path(folder) / "home", Path(folder) / "raw"
        _fill(home)
        tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null"]
        inner = f"hostname box; read x; cd ~; exec env -u TMUX -u TMUX_PANE {program.command}"
        outside = ["env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "PS1=$ ", "TERM=xterm-256color"]
        command = [*outside, "unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inner]
        _run([*tmux, "new-session", "-d", "-x", str(COLS), "-y", str(ROWS), shlex.join(command)])
        try:
            for option in (["-g", "status", "off"], ["-g", "window-size", "manual"], ["-sg", "escape-time", "0"]):
                _run([*tmux, "set", *option])
            _run([*tmux, "resize-window", "-x", str(COLS), "-y", str(ROWS)])
            time.sleep(_PAUSE)
            _run([*tmux, "pipe-pane", "-O", f"exec cat > {raw}"])
            _run([*tmux, "send-keys", "Enter"])
            time.sleep(2 * _PAUSE)
            for keys in program.keys:
                _run([*tmux, "send-keys", *keys])
                time.sleep(_PAUSE)
            screen = _shown(tmux, Path(folder))
            cursor = _run([*tmux, "display", "-p", "#{cursor_x} #{cursor_y} #{cursor_flag}"])
            output = raw.read_bytes()
        finally:
            subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    (FOLDER / f"{program.name}.out").write_bytes(_timeless(output))
    (FOLDER / f"{program.name}.screen").write_bytes(cursor + _timeless(screen))
    print(f"{program.name}: {len(output)} bytes")


def _shown(tmux: list[str], folder: Path) -> bytes:
    """The screen as tmux draws it, in a second tmux without coloured erasing: a capture of the first would leave out
    the colours of cells that were erased at the end of a row."""
    outer = ["tmux", "-S", str(folder / "outer"), "-f", "/dev/null"]
    attach = shlex.join(["env", "-u", "TMUX", "TERM=tmux-256color", *tmux, "attach"])
    _run([*outer, "new-session", "-d", "-x", str(COLS), "-y", str(ROWS), attach])
    try:
        _run([*outer, "set", "-g", "status", "off"])
        _run([*outer, "set", "-g", "window-size", "manual"])
        _run([*outer, "resize-window", "-x", str(COLS), "-y", str(ROWS)])
        time.sleep(2 * _PAUSE)
        return _run([*outer, "capture-pane", "-p", "-e", "-N"])
    finally:
        subprocess.run([*outer, "kill-server"], check=False, capture_output=True)


def _timeless(data: bytes) -> bytes:
    for pattern, instead in _TIMES:
        data = pattern.sub(instead, data)
    return data


def _fill(home: Path) -> None:
    home.mkdir()
    (home / "text.txt").write_text(_TEXT)
    (home / "greet.c").write_text(_CODE)
    (home / "tmux.conf").write_text("set -g status-right ''\nset -g escape-time 0\n")
    for name in ("a.sh", "b.tar.gz", "folder/c.txt"):
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n")
    for path in home.rglob("*"):
        subprocess.run(["touch", "-d", "2020-01-01 00:00", str(path)], check=True)


def _run(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=20).stdout


if __name__ == "__main__":
    sys.exit(main())
