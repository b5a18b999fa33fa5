"""A real terminal: a tmux server of our own, its keys and its screen."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 60.0


class Tmux:
    """One window of a private tmux server."""

    def __init__(self, folder: Path, cols: int = 80, rows: int = 24) -> None:
        self._socket = folder / "tmux"
        self._home = folder
        self._size = (cols, rows)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words],
            capture_output=True, text=True, check=True, timeout=PATIENCE,
            env=dict(os.environ),  # without LINES and COLUMNS, which readline puts where os.environ does not see them
        )  # fmt: skip
        return done.stdout

    def start(self, *argv: str) -> None:
        """Run a program in the window."""
        cols, rows = self._size
        environment = {
            "HOME": str(self._home),
            "PS1": "$ ",
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        words = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        self._run("new-session", "-d", "-x", str(cols), "-y", str(rows), *words, "--", *argv)
        self._run("set", "-g", "status", "off")
        self._run("set", "-sg", "escape-time", "0")
        self._run("set", "-g", "focus-events", "on")
        self._run("set", "-g", "default-terminal", "tmux-256color")
        self._run("set", "-g", "window-size", "manual")
        self.resize(cols, rows)

    def keys(self, *names: str) -> None:
        """Press keys (tmux's names)."""
        self._run("send-keys", *names)

    def type(self, text: str) -> None:
        """Type a text."""
        self._run("send-keys", "-l", text)

    def raw(self, data: bytes) -> None:
        """Bytes as the terminal would send them."""
        self._run("send-keys", "-H", *[f"{byte:02x}" for byte in data])

    def paste(self, text: str) -> None:
        """Paste, bracketed if the program asked for it."""
        self._run("set-buffer", "--", text)
        self._run("paste-buffer", "-p", "-r")

    def resize(self, cols: int, rows: int) -> None:
        """Change the window's size."""
        self._run("resize-window", "-x", str(cols), "-y", str(rows))

    def screen(self, *, colours: bool = False) -> list[str]:
        """What it shows."""
        return self._run("capture-pane", "-p", *(["-e"] if colours else [])).split("\n")

    def cursor(self) -> tuple[int, int, bool]:
        """Column, row, and whether it is shown."""
        x, y, shown = self._run("display", "-p", "#{cursor_x} #{cursor_y} #{cursor_flag}").split()
        return int(x), int(y), shown == "1"

    def wait(self, condition: Callable[[list[str]], object], what: str, patience: float = PATIENCE) -> list[str]:
        """Wait until the screen is so."""
        end = time.monotonic() + patience
        while True:
            screen = self.screen()
            if condition(screen):
                return screen
            assert time.monotonic() < end, f"waited in vain for {what}:\n" + "\n".join(screen)
            time.sleep(0.03)

    def record(self, path: Path) -> None:
        """Write all bytes that the program sends to its terminal from now on to a file."""
        self._run("pipe-pane", "-O", f"cat > {path}")

    def ended(self, path: Path, patience: float = PATIENCE) -> bytes:
        """What :meth:`record` wrote, once the program has left the alternate screen."""
        end = time.monotonic() + patience
        while b"\x1b[?1049l" not in (data := path.read_bytes()):
            assert time.monotonic() < end, "the program did not end:\n" + "\n".join(self.screen())
            time.sleep(0.03)
        return data

    def alive(self) -> bool:
        """Whether the program still runs."""
        done = subprocess.run(["tmux", "-S", str(self._socket), "has-session"], capture_output=True, check=False)
        return done.returncode == 0

    def stop(self) -> None:
        """End the server and all in it."""
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False)
