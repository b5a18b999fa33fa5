"""What every core does beside putting text in its place."""

from __future__ import annotations

import base64
import pickle
from typing import TYPE_CHECKING

import pytest

from komodo_tui.ui.terminal import styles
from komodo_tui.ui.terminal.core import CLIPBOARD_LIMIT, KeyInput, Mods, MouseAction, MouseInput
from tests.unit.terminal.screens import Picture

if TYPE_CHECKING:
    from tests.unit.terminal.conftest import OpenCore


@pytest.mark.parametrize(
    ("sgr", "expected"),
    [
        ("1", styles.BOLD), ("2", styles.FAINT), ("3", styles.ITALIC), ("4", styles.UNDERLINE), ("5", styles.BLINK),
        ("7", styles.INVERSE), ("8", styles.INVISIBLE), ("9", styles.STRIKE), ("21", styles.DOUBLE_UNDERLINE),
        ("53", styles.OVERLINE), ("1;4", styles.BOLD | styles.UNDERLINE),
        ("31", styles.pack(styles.palette(1), 0, 0)), ("97", styles.pack(styles.palette(15), 0, 0)),
        ("42", styles.pack(0, styles.palette(2), 0)), ("38;5;200", styles.pack(styles.palette(200), 0, 0)),
        ("48;2;1;2;3", styles.pack(0, styles.rgb(1, 2, 3), 0)),
        ("38:2::255:128:0", styles.pack(styles.rgb(255, 128, 0), 0, 0)), ("31;0", 0),
    ],
)  # fmt: skip
async def test_attributes_and_colours(open_core: OpenCore, sgr: str, expected: int) -> None:
    core = await open_core()
    await core.feed(f"\x1b[{sgr}mX\x1b[0my".encode())
    picture = Picture().take(await core.take_frame())
    assert picture.style(0, 0) == expected
    assert picture.style(1, 0) == 0


