"""A real edit, a commit and a paste of 200 lines in a shell of a server behind a real sshd, driven in a real terminal.

Each screen of vim is compared with that of the same vim under the same keys in a plain terminal of the pane's size.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.ui.terminal.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig

COLS, ROWS = 100, 29
"""Below 30 rows a terminal has its page, and all of it but tabs, fleet, footer and its own two edges."""
PANE = ROWS - 5
LINES = [f"{'    ' * (number % 4)}if value_{number} == {number}:  # ünï → {number}" for number in range(200)]


class Both:
    """The shell in the pane, and one beside it that nothing of ours touches."""

    def __init__(self, pane: Tmux, plain: Tmux) -> None:
        self.pane, self.plain = pane, plain

    def keys(self, *names: str) -> None:
        """Press keys in both."""
        for window in (self.pane, self.plain):
            window.keys(*names)

    def type(self, text: str, *keys: str) -> None:
        """Type a text in both, and keys after it."""
        for window in (self.pane, self.plain):
            window.type(text)
            if keys:
                window.keys(*keys)

    def escape(self) -> None:
        """Leave the insert mode. What follows so soon that one read takes both would be a key with Alt, to vim too."""
        self.keys("Escape")
        for window in (self.pane, self.plain):
            window.wait(lambda screen: "-- INSERT --" not in "\n".join(screen), "the normal mode")

    def leave(self) -> None:
        """Save and leave vim; the screen of the shell is back."""
        self.type(":wq", "Enter")
        for window in (self.pane, self.plain):  # vim throws away what is typed while it ends
            window.wait(lambda screen: any(line.startswith("$") for line in screen), "the shell's screen")
        self.type("echo ba''ck", "Enter")
        self.same("back")

    def same(self, text: str) -> None:
        """Wait until both show the text, and the same."""
        self.plain.wait(lambda screen: text in "\n".join(screen), text)
        expected = self.plain.screen()[:PANE]
        self.pane.wait(lambda screen: inner(screen) == expected, f"the plain screen with {text!r}")
        x, y, shown = self.plain.cursor()
        self.pane.wait(lambda _: self.pane.cursor() == (x, y + 3, shown), f"the cursor at {x}, {y}, shown: {shown}")


def inner(screen: list[str]) -> list[str]:
    """What the pane shows."""
    return screen[3 : 3 + PANE]


@pytest.fixture
def both(tmp_path: Path, remote: RemoteAgent) -> Iterator[Both]:
    """A login shell in the pane and a plain one, each then in a folder of its own with the same short prompt."""
    pane, plain = Tmux(tmp_path, COLS, ROWS), Tmux(tmp_path / "plain", COLS, PANE)
    (tmp_path / "plain").mkdir()
    command = [sys.executable, "-m", "komodo_tui", "--home", str(tmp_path / "home"),
               "--ssh-config", str(remote.server.ssh_config)]  # fmt: skip
    subprocess.run(
        [*command, "server", "add", "alpha", remote.server.name, "--agent-socket", str(remote.socket), "--no-install",
         "-y"], check=True, capture_output=True,
    )  # fmt: skip
    try:
        pane.start("env", f"DOCKER_HOST={remote.server.docker_host}", *command)
        plain.start("sh")
        pane.wait(lambda screen: any("alpha" in line and "live" in line for line in screen), "the server")
        pane.type("/alpha")
        pane.keys("Enter")
        pane.wait(lambda screen: "filter: alpha" in "\n".join(screen), "the server alone")
        pane.type("s")
        pane.wait(lambda screen: "TERMINAL" in screen[2], "the shell")
        for window, name in ((pane, "one"), (plain, "two")):
            folder = tmp_path / name / "repo"
            folder.mkdir(parents=True)
            clean = f"exec env -i PATH=\"$PATH\" LANG=C.UTF-8 TERM=xterm-256color HOME={folder} EDITOR='vim -u NONE -N'"
            window.type(f"cd {folder}; {clean} PS1='$ ' bash --norc")
            window.keys("Enter")
            window.type("clear; git init -q .; git config user.name V; git config user.email v@v; clear; echo re''ady")
            window.keys("Enter")
            window.wait(lambda screen: "ready" in [line.strip() for line in screen], "the clean shell")
        yield Both(pane, plain)
    finally:
        pane.stop()
        plain.stop()


def test_an_edit_a_commit_and_a_paste(both: Both, tmp_path: Path) -> None:
    both.type("clear; vim -u NONE -N --cmd 'set ruler' notes.txt", "Enter")
    both.same("0,0-1")
    _edit(both)
    both.leave()
    assert (tmp_path / "one/repo/notes.txt").read_text() == (tmp_path / "two/repo/notes.txt").read_text()
    _commit(both, tmp_path)
    _paste_into_vim(both, tmp_path)
    _paste_into_cat(both, tmp_path)


def test_every_key_reaches_the_program(both: Both) -> None:
    """Those that the program itself, Textual or a terminal's driver would like to have are among them."""
    keys = (
        "C-c", "C-p", "C-q", "C-z", "C-s", "C-r", "C-h", "C-w", "C-t", "C-Space", "Tab", "BTab", "M-b", "M-.",
        "M-Enter", "F1", "F2", "F5", "F11", "S-F3", "C-Left", "M-Up", "PageUp", "DC", "BSpace", "Enter", "Escape",
    )  # fmt: skip
    both.type("clear; stty raw -echo; echo list''ening; cat -v", "Enter")
    for window in (both.pane, both.plain):
        window.wait(lambda screen: any("listening" in line for line in screen), "cat")
    for key in keys:
        both.keys(key)
        both.type(f"<{len(key)}>")
    both.pane.keys("C-]", "C-]")
    both.plain.keys("C-]")
    both.type("end")
    both.plain.wait(lambda screen: "end" in "".join(screen), "the last keys")
    expected = "".join(both.plain.screen()[:PANE])
    both.pane.wait(lambda screen: "".join(inner(screen)) == expected, f"the same keys: {expected}")


