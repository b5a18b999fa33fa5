"""The parts without a core or a screen: browsing, searching, restoring, widths, edges, the pump, the manager."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.style import Style
from rich.terminal_theme import MONOKAI
from textual.strip import Strip

from komodo_tui.domain.errors import HostUnreachableError, KomodoError
from komodo_tui.fleet.sessions import SessionEnd
from komodo_tui.ui.look import DEFAULT_LOOK
from komodo_tui.ui.terminal import chrome, pump, styles
from komodo_tui.ui.terminal.browse import Browse
from komodo_tui.ui.terminal.core import Cursor, Frame, Hit, Options, PaneCore, Scrollbar
from komodo_tui.ui.terminal.cores import LocalCore, make_core
from komodo_tui.ui.terminal.manager import MAX_OPEN, TerminalManager, TooManyTerminalsError
from komodo_tui.ui.terminal.picture import Picture, StyleTable, fitted, overlaid
from komodo_tui.ui.terminal.pump import Pump
from komodo_tui.ui.terminal.restore import LastPicture, Tail
from komodo_tui.ui.terminal.search import find, joined
from tests.unit.terminal import screens

if TYPE_CHECKING:
    from collections.abc import Iterable


# -- browse ---------------------------------------------------------------------------------------------------------


def browse(row: int = 95, col: int = 0) -> Browse:
    return Browse(cols=20, bar=Scrollbar(total=100, offset=90, length=10), row=row, col=col)


@pytest.mark.parametrize(
    ("key", "row", "col"),
    [
        ("j", 96, 4), ("k", 94, 4), ("up", 94, 4), ("ctrl+u", 90, 4), ("ctrl+d", 99, 4), ("pageup", 86, 4), ("g", 0, 4),
        ("G", 99, 4), ("h", 95, 3), ("l", 95, 5), ("0", 95, 0), ("dollar_sign", 95, 12), ("w", 95, 6), ("b", 95, 2),
        ("e", 95, 8), ("circumflex_accent", 95, 2), ("H", 90, 4), ("M", 95, 4), ("L", 99, 4),
    ],
)  # fmt: skip
def test_moving(key: str, row: int, col: int) -> None:
    at = browse(95, 4)
    assert at.move(key, lambda _: "  foo bar.baz  ")
    assert (at.row, at.col) == (row, col)


def test_other_keys_do_not_move() -> None:
    assert not browse().move("x", lambda _: "")


def test_the_view_follows_the_cursor() -> None:
    at = browse()
    assert at.wanted_top() == 90
    at.row = 50
    assert at.wanted_top() == 50
    at.bar = Scrollbar(100, 50, 10)
    at.row = 60
    assert at.wanted_top() == 51


def test_selecting_cells_and_lines() -> None:
    at = browse(95, 4)
    at.toggle_selection(linewise=False)
    at.row, at.col = 96, 2
    assert at.selected() == ((95, 4), (96, 2))
    assert [at.selection_in(row) for row in (94, 95, 96, 97)] == [None, (4, 20), (0, 3), None]
    at.toggle_selection(linewise=True)
    assert at.selected() == ((95, 0), (96, 19))
    at.toggle_selection(linewise=True)
    assert at.selected() is None


def test_matches_are_gone_through_from_the_cursor_up() -> None:
    at = browse(95, 4)
    at.found("x", [Hit(1, 0, 1, 1), Hit(50, 3, 51, 2), Hit(99, 0, 99, 1)])
    assert (at.row, at.col, at.hit) == (50, 3, 1)
    at.next_hit(-1)
    assert at.row == 1
    at.next_hit(-1)
    assert at.row == 99
    assert at.hits_in(50) == [(3, 20, False)]
    assert at.hits_in(51) == [(0, 2, False)]
    assert at.hits_in(99) == [(0, 1, True)]


def test_history_lost_at_its_start_moves_all_along() -> None:
    at = browse(95, 4)
    at.toggle_selection(linewise=False)
    at.found("x", [Hit(1, 0, 1, 1), Hit(95, 0, 95, 1)])
    at.shift(10)
    assert (at.row, at.anchor, [hit.row for hit in at.hits]) == (85, (85, 4), [85])


# -- search ---------------------------------------------------------------------------------------------------------


def test_find_joins_wrapped_rows_with_their_blanks() -> None:
    rows = [("ab", True), ("cd", False), ("ab  cd", False)]
    assert find(rows, 4, "ab  cd", 10) == [Hit(0, 0, 1, 2), Hit(2, 0, 2, 6)]


def test_find_measures_wide_characters() -> None:
    assert find([("漢字 x漢", False)], 20, "漢", 10) == [Hit(0, 0, 0, 2), Hit(0, 6, 0, 8)]
    assert find([("e\u0301x", False)], 20, "x", 10) == [Hit(0, 1, 0, 2)]


def test_joined_takes_cells_not_characters() -> None:
    assert joined([("漢字x", False)], 20, 2, 4) == "字x"
    assert joined([("abc", True), ("d", False), ("e", False)], 4, 1, 0) == "bc d\ne"


# -- restore --------------------------------------------------------------------------------------------------------


def test_the_tail_is_bounded_and_drops_pieces() -> None:
    tail = Tail(limit=10)
    tail.add(b"12345")
    assert tail.complete
    tail.mark_shown()
    number = tail.add(b"67890")
    tail.add(b"abcde")
    assert not tail.complete
    assert (tail.before_picture(), tail.after_picture()) == (b"", b"67890abcde")
    assert tail.drop(number) == 5
    assert tail.drop(number) == 0
    assert tail.after_picture() == b"abcde"


def test_a_picture_draws_itself_again() -> None:
    source = make_core("ghostty", 30, 5, Options())
    source.feed(
        "\x1b[?1049h\x1b[?2004h\x1b[1;31mred\x1b[0m 漢 \x1b[44mblue\x1b[0m\x1b[5;30H|\x1b[3;3H\x1b[5 q".encode()
    )
    frame = source.take_frame()
    last = LastPicture()
    last.take(frame)
    target = make_core("ghostty", 30, 5, Options())
    target.feed(last.output())
    before, after = screens.Picture().take(frame), screens.Picture().take(target.take_frame())
    assert after.rows == before.rows
    assert after.frame is not None
    assert (after.frame.cursor, after.frame.modes, after.frame.alternate) == (frame.cursor, frame.modes, True)
    source.close()
    target.close()


# -- picture --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cells"),
    [("abc", 3), ("漢字", 4), ("é", 1), ("e\u0301", 1), ("👨\u200d👩\u200d👧", 2), ("❤\ufe0f", 1), ("❤\ufe0f", 2),
     ("🇩🇪", 4),
     ("\u0301", 1), ("漢", 1), ("한글", 4), ("\u200b\u200b", 2), ("👍🏽", 2), ("#\ufe0f\u20e3", 1)],
)  # fmt: skip
def test_text_takes_the_cells_the_core_says(text: str, cells: int) -> None:
    assert cell_len(fitted(text, cells)) == cells


def table() -> StyleTable:
    return StyleTable(MONOKAI, Style.parse("#d0d0d0 on #101010"))


def test_styles() -> None:
    styled = table()
    plain = styled[0]
    assert plain.color is not None
    assert styled[styles.pack(styles.rgb(1, 2, 3), 0, styles.BOLD | styles.ITALIC)] == Style.parse(
        "bold italic #010203 on #101010"
    )
    assert styled[styles.pack(styles.palette(196), styles.palette(244), 0)] == Style.parse("#ff0000 on #808080")
    swapped = styled[styles.INVERSE]
    assert (swapped.color, swapped.bgcolor) == (plain.bgcolor, plain.color)
    hidden = styled[styles.INVISIBLE]
    assert hidden.color == hidden.bgcolor


def frame(dirty: Iterable[tuple[int, str]], full: bool = False, cursor: Cursor | None = None) -> Frame:
    rows = [(y, [(text, 0, len(text))] if text else []) for y, text in dirty]
    return Frame(10, 3, rows, full, cursor or Cursor(), frozenset(), False, 0, Scrollbar(3, 0, 3))


def test_strips_stay_the_same_until_their_row_changes() -> None:
    picture = Picture()
    picture.restyle(table())
    picture.take(frame([(0, "one"), (1, "two"), (2, "")], full=True))
    first, second = picture.strip(0, 10), picture.strip(1, 10)
    assert (first.text, first.cell_length) == ("one       ", 10)
    assert set(picture.take(frame([(1, "TWO")]))) == {1}
    assert picture.strip(0, 10) is first
    assert picture.strip(1, 10) is not second
    assert set(picture.take(frame([], cursor=Cursor(3, 2)))) == {0, 2}, "where the cursor was, and where it is"
    assert picture.strip(0, 5).cell_length == 5


def test_overlays_keep_the_text() -> None:
    base = Strip.blank(4).join([Strip.blank(2), Strip.blank(2)])
    over = overlaid(base, [(1, 3, Style(reverse=True)), (9, 12, Style(bold=True)), (-4, 1, Style(bold=True))])
    assert over.cell_length == base.cell_length
    assert over.text == base.text


# -- chrome ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("count", [0, 1, 3, 30])
def test_edges_are_as_wide_as_the_pane(width: int, count: int) -> None:
    tabs = [chrome.Tab(f"{number} 漢字-server-{number}", number == 1, "●", "ok") for number in range(count)]
    top = chrome.top_line(tabs, "TERMINAL", True, width, DEFAULT_LOOK)
    assert top.cell_length == cell_len(top.text) == width
    bottom = chrome.bottom_line(chrome.Line("x" * 300, "scrollback 12"), False, width, DEFAULT_LOOK)
    assert bottom.cell_length == cell_len(bottom.text) == width


def test_the_mode_is_always_in_the_edge() -> None:
    tabs = [chrome.Tab(f"{number} server", number == 1, "●", "ok") for number in range(30)]
    assert "TERMINAL" in chrome.top_line(tabs, "TERMINAL", True, 80, DEFAULT_LOOK).text
    assert " PANE " in chrome.top_line(tabs, "PANE", True, 80, DEFAULT_LOOK).text
    assert "1 server" in chrome.top_line(tabs, "PANE", True, 80, DEFAULT_LOOK).text


# -- pump -----------------------------------------------------------------------------------------------------------


class Program:
    """A session whose output is pushed, and whose input may be refused."""

    title = "test"

    def __init__(self) -> None:
        self.output: asyncio.Queue[bytes | KomodoError] = asyncio.Queue()
        self.written = bytearray()
        self.taking = asyncio.Event()
        self.taking.set()
        self.reads = 0

    async def read(self) -> bytes:
        self.reads += 1
        item = await self.output.get()
        if isinstance(item, KomodoError):
            raise item
        return item

    async def write(self, data: bytes) -> None:
        await self.taking.wait()
        self.written += data

    async def resize(self, cols: int, rows: int) -> None:
        self.written += f"<{cols}x{rows}>".encode()

    async def close(self) -> None:
        self.output.put_nowait(b"")

    async def wait(self) -> SessionEnd:
        return SessionEnd(code=7)


class SlowCore(LocalCore):
    """A core that does not finish with what it was fed until told."""

    def __init__(self) -> None:
        super().__init__(make_core("ghostty", 20, 5, Options()))
        self.go = asyncio.Event()

    async def feed(self, data: bytes) -> bytes:
        await self.go.wait()
        return await super().feed(data)


class Pumped:
    """A pump with its program, and what it told."""

    def __init__(self, core: PaneCore | None = None) -> None:
        self.program = Program()
        self.ends: list[SessionEnd] = []
        self.ended = asyncio.Event()
        self.core = core or LocalCore(make_core("ghostty", 20, 5, Options()))
        self.pump = Pump(self.program, self.core, on_output=lambda _size: None, on_end=self._end)

    def _end(self, end: SessionEnd) -> None:
        self.ends.append(end)
        self.ended.set()

    async def __aenter__(self) -> Pumped:
        self.pump.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pump.stop()
        await self.core.close()


async def settled(turns: int = 50) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_answers_go_back_in_order_with_keys() -> None:
    async with Pumped() as p:
        p.program.output.put_nowait(b"\x1b[6n")
        await settled()

        async def key() -> bytes:
            return b"k"

        p.pump.send(key)
        p.pump.send(b"raw")
        await settled()
        assert p.program.written == b"\x1b[1;1Rkraw"
        await p.pump.resize(30, 8)
        assert p.program.written.endswith(b"<30x8>")


async def test_while_the_core_works_the_program_is_held_back() -> None:
    core = SlowCore()
    async with Pumped(core) as p:
        for _ in range(20):
            p.program.output.put_nowait(b"x" * 1000)
        await settled()
        assert p.program.reads == 1
        core.go.set()
        await settled(500)
        assert p.program.reads == 21


async def test_input_that_is_not_taken_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "QUEUED_INPUTS", 10)
    async with Pumped() as p:
        p.program.taking.clear()
        taken = [p.pump.send(b"x") for _ in range(50)]
        await settled()
        assert taken.count(True) <= 11
        assert p.pump.dropped == taken.count(False) > 0


async def test_the_end_is_told_with_its_status() -> None:
    async with Pumped() as p:
        p.program.output.put_nowait(b"bye")
        p.program.output.put_nowait(b"")
        await asyncio.wait_for(p.ended.wait(), 5)
        assert p.ends == [SessionEnd(code=7)]


async def test_a_lost_connection_ends_it_with_a_reason() -> None:
    async with Pumped() as p:
        p.program.output.put_nowait(HostUnreachableError("connection lost", server="web-1"))
        await asyncio.wait_for(p.ended.wait(), 5)
        assert p.ends == [SessionEnd(code=None, reason="web-1: connection lost")]


# -- manager --------------------------------------------------------------------------------------------------------


async def never(cols: int, rows: int) -> Program:
    raise HostUnreachableError("no answer")


async def test_the_manager_steps_closes_and_tells() -> None:
    manager = TerminalManager(clock=lambda: 1.0)
    told: list[int] = []
    manager.listen(lambda: told.append(len(manager.terminals)))
    first, second, third = (manager.open(never, name) for name in ("a", "b", "c"))
    assert manager.current is third
    manager.step(1)
    assert manager.current is first
    manager.step(-1)
    assert manager.current is third
    await manager.close(third)
    assert manager.current is second
    await manager.close(third)
    assert manager.terminals == [first, second]
    assert told == [1, 2, 3, 3, 3, 2]
    await manager.close_all()
    assert manager.terminals == []


async def test_there_is_a_limit() -> None:
    manager = TerminalManager()
    for number in range(MAX_OPEN):
        manager.open(never, str(number))
    with pytest.raises(TooManyTerminalsError):
        manager.open(never, "one more")
    await manager.close_all()
