"""Escape sequences and markup from outside, taken through every screen of the running program in a real terminal.

Everything a stranger can name or write on a server carries both: labels, variables, commands, processes, health
output, log lines, engine errors. What the program writes to its terminal is recorded byte by byte.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.terminal.tmux import Tmux
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

TITLE = "\x1b]0;KMDTITLE\x07"
CLIPBOARD = "\x1b]52;c;S01EQ0xJUA==\x07"
REPORT = "\x1b[6n\x1b[5;7mKMDBLINK"
LINK = "\x1b]8;;http://kmd.example/\x1b\\KMDLINK\x1b]8;;\x1b\\"
C1 = "\x9d0;KMDC1\x9c"
MARKUP = "[bold red]KMDMARK[/bold red][@click=app.quit]KMDCLICK[/]"
EVIL = f"{MARKUP}{TITLE}{CLIPBOARD}{REPORT}{LINK}{C1}"

_FORBIDDEN = {
    "a title": rb"\x1b\](?:0|2);KMD",
    "the clipboard": rb"\x1b\]52;c;S01E",
    "a link": rb"\x1b\]8;[^\x1b\x07]*kmd",
    "a report": rb"\x1b\[6n",
    "a blink": rb"\x1b\[5;7m",
    "a C1 control": rb"\xc2[\x80-\x9f]|\x9d0;KMD",
}


@pytest.fixture
def evil(server: Server) -> Server:
    """A server whose containers are as hostile as the engine lets them be."""
    loop = f"while :; do printf '%s\\n' \"$EVIL\"; sleep 1; done # {MARKUP}"
    server.docker(
        "run", "-d", "--name", "kmd-talks", "--label", f"kmd={EVIL}", "--label", f"com.docker.compose.project={EVIL}",
        "-e", f"EVIL={EVIL}", "--health-cmd", 'echo "$EVIL"; false', "--health-interval", "1s", "busybox",
        "sh", "-c", loop, EVIL,
    )  # fmt: skip
    server.docker("create", "--name", "kmd-fails", "--label", f"[red]k[/]={EVIL}", "busybox", f"/bin/{MARKUP}{REPORT}")
    server.docker("volume", "create", "--label", f"kmd={EVIL}", "--label", "[red]k=v[/red]", "kmd-volume")
    return server


@pytest.fixture
def cloned(tmp_path: Path, evil: Server) -> dict[str, str]:
    """A repo whose commits, authors and files are as hostile, cloned here; the environment of the program."""
    author = Author(tmp_path)
    name = f"kmd{TITLE}{CLIPBOARD}{C1}[bold red]".replace("/", "")
    (author.work / name).write_text(f"{EVIL}\n")
    author.push(f"KMDSUBJECT {EVIL}")
    found = {
        "DOCKER_HOST": evil.docker_host, "KOMODO_TUI_HOME": str(tmp_path / "home"),
        "KOMODO_AGENT_REPO_ROOTS": str(tmp_path),
    }  # fmt: skip
    repo = {"name": "kmd", "url": f"file://{author.bare}", "servers": ["local"], "description": EVIL, "links": [EVIL]}
    (tmp_path / "fleet.yaml").write_text(json.dumps({"repos": [repo]}))
    for words in (("apply", "-f", str(tmp_path / "fleet.yaml")), ("repo", "clone", "kmd")):
        subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words, "--yes"], env={**os.environ, **found}, check=True,
            capture_output=True,
        )  # fmt: skip
    (next((tmp_path / "home").rglob("repos/kmd/files")) / name).write_text(f"{EVIL}\nKMDCHANGED\n")
    return found


@pytest.fixture
def terminal(tmp_path: Path, cloned: dict[str, str]) -> Iterator[Tmux]:
    """The program in a window of its own tmux, its output recorded."""
    tmux = Tmux(tmp_path, 120, 40)
    program = Path(sys.executable).with_name("komodo-tui")
    run = f"read go; env {' '.join(f'{key}={value}' for key, value in cloned.items())} {program}"
    tmux.start("sh", "-c", f"{run}; read stay")
    tmux.record(tmp_path / "bytes")
    tmux.keys("Enter")
    yield tmux
    tmux.stop()


def shows(*texts: str) -> Callable[[list[str]], bool]:
    """A condition: all of these are on the screen."""
    return lambda screen: all(any(text in line for line in screen) for text in texts)


def test_nothing_from_outside_reaches_the_terminal(terminal: Tmux, tmp_path: Path) -> None:
    def go(keys: str, *texts: str) -> None:
        terminal.keys(*keys.split())
        terminal.wait(shows(*texts), f"{texts} after {keys}")

    def leave(text: str) -> None:
        """Esc, and nothing after it before the dialog with this text is gone: Esc and a key in one go are Alt+key."""
        terminal.keys("Escape")
        terminal.wait(lambda screen: not any(text in line for line in screen), f"the end of {text}")

    terminal.wait(shows("live"), "the first server")
    go("Enter", "Graphs")
    go("]", "kmd-talks", "[bold red]K")  # its containers, the stack named by a label
    for title in ("MOUNTED ON", "DEVICE", "COMMAND", "Definition"):
        go("]", title)
    go("3", "kmd-talks", "kmd-fails")
    go("/", "/")
    go("t a l k s Enter", "filter: talks")
    go("Enter", "restarts")
    go("]", "of a core")
    go("]", "KMDMARK[/bold red][@click=app.quit]KMDCLICK")
    go("]", "failures in a row", "KMDMARK")
    go("]", "PID", "[bold red]")
    go("]", '"Args"')
    terminal.keys("G")
    go("R", "docker restart kmd-talks")
    leave("docker restart kmd-talks")
    go("m", "freeze its processes")
    leave("freeze its processes")
    go("c", "labels")
    go("l", "copied labels")
    go("l", "KMDMARK[/bold red][@click=app.quit]KMDCLICK")  # the logs
    go("i", "KMDMARK")
    go("Escape", "[Inspect]")
    go("Escape", "filter: talks")
    go("Escape", "kmd-fails")
    go("/", "/")
    go("f a i l s Enter", "filter: fails")
    go("U", "The Actions tab keeps it", "KMDMARK")  # the engine's own words in a dialog
    leave("The Actions tab keeps it")
    go("9", "Actions 3", "kmd-fails@local")
    go("Enter", "docker start kmd-fails")
    go("Escape", "TARGET")
    go("?", "Keys: Actions")
    leave("Keys: Actions")
    go("2", "kmd-volume")
    go("/", "/")
    go("k m d - v o l Enter", "filter: kmd-vol")
    go("Enter", "KMDMARK")
    go("]", "KMDMARK")
    go("5", "[bold red]K")  # a project that a label made up
    go("Enter", "kmd-talks")
    go("4", "Stacks")
    go("7", "Repos", "1 changed")
    go("Enter", "KMDSUBJECT", "KMDCHANGED")  # the log and the differences
    go("f", "compose.yaml", "kmd")
    go("Escape", "KMDSUBJECT")
    go("y", "description:")
    go("Escape", "KMDSUBJECT")
    go("m", "clone anew")
    leave("clone anew")
    go("Escape", "LAST MESSAGE")
    go("8", "rocedure")
    go("0", "More")
    leave("More")
    go("g a", "Alerts")
    go("g v", "ariable")
    go("g e", "chedule")
    go("g i", "THEME")
    go("3", "filter: fails")
    go(":", "Resources")
    terminal.type("kmd-fa")
    terminal.wait(shows("restart kmd-fails"), "the palette's finds")
    leave("restart kmd-fails")
    terminal.keys("C-q")
    recorded = terminal.ended(tmp_path / "bytes")
    for what, pattern in _FORBIDDEN.items():
        assert not re.search(pattern, recorded), f"{what} came through"


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_each_pattern_finds_what_was_sent(what: str) -> None:
    assert re.search(_FORBIDDEN[what], EVIL.encode())
