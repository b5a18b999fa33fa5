"""vttest: the screens at its checkpoints, as xterm has them."""

from __future__ import annotations

import json

import pytest

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import make_core
from tests.unit.terminal.screens import Picture
from tests.unit.terminal.vttest import COLS, FOLDER, ROWS

CHECKPOINTS: dict[str, tuple[int, str]] = json.loads((FOLDER / "vttest.screens").read_text())
OUTPUT = (FOLDER / "vttest.bytes").read_bytes()
FAILING = {
    "3 item 8": "an underscore of the line drawing set is a blank in xterm, an underscore in the core and in tmux",
    "3 item 9": "the core has no Latin-1 as a set of 96 characters, nor has tmux",
    "3 item 10": "the same, and bytes that are no UTF-8",
}
"""What is known to be otherwise. It can only become less."""


def test_there_are_40_checkpoints() -> None:
    assert len(CHECKPOINTS) == 40
    assert set(FAILING) < set(CHECKPOINTS)


def shown(name: str) -> str:
    """The core's screen at a checkpoint."""
    core = make_core("ghostty", COLS, ROWS, Options())
    place = CHECKPOINTS[name][0]
    for start in range(0, place, 1000):
        core.feed(OUTPUT[start : min(start + 1000, place)])
    picture = Picture().take(core.take_frame(force=True))
    core.close()
    return "\n".join(picture.lines)


def same() -> int:
    """How many of the checkpoints are as in xterm."""
    return sum(shown(name) == expected for name, (_, expected) in CHECKPOINTS.items())


@pytest.mark.parametrize("name", CHECKPOINTS, ids=lambda name: name.replace(" ", "-"))
def test_the_screen_is_as_xterm_has_it(name: str) -> None:
    pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")
    screen = shown(name)
    assert (screen == CHECKPOINTS[name][1]) is (name not in FAILING), screen