def _edit(both: Both) -> None:
    both.type("ione two three")
    both.keys("Enter")
    both.type("größe → 漢字")
    both.keys("Enter", "Tab")
    both.type("indented")
    both.escape()
    both.type("ggyyP")
    both.same("1,1")
    both.type("j")
    both.keys("C-v")  # a block: a key that many programs around a terminal take for themselves
    both.type("jI# ")
    both.escape()
    both.same("# größe")
    both.type(":%s/one/ONE/g", "Enter")
    both.same("ONE two")
    both.type("u")
    both.keys("C-r")
    both.type("/indent", "Enter")
    both.type("dw")
    both.keys("C-g", "C-l")
    both.type("G")
    both.same("ONE two")


def _commit(both: Both, folder: Path) -> None:
    both.type("clear; git add notes.txt; git commit", "Enter")
    both.same("Please enter the commit message")
    both.type("iSay ONE instead of one")
    both.keys("Enter", "Enter")
    both.type("Because it is louder.")
    both.escape()
    both.same("louder.")
    both.type(":wq", "Enter")
    both.plain.wait(lambda screen: "1 file changed" in "\n".join(screen), "the commit")
    both.pane.wait(lambda screen: "1 file changed" in "\n".join(screen), "the commit")
    for name in ("one", "two"):
        log = subprocess.run(
            ["git", "-C", str(folder / name / "repo"), "log", "--format=%B"], capture_output=True, text=True, check=True
        )  # fmt: skip
        assert log.stdout.strip() == "Say ONE instead of one\n\nBecause it is louder."


def _paste_into_vim(both: Both, folder: Path) -> None:
    """Without bracketed paste, ``autoindent`` would make stairs of it."""
    both.type("clear; vim -u NONE -N --cmd 'set ruler autoindent' pasted.py", "Enter")
    both.same("0,0-1")
    both.type("i")
    both.same("INSERT")
    for window in (both.pane, both.plain):
        window.paste("\n".join(LINES))
    both.same("→ 199")
    both.escape()
    both.leave()
    assert (folder / "one/repo/pasted.py").read_text() == "\n".join(LINES) + "\n"


def _paste_into_cat(both: Both, folder: Path) -> None:
    """A program that takes each line as typed: the pane asks first."""
    pane = both.pane
    pane.type("clear; echo wai''ting; cat > typed.py; sha256sum typed.py")
    pane.keys("Enter")
    pane.wait(lambda screen: "waiting" in screen[3], "cat, which takes no bracketed paste")
    pane.paste("\n".join(LINES) + "\n")
    pane.wait(lambda screen: any("paste 200 lines?" in line for line in screen), "the question")
    pane.keys("y")
    pane.wait(lambda screen: "→ 199" in "\n".join(screen), "the last line")
    pane.keys("C-d")
    expected = hashlib.sha256(("\n".join(LINES) + "\n").encode()).hexdigest()
    pane.wait(lambda screen: expected in "\n".join(screen), "the same bytes")
