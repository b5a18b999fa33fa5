"""The program itself in a real terminal: a shell in a container outlives it, and a plain shell reaches the same one."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.ui.terminal.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
def tmux(tmp_path: Path, server: Server, box: str) -> Iterator[Tmux]:
    """A plain shell in a real terminal; ``k`` in it is the program."""
    window = Tmux(tmp_path)
    words = ["env", f"KOMODO_TUI_HOME={tmp_path}/home", f"DOCKER_HOST={server.docker_host}",
             sys.executable, "-m", "komodo_tui"]  # fmt: skip
    rc = tmp_path / "rc"
    rc.write_text(f"PS1='$ '\nk() {{ {shlex.join(words)} \"$@\"; }}\n")
    window.start("env", f"ENV={rc}", "sh", "-i")
    window.wait(lambda screen: "$" in screen[0], "the shell")
    try:
        yield window
    finally:
        window.stop()


def shows(tmux: Tmux, text: str) -> list[str]:
    """Wait for a text."""
    return tmux.wait(lambda screen: any(text in line for line in screen), text)


def run(tmux: Tmux, line: str) -> None:
    """Type a line."""
    tmux.type(line)
    tmux.keys("Enter")


def test_exec_is_as_docker_exec_and_attach_goes_back(tmux: Tmux) -> None:
    run(tmux, "k exec -it box; echo co''de $?")
    shows(tmux, "/ #")
    run(tmux, "stty size; echo fr''om-exec")
    assert any("24 80" in line for line in shows(tmux, "from-exec"))
    tmux.keys("C-]")
    tmux.keys("d")
    shows(tmux, "left box@local; its program goes on")
    shows(tmux, "code 0")
    run(tmux, "clear; k attach --list")
    shows(tmux, "running")
    run(tmux, "clear; k attach box; echo co''de $?")
    shows(tmux, "from-exec")
    run(tmux, "exit 7")
    shows(tmux, "code 7")
    run(tmux, "clear; k attach --list --json; echo do''ne")
    screen = shows(tmux, "done")
    assert screen[0] == "[]"
    run(tmux, "clear; k exec box no-such; echo co''de $?")
    shows(tmux, "code 127")
    run(tmux, "clear; k exec -T box no-such; echo co''de $?")
    shows(tmux, "code 127")
    run(tmux, "clear; k actions")
    shows(tmux, "open terminal")


def test_the_screen_of_a_program_comes_back_as_it_was(tmux: Tmux) -> None:
    run(tmux, "k exec box -- vi /etc/group")
    tmux.wait(lambda screen: "~" in screen, "the editor")
    tmux.keys("A")
    tmux.type("changed")
    tmux.keys("Escape")
    before, cursor = shows(tmux, "[Modified]"), tmux.cursor()
    tmux.keys("C-]")
    tmux.keys("d")
    shows(tmux, "left box@local")
    run(tmux, "clear; k attach")
    assert shows(tmux, "[Modified]") == before
    assert tmux.cursor() == cursor
    tmux.type(":q!")
    tmux.keys("Enter")
    shows(tmux, "$")


def test_a_shell_outlives_the_program_and_is_in_its_list(tmux: Tmux) -> None:
    run(tmux, "k")
    tmux.wait(lambda screen: "Servers" in screen[0], "the program")
    tmux.keys("3")
    shows(tmux, "box")
    tmux.keys("s")
    shows(tmux, "/ #")
    run(tmux, "echo bef''ore; stty size")
    shows(tmux, "before")
    tmux.keys("C-]")
    shows(tmux, " PANE ")
    tmux.keys("C-q")
    tmux.wait(lambda screen: any(line == "$" for line in screen), "the shell, without a question")
    run(tmux, "clear; k")
    tmux.wait(lambda screen: "Servers" in screen[0], "the program")
    tmux.keys("T")
    shows(tmux, "box@local")
    shows(tmux, "before")
    tmux.keys("Enter")
    shows(tmux, " TERMINAL ")
    run(tmux, "exit")
    shows(tmux, "ended")
    tmux.keys("Enter")
    tmux.wait(lambda screen: not any("box@local" in line for line in screen), "an empty list")
    tmux.keys("C-q")
    shows(tmux, "$")
