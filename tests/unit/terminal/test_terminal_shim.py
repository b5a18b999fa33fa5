"""What is put right in front of the native core."""

from __future__ import annotations

import pytest

from komodo_tui.ui.terminal.core import Options
from komodo_tui.ui.terminal.ghostty_shim import Shim
from tests.unit.terminal.screens import Picture

ghostty = pytest.importorskip("komodo_tui.ui.terminal.ghostty", reason="pyghostty has no wheel here")


def screen(data: bytes, cut: int = 1000) -> Picture:
    """The picture after output that came in pieces."""
    core = ghostty.GhosttyCore(20, 6, Options())
    try:
        for start in range(0, len(data), cut):
            core.feed(data[start : start + cut])
        return Picture().take(core.take_frame(force=True))
    finally:
        core.close()


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
def test_a_soft_reset_sets_back_all_but_cursor_and_picture(cut: int) -> None:
    before = b"\x1b[2;4r\x1b[?6h\x1b[4h\x1b[?1h\x1b[?25l\x1b[31m\x1b(0lqk\x1b[2;3H"
    picture = screen(before + b"\x1b[!pq", cut)
    assert picture.lines == ["", "┌─┐", "  q"]
    assert picture.frame is not None
    assert picture.frame.cursor.visible
    assert 1 not in picture.frame.modes
    assert 6 not in picture.frame.modes
    assert picture.style(2, 2) == 0, "no colour"
    assert (picture.frame.cursor.x, picture.frame.cursor.y) == (3, 2), "where it was"


@pytest.mark.parametrize("cut", [1, 2, 1000])
def test_what_is_no_soft_reset_stays(cut: int) -> None:
    assert screen(b"a\x1b[!q\x1b[31mb\x1b[1;5Hc", cut).lines == ["ab  c"]


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_tab_stop_is_cleared_without_a_number(cut: int) -> None:
    assert screen(b"\x1b[1;9H\x1b[g\x1b[1;1Ha\tb", cut).lines == ["a               b"]


def test_del_takes_no_cell() -> None:
    assert screen(b"a\x7fb\x7f").lines == ["ab"]


def test_only_the_start_of_a_sequence_is_held_back() -> None:
    shim = Shim()
    assert list(shim.pieces(b"text\x1b", 80)) == [b"text"]
    assert list(shim.pieces(b"[", 80)) == [b""]
    assert list(shim.pieces(b"31mred", 80)) == [b"\x1b[31mred"]
    assert list(shim.pieces(b"more", 80)) == [b"more"]


@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_no_more_than_a_screenful_is_repeated(cut: int) -> None:
    shim = Shim()
    data = b"x\x1b[99999999b\x1b[3b\x1b[1234my"
    pieces = [piece for start in range(0, len(data), cut) for piece in shim.pieces(data[start : start + cut], 120)]
    assert b"".join(filter(None, pieces)) == b"x\x1b[120b\x1b[3b\x1b[1234my"
    assert screen(data, cut).lines == ["x" * 20] * 5 + ["x" * 4 + "y"]
