"""Recorded programs: the screen they leave, cell by cell, against the one that tmux shows for the same output."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pytest

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.cores import make_core
from tests.unit.terminal.screens import Picture
from tests.unit.terminal.test_terminal_streams import pieces

FOLDER = Path(__file__).parent / "recordings"
COLS, ROWS = 80, 24
NAMES = sorted(path.stem for path in FOLDER.glob("*.out"))

_TOKEN = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\]8;[^\x1b]*\x1b\\|([\x0e\x0f])|([^\x1b\x0e\x0f])")
_GRAPHICS = dict(zip("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
_ATTRIBUTES = {
    1: styles.BOLD, 2: styles.FAINT, 3: styles.ITALIC, 4: styles.UNDERLINE, 5: styles.BLINK, 7: styles.INVERSE,
    8: styles.INVISIBLE, 9: styles.STRIKE, 53: styles.OVERLINE,
}  # fmt: skip

OTHERWISE = {"top": {(79, 7), (79, 8)}}
"""Cells, as column and row, in which the core and xterm agree and tmux does not: a line erased to its end while the
cursor waits behind the last column loses that column, but not in tmux."""


class Cell(NamedTuple):
    """A character and how it looks."""

    text: str
    style: int


def tmux_rows(text: str, cols: int = COLS, count: int = ROWS) -> list[list[Cell]]:
    """The rows of ``capture-pane -e``: a wide character is a cell and an empty one after it."""
    rows, front, back, attributes, graphics = [], 0, 0, 0, False
    for line in text.split("\n")[:count]:
        row: list[Cell] = []
        for match in _TOKEN.finditer(line):
            sgr, shift, char = match.groups()
            if sgr is not None:
                front, back, attributes = selected(sgr, front, back, attributes)
            elif shift is not None:
                graphics = shift == "\x0e"
            elif char is not None:
                add(row, _GRAPHICS.get(char, char) if graphics else char, styles.pack(front, back, attributes))
        rows.append((row + [Cell(" ", 0)] * cols)[:cols])
    return rows


def add(row: list[Cell], char: str, style: int) -> None:
    """One character more in a row."""
    if unicodedata.combining(char) and row:
        row[-1] = Cell(row[-1].text + char, row[-1].style)
        return
    row.append(Cell(char, style))
    if unicodedata.east_asian_width(char) in "WF":
        row.append(Cell("", style))


def selected(sgr: str, front: int, back: int, attributes: int) -> tuple[int, int, int]:
    """Colours and attributes after a sequence."""
    numbers = [int(word or 0) for word in sgr.replace(":", ";").split(";")]
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            front = back = attributes = 0
        elif number in _ATTRIBUTES:
            attributes |= _ATTRIBUTES[number]
        elif 30 <= number <= 37 or 90 <= number <= 97:
            front = styles.palette(number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            back = styles.palette(number - 40 if number < 100 else number - 92)
        elif number in (38, 48):
            color = styles.palette(numbers[1]) if numbers[0] == 5 else styles.rgb(*numbers[1:4])
            del numbers[: 2 if numbers[0] == 5 else 4]
            front, back = (color, back) if number == 38 else (front, color)
        elif number == 39:
            front = 0
        elif number == 49:
            back = 0
        else:
            raise AssertionError(f"tmux wrote SGR {sgr}")
    return front, back, attributes


def our_rows(picture: Picture, cols: int = COLS, count: int = ROWS) -> list[list[Cell]]:
    """The rows of a core."""
    rows = []
    for y in range(count):
        row: list[Cell] = []
        for text, style, cells in picture.rows.get(y, []):
            begin = len(row)
            for char in text:
                add(row, char, style)
            assert len(row) - begin == cells, f"row {y}: {text!r} takes {cells} cells"
        rows.append((row + [Cell(" ", 0)] * cols)[:cols])
    return rows


def test_there_are_recordings_of_all() -> None:
    assert NAMES == ["dialog", "htop", "less", "mc", "nano", "tmux", "top", "vim"]


def replayed(name: str, *, cut: bool) -> Picture:
    """The core's screen after a recording, whole or in pieces."""
    core = make_core("ghostty", COLS, ROWS, Options())
    data = (FOLDER / f"{name}.out").read_bytes()
    for piece in pieces(data, 1) if cut else [data]:
        core.feed(piece)
    picture = Picture().take(core.take_frame(force=True))
    core.close()
    return picture


def differences(name: str, picture: Picture) -> dict[tuple[int, int], str]:
    """The cells, as column and row, that are otherwise in tmux; the cursor counts as one at -1, -1."""
    cursor, _, screen = (FOLDER / f"{name}.screen").read_bytes().decode().partition("\n")
    ours, theirs = our_rows(picture), tmux_rows(screen)
    wrong = {
        (x, y): f"{x},{y}: {ours[y][x]} instead of {theirs[y][x]}"
        for y in range(ROWS)
        for x in range(COLS)
        if ours[y][x] != theirs[y][x]
    }
    assert picture.frame is not None
    found = picture.frame.cursor
    if [found.x, found.y, int(found.visible)] != [int(word) for word in cursor.split()]:
        wrong[-1, -1] = f"the cursor is {found} instead of {cursor}"
    return wrong


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_the_screen_is_as_tmux_has_it(name: str, *, cut: bool) -> None:
    pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")
    wrong = differences(name, replayed(name, cut=cut))
    assert set(wrong) == OTHERWISE.get(name, set()), f"{len(wrong)} cells:\n" + "\n".join([*wrong.values()][:20])