async def test_erased_cells_keep_the_background(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b[44mab\x1b[K")
    picture = Picture().take(await core.take_frame())
    assert {picture.style(x, 0) for x in range(20)} == {styles.pack(0, styles.palette(4), 0)}


async def test_a_row_is_told_in_full_and_only_when_it_changed(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"one\r\ntwo\r\nthree")
    first = await core.take_frame()
    assert first.full
    assert [y for y, _ in (await core.take_frame()).dirty] == []
    await core.feed(b"\x1b[2;1HTWO")
    second = await core.take_frame()
    assert not second.full
    rows = dict(second.dirty)
    assert 0 not in rows
    assert rows[1][0][0] == "TWO"


async def test_wide_and_combined_cells_tell_their_width(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed("a漢字b".encode())
    rows = dict((await core.take_frame()).dirty)
    assert [(text, cells) for text, _, cells in rows[0]] == [("a", 1), ("漢字", 4), ("b", 1)]


async def test_frames_can_be_sent(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b[31mx\x1b]0;title\x07")
    frame = await core.take_frame()
    assert pickle.loads(pickle.dumps(frame)) == frame


async def test_cells_hold_no_control_characters(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"a\x7fb\xc2\x85c\xc2\x9bd")
    for _, row in (await core.take_frame()).dirty:
        for text, _, _ in row:
            assert text.isprintable()


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (b"\x1b[5n", b"\x1b[0n"), (b"\x1b[3;4H\x1b[6n", b"\x1b[3;4R"), (b"\x1b[?7$p", b"\x1b[?7;1$y"),
        (b"\x1b[?2004$p", b"\x1b[?2004;2$y"), (b"\x1b[18t", b"\x1b[8;6;20t"),
    ],
)  # fmt: skip
async def test_device_reports(open_core: OpenCore, query: bytes, answer: bytes) -> None:
    core = await open_core()
    assert await core.feed(query) == answer


async def test_device_attributes_are_answered(open_core: OpenCore) -> None:
    core = await open_core()
    assert (await core.feed(b"\x1b[c")).startswith(b"\x1b[?6")
    assert (await core.feed(b"\x1b[>c")).startswith(b"\x1b[>")
    assert b"rgb:0000/0000/0000" in await core.feed(b"\x1b]11;?\x1b\\")


async def test_title_bell_and_reports_of_size(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed("\x1b]2;vim ünï\x07\x07\x07".encode())
    frame = await core.take_frame()
    assert (frame.title, frame.bells) == ("vim ünï", 2)
    again = await core.take_frame()
    assert (again.title, again.bells) == (None, 0)
    await core.feed(b"\x1b[?2048h")
    assert b"48;10;30;" in await core.resize(30, 10)


async def test_clipboard_writes_are_taken_up_to_a_size(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b]52;c;" + base64.b64encode("héllo".encode()) + b"\x07")
    assert (await core.take_frame()).clipboard == "héllo"
    await core.feed(b"\x1b]52;c;" + base64.b64encode(b"x" * (CLIPBOARD_LIMIT + 3)) + b"\x07")
    assert (await core.take_frame()).clipboard is None
    assert await core.feed(b"\x1b]52;c;?\x07") in (b"", b"\x1b]52;c;\x07"), "what is in the clipboard is not told"


@pytest.mark.parametrize(
    ("style", "shape", "blink"),
    [
        (1, "block", True),
        (2, "block", False),
        (3, "underline", True),
        (4, "underline", False),
        (5, "bar", True),
        (6, "bar", False),
    ],
)
async def test_cursor_shapes(open_core: OpenCore, style: int, shape: str, blink: bool) -> None:
    core = await open_core()
    await core.feed(f"ab\x1b[{style} q".encode())
    cursor = (await core.take_frame()).cursor
    assert (cursor.x, cursor.y, cursor.visible, cursor.shape, cursor.blink) == (2, 0, True, shape, blink)
    await core.feed(b"\x1b[?25l")
    assert not (await core.take_frame()).cursor.visible


async def test_modes_are_told(open_core: OpenCore) -> None:
    core = await open_core()
    assert {7, 25} <= (await core.take_frame()).modes
    await core.feed(b"\x1b[?1h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?7l\x1b[?1049h")
    frame = await core.take_frame()
    assert {1, 1002, 1006, 2004, 1004} <= frame.modes
    assert 7 not in frame.modes
    assert frame.alternate


async def test_a_program_can_hold_the_drawing_back(open_core: OpenCore) -> None:
    core = await open_core()
    await core.take_frame()
    await core.feed(b"\x1b[?2026hhalf")
    held = await core.take_frame()
    assert held.held
    assert not held.dirty
    assert Picture().take(await core.take_frame(force=True)).line(0) == "half"
    await core.feed(b" done\x1b[?2026l")
    assert Picture().take(await core.take_frame()).line(0) == "half done"


# -- history ------------------------------------------------------------------------------------------------------


async def test_scrolling_back_and_following_again(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"".join(b"line %d\r\n" % number for number in range(50)) + b"end")
    bar = await core.scrollbar()
    assert (bar.total, bar.offset, bar.length, bar.below) == (51, 45, 6, 0)
    assert (await core.scroll(-10)).below == 10
    picture = Picture().take(await core.take_frame())
    assert picture.line(0) == "line 35"
    assert picture.frame is not None
    assert not picture.frame.cursor.visible
    await core.feed(b"\r\nmore\r\nand more")
    assert Picture().take(await core.take_frame(force=True)) is not None
    again = await core.scroll(0)
    assert again.offset == 35, "the view stays where it is while output arrives"
    assert (await core.scroll_to(0)).offset == 0
    assert Picture().take(await core.take_frame()).line(0) == "line 0"
    assert (await core.scroll_bottom()).below == 0
    assert Picture().take(await core.take_frame()).line(5) == "and more"


async def test_the_alternate_screen_has_no_history(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b[?1049h" + b"x\r\n" * 30)
    assert (await core.scroll(-5)).below == 0


async def test_history_wraps_again_at_another_width(open_core: OpenCore, core_name: str) -> None:
    core = await open_core()
    await core.feed(b"0123456789abcdefghijKLMNO\r\nnext")
    await core.resize(30, 6)
    assert Picture().take(await core.take_frame()).lines == ["0123456789abcdefghijKLMNO", "next"]
    await core.resize(10, 6)
    assert Picture().take(await core.take_frame()).lines == ["0123456789", "abcdefghij", "KLMNO", "next"]


async def test_search_finds_across_wrapped_lines(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"Error one\r\n" + b"x\r\n" * 20 + "漢 error two\r\n".encode() + b"aaaaaaaaaaaaaaaaaERRORbb")
    hits = await core.search("error")
    assert [(hit.row, hit.col, hit.end_row, hit.end_col) for hit in hits] == [
        (0, 0, 0, 5), (21, 3, 21, 8), (22, 17, 23, 2),
    ]  # fmt: skip
    assert [hit.row for hit in await core.search("ERROR")] == [22]
    assert await core.search("nowhere") == []
    assert await core.search("") == []
    assert len(await core.search("x", limit=5)) == 5


async def test_text_joins_wrapped_lines_and_drops_blanks(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"0123456789abcdefghijKLMNO\r\nnext   \r\nlast")
    assert await core.text(0, 0, 3, 19) == "0123456789abcdefghijKLMNO\nnext\nlast"
    assert await core.text(0, 5, 0, 7) == "567"
    assert await core.text(2, 1, 3, 1) == "ext\nla"


async def test_history_is_bounded(open_core: OpenCore) -> None:
    core = await open_core(history=200)
    for _ in range(20):
        await core.feed(b"".join(b"%020d\r\n" % number for number in range(1000)))
    assert 200 <= (await core.scrollbar()).total < 5_000, "the native core forgets page by page"


# -- sizes --------------------------------------------------------------------------------------------------------


async def test_sizes_are_clamped(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"hello")
    await core.resize(1, 1)
    frame = await core.take_frame()
    assert (frame.cols, frame.rows) == (4, 2)
    await core.resize(5000, 5000)
    frame = await core.take_frame()
    assert (frame.cols, frame.rows) == (1000, 500)


async def test_a_storm_of_resizes_keeps_the_text(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"first line\r\nsecond line")
    for step in range(100):
        await core.resize(20 + step % 37, 3 + step % 11)
        await core.feed(b"\x1b[?25h")
        if step % 7 == 0:
            await core.take_frame()
    await core.resize(40, 10)
    lines = Picture().take(await core.take_frame(force=True)).lines
    text = await core.text(0, 0, (await core.scrollbar()).total - 1, 39)
    assert "first line\nsecond line" in text
    assert lines


# -- input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modes", "action", "button", "mods", "expected"),
    [
        ("", "press", 1, 0, b""),
        ("1000;1006", "press", 1, 0, b"\x1b[<0;4;3M"),
        ("1000;1006", "release", 1, 0, b"\x1b[<0;4;3m"),
        ("1000;1006", "press", 3, 0, b"\x1b[<2;4;3M"),
        ("1000;1006", "press", 2, 0, b"\x1b[<1;4;3M"),
        ("1000;1006", "press", 4, 0, b"\x1b[<64;4;3M"),
        ("1000;1006", "press", 5, 0, b"\x1b[<65;4;3M"),
        ("1000;1006", "press", 1, Mods.CTRL, b"\x1b[<16;4;3M"),
        ("1000;1006", "press", 1, Mods.ALT, b"\x1b[<8;4;3M"),
        ("1000;1006", "move", 0, 0, b""),
        ("1003;1006", "move", 0, 0, b"\x1b[<35;4;3M"),
        ("1000", "press", 1, 0, b"\x1b[M $#"),
        ("1000", "release", 1, 0, b"\x1b[M#$#"),
        ("9", "press", 1, 0, b"\x1b[M $#"),
        ("9", "release", 1, 0, b""),
    ],
)  # fmt: skip
async def test_mouse(
    open_core: OpenCore, modes: str, action: MouseAction, button: int, mods: int, expected: bytes
) -> None:
    core = await open_core()
    if modes:
        await core.feed(f"\x1b[?{modes}h".encode())
    if action == "release" and expected:
        await core.encode_mouse(MouseInput("press", button, 3, 2, mods, True))
    assert await core.encode_mouse(MouseInput(action, button, 3, 2, mods, False)) == expected


async def test_dragging_is_told_where_the_program_wants_it(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b[?1002;1006h")
    await core.encode_mouse(MouseInput("press", 1, 0, 0, 0, True))
    assert await core.encode_mouse(MouseInput("move", 1, 5, 1, 0, True)) == b"\x1b[<32;6;2M"


async def test_paste_cannot_leave_its_brackets(open_core: OpenCore) -> None:
    core = await open_core()
    assert await core.encode_paste("a\nb") == b"a\rb"
    await core.feed(b"\x1b[?2004h")
    pasted = await core.encode_paste("x\x1b[201~rm -rf /\n")
    assert pasted.startswith(b"\x1b[200~x")
    assert pasted.endswith(b"\x1b[201~")
    assert pasted.count(b"\x1b") == 2


async def test_focus_is_told_to_those_who_asked(open_core: OpenCore) -> None:
    core = await open_core()
    assert await core.encode_focus(True) == b""
    await core.feed(b"\x1b[?1004h")
    assert (await core.encode_focus(True), await core.encode_focus(False)) == (b"\x1b[I", b"\x1b[O")


async def test_cursor_keys_follow_their_mode(open_core: OpenCore) -> None:
    core = await open_core()
    assert await core.encode_key(KeyInput("up")) == b"\x1b[A"
    await core.feed(b"\x1b[?1h")
    assert await core.encode_key(KeyInput("up")) == b"\x1bOA"
    assert await core.encode_key(KeyInput("up", Mods.CTRL)) == b"\x1b[1;5A"
    assert await core.encode_key(KeyInput("home")) == b"\x1bOH"


async def test_kitty_keys_for_programs_that_ask(open_core: OpenCore) -> None:
    core = await open_core()
    await core.feed(b"\x1b[>1u")
    assert (await core.take_frame()).keyboard == 1
    assert await core.encode_key(KeyInput("escape")) == b"\x1b[27u"
    assert await core.encode_key(KeyInput("c", Mods.CTRL)) == b"\x1b[99;5u"
    await core.feed(b"\x1b[<u")
    assert (await core.take_frame()).keyboard == 0
    assert await core.encode_key(KeyInput("c", Mods.CTRL)) == b"\x03"
