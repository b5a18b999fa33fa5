"""The 92 feature streams in random pieces: text, attributes and cursor as in tmux, or text and cursor as in xterm."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from typing import Any

import pytest

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import make_core
from tests.unit.terminal.features import COLS, FEATURES, ROWS, encoded
from tests.unit.terminal.screens import Picture
from tests.unit.terminal.test_terminal_recordings import tmux_rows
from tests.unit.terminal.vttest import FOLDER

SHOWN: dict[str, Any] = json.loads((FOLDER / "features.json").read_text())
FAILING = {
    "a flag": "its two letters take four cells unless the program asks for clusters (mode 2027)",
    "overlong and surrogate UTF-8": "each wrong byte is an error of its own, as the web has it; tmux drops them",
}
"""What is known to be otherwise. It can only become less."""


_UNSEEN = "\u200d\ufe0f\u200b\u20e3\uffff"
"""Marks without a width of their own, and what xterm prints for the second half of a wide character."""


def in_core(name: str, seed: int = 1) -> Picture:
    """The core's screen after a stream that came in pieces of 1 to 4096 bytes."""
    chance, core, data = random.Random(seed), make_core("ghostty", COLS, ROWS, Options()), encoded(FEATURES[name])
    while data:
        size = chance.choice((1, 2, 3, 7, 4096))
        core.feed(data[:size])
        data = data[size:]
    picture = Picture().take(core.take_frame(force=True))
    core.close()
    return picture


def comparable(text: str) -> str:
    """Text without what is seen alike: how a mark is put together, marks without a width, how many errors in a row."""
    text = "".join(char for char in unicodedata.normalize("NFC", text) if char not in _UNSEEN)
    return re.sub("\ufffd+", "\ufffd", text)


def differs(name: str) -> str:
    """How a stream is otherwise than in tmux and in xterm; empty where it is as in one of them."""
    picture, shown = in_core(name), SHOWN[name]
    assert picture.frame is not None
    cursor = [picture.frame.cursor.x, picture.frame.cursor.y]
    text = comparable("\n".join(picture.lines))
    rows = tmux_rows(shown["tmux"].replace("5:3m", "53m"), COLS, ROWS)
    theirs = comparable("\n".join("".join(cell.text for cell in row).rstrip() for row in rows).rstrip("\n"))
    place = [min(shown["tmux_cursor"][0], COLS - 1), shown["tmux_cursor"][1]]
    looks = [[picture.style(x, y) for x in range(COLS)] for y in range(ROWS)]
    if (text, looks, cursor) == (theirs, [[cell.style for cell in row] for row in rows], place):
        return ""
    in_xterm = comparable(printed(picture)) == comparable(shown["xterm"]) and cursor == shown["xterm_cursor"]
    if in_xterm and (text, cursor) != (theirs, place):  # where tmux has the same, it tells of the attributes too
        return ""
    return f"{text!r} {looks} {cursor}"


def printed(picture: Picture) -> str:
    """The text as xterm prints it: what is invisible is blank."""
    lines = []
    for y in range(ROWS):
        runs = picture.rows.get(y, [])
        lines.append(
            "".join(" " * cells if style_of(style) & styles.INVISIBLE else text for text, style, cells in runs)
        )
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def style_of(packed: int) -> int:
    """The attributes of a packed style."""
    return styles.unpack(packed)[2]


def test_there_are_92() -> None:
    assert len(FEATURES) == 92
    assert set(SHOWN) == set(FEATURES)


def alike() -> int:
    """How many of the streams are as in tmux or xterm."""
    return sum(not differs(name) for name in FEATURES)


@pytest.mark.parametrize("name", FEATURES, ids=lambda name: name.replace(" ", "-"))
def test_the_screen_is_as_in_tmux_or_xterm(name: str) -> None:
    pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")
    found = differs(name)
    assert bool(found) is (name in FAILING), f"{found} instead of {SHOWN[name]}"
