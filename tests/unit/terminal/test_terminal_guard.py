"""No hyperlink reaches the native core, however it is spelled and cut; nothing else is changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komodo_tui.ui.terminal.guard import Guard

ghostty = pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")

LINK = b"8;;http://x/\x1b\\link"
SPELLINGS = {
    "plain": b"\x1b]" + LINK,
    "nul inside": b"\x1b]\x00" + LINK,
    "cr inside": b"\x1b]\r" + LINK,
    "escape, control, bracket": b"\x1b\x01]" + LINK,
    "escape, bell, bracket": b"\x1b\x07]" + LINK,
    "escape, del, bracket": b"\x1b\x7f]" + LINK,
    "escape, high byte, bracket": b"\x1b\xe9]" + LINK,
    "after the number": b"\x1b]8\x01;;http://x/\x1b\\link",
    "with an id": b"\x1b]8;id=1;http://x/\x1b\\link",
    "bell terminated": b"\x1b]8;;http://x/\x07link",
    "two escapes": b"\x1b\x1b]" + LINK,
    "escape in csi": b"\x1b[1\x1b]" + LINK,
    "escape in dcs": b"\x1bPq\x1b]" + LINK,
    "escape in osc": b"\x1b]0;t\x1b]" + LINK,
    "c1 after escape": b"\x1b\x9d" + LINK,
    "c1 in csi": b"\x1b[1;2\x9d" + LINK,
    "c1 in apc": b"\x1b_abc\x9d" + LINK,
    "c1 after a high byte": b"\x1b[\xe2\x9d" + LINK,
}


def linked(data: bytes, cut: int, guarded: bool) -> bool:
    """Whether a cell has a hyperlink after the output came in pieces."""
    from pyghostty import Terminal, ffi, lib

    guard = Guard()
    with Terminal(20, 3) as terminal:
        for start in range(0, len(data), cut):
            piece = data[start : start + cut]
            terminal.feed(guard.clean(piece) if guarded else piece)
        cell, has = ffi.new("GhosttyCell*"), ffi.new("bool*")
        for y in range(3):
            for x in range(20):
                lib.ghostty_grid_ref_cell(terminal.ref(x, y), cell)
                lib.ghostty_cell_get(cell[0], lib.GHOSTTY_CELL_DATA_HAS_HYPERLINK, has)
                if has[0]:
                    return True
    return False


@pytest.mark.parametrize("cut", [1, 2, 3, 1000], ids=["byte by byte", "pairs", "threes", "whole"])
@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda name: name.replace(" ", "-"))
def test_no_spelling_passes(spelling: str, cut: int) -> None:
    assert linked(SPELLINGS[spelling], cut, guarded=False), "the core takes this one for a hyperlink"
    assert not linked(SPELLINGS[spelling], cut, guarded=True)


ALPHABET = [
    b"\x1b",
    b"]",
    b"\x9d",
    b"8",
    b";",
    b"\x00",
    b"\x07",
    b"[",
    b"P",
    b"_",
    b"\xe9",
    b"\x7f",
    b"\xe2\x80",
    b"\x18",
    b"0",
    b"\n",
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(ALPHABET), max_size=10), st.integers(1, 5))
def test_no_mixture_passes(start: list[bytes], cut: int) -> None:
    assert not linked(b"".join(start) + LINK, cut, guarded=True)
    assert not linked(b"".join(start) + b";;http://x/\x1b\\link", cut, guarded=True)


@pytest.mark.parametrize(
    "text",
    [b"", b"plain text", b"\x1b[31mred\x1b[0m", b"\x1b]0;title 8;\x07", b"\x1b]88;x\x07", b"\x1b]4;8;rgb:0/0/0\x07",
     b"\x1b]52;c;OA==\x07", "it\u2019s 8; \u201cquoted\u201d".encode(), b"\x1b7\x1b8;"],
)  # fmt: skip
def test_all_else_passes_unchanged(text: bytes) -> None:
    for cut in (1, 3, 1000):
        guard = Guard()
        assert b"".join(guard.clean(text[start : start + cut]) for start in range(0, len(text), cut)) == text


def test_a_quote_before_an_eight_gets_only_an_invisible_space() -> None:
    assert Guard().clean("\u201d8;".encode()).decode() == "\u201d8\u200b;"


def test_nothing_is_held_back_or_piled_up() -> None:
    guard = Guard()
    assert guard.clean(b"\x1b") == b"\x1b"
    for _ in range(1000):
        assert guard.clean(b"\x00" * 100) == b"\x00" * 100
    assert guard.clean(b"]8") == b"]8"
    assert guard.clean(b";;http://x/\x07") == "\u200b;;http://x/\x07".encode()
