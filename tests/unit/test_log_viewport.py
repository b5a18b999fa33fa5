"""Moving through lines of any height, while lines come and go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.ui.logs.lines import Lines
from komodo_tui.ui.logs.ring import LogRing
from komodo_tui.ui.logs.search import Matches
from komodo_tui.ui.logs.selection import Selection
from komodo_tui.ui.logs.shown import Shown
from komodo_tui.ui.logs.viewport import Viewport
from tests.unit.log_wire import stamp, wire

if TYPE_CHECKING:
    from collections.abc import Callable


class Log:
    """A ring with a view of it, ``width`` columns wide, wrapped."""

    def __init__(self, sizes: list[int], *, height: int = 5, width: int = 10, lines: int = 10_000) -> None:
        self.ring = LogRing(lines)
        self.lines = Lines(self.ring)
        self.lines.shape(width=width, wrap=True, offset=0, fold_json=False)
        self.view = Viewport(Shown(self.ring), self.lines.parts)
        self.view.height = height
        self.add(sizes)

    def add(self, sizes: list[int]) -> None:
        self.ring.append(b"".join(wire("aa", stamp(i), "x" * size) for i, size in enumerate(sizes)))

    def seen(self) -> list[tuple[int, int]]:
        return [(row.number, row.sub) for row in self.view.rows()]


def test_following_shows_the_end() -> None:
    log = Log([5, 25, 5])
    assert log.seen() == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)]
    log.add([15])
    assert log.seen() == [(1, 1), (1, 2), (2, 0), (3, 0), (3, 1)]
    assert log.view.cursor == 3


def test_a_pause_keeps_what_is_seen() -> None:
    log = Log([5] * 20)
    log.view.pause()
    before = log.seen()
    log.add([5] * 50)
    assert log.seen() == before
    log.view.to_end()
    assert log.seen()[-1] == (69, 0)


def test_what_was_dropped_is_left_behind() -> None:
    log = Log([5] * 100, lines=100)
    log.view.to_start()
    log.add([5] * 500)
    seen = log.seen()
    assert seen[0][0] == log.ring.first
    assert log.view.cursor == log.ring.first
    log.view.scroll(3)
    log.add([5] * 5000)
    log.view.scroll(-1)
    assert log.seen()[0][0] == log.ring.first


def test_fewer_lines_than_rows() -> None:
    log = Log([5, 5], height=10)
    assert log.seen() == [(0, 0), (1, 0)]
    log.view.page(5)
    log.view.page(-5)
    assert log.view.cursor == 0
    assert log.seen() == [(0, 0), (1, 0)]


def test_an_empty_log_is_no_trouble() -> None:
    log = Log([])
    view = log.view
    acts: tuple[Callable[[], object], ...] = (
        partial(view.move, 1), partial(view.scroll, -3), partial(view.page, 4), view.to_start, view.to_end, view.pause,
        partial(view.go, 7),
    )  # fmt: skip
    for act in acts:
        act()
        assert log.seen() == []
        assert log.view.cursor is None


def test_only_matches_are_walked() -> None:
    log = Log([5] * 100)
    matches = Matches()
    matches.add([3, 40, 41, 99])
    log.view.shown = Shown(log.ring, matches)
    assert log.seen() == [(3, 0), (40, 0), (41, 0), (99, 0)]
    log.view.move(-2)
    assert log.view.cursor == 40
    log.view.go(50)
    assert log.view.cursor == 99


_MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-30, 30)),
        st.tuples(st.just("scroll"), st.integers(-30, 30)),
        st.tuples(st.just("page"), st.integers(-30, 30).filter(bool)),
        st.tuples(st.just("go"), st.integers(0, 400)),
        st.tuples(st.just("to_start"), st.none()),
        st.tuples(st.just("to_end"), st.none()),
        st.tuples(st.just("add"), st.integers(0, 60)),
        st.tuples(st.just("height"), st.integers(1, 20)),
        st.tuples(st.just("width"), st.integers(1, 40)),
    ),
    max_size=25,
)


@given(st.lists(st.integers(0, 60), max_size=60), _MOVES, st.integers(20, 400))
def test_wherever_one_goes_the_screen_is_full_and_the_cursor_on_it(
    sizes: list[int], moves: list[tuple[str, int | None]], lines: int
) -> None:
    log = Log(sizes, lines=lines)
    for name, amount in moves:
        if name == "add":
            log.add([n * 7 % 50 for n in range(amount or 0)])
        elif name == "height":
            log.view.height = amount or 1
            log.view.reveal()
        elif name == "width":
            log.lines.shape(width=amount or 1, wrap=True, offset=0, fold_json=False)
            log.view.reveal()
        else:
            getattr(log.view, name)(*(() if amount is None else (amount,)))
        seen = log.seen()
        total = sum(len(log.lines.parts(n)) for n in range(log.ring.first, log.ring.end))
        assert len(seen) == min(log.view.height, total)
        assert seen == sorted(set(seen))
        if seen and name != "add":
            assert log.view.cursor in {number for number, _ in seen}


def test_selection_of_characters_and_lines() -> None:
    chars = Selection((5, 3), (7, 2), whole_lines=False)
    assert [chars.within(n, 10) for n in (4, 5, 6, 7, 8)] == [None, (3, 10), (0, 10), (0, 2), None]
    assert chars.extended((5, 1)).within(5, 10) == (1, 3)
    lines = Selection((5, 0), (6, 0))
    assert [lines.within(n, 4) for n in (5, 6, 7)] == [(0, 4), (0, 4), None]
