"""A cursor never loses a line to a resume and never lets one pass twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.wire.logs import LogSource
from komodo_tui.operations.log_cursor import MARGIN, Cursor
from tests.unit.log_wire import Log, stamp, wire


@st.composite
def _logs(draw: st.DrawFn) -> Log:
    """A log whose times may repeat, and in which neighbours may be out of order by a few nanoseconds."""
    log = Log()
    log.write(stamp(1), b"first")
    now = 100
    for repeat, step, late in draw(
        st.lists(st.tuples(st.integers(1, 5), st.sampled_from([4, 1000, 10**9]), st.sampled_from([0, 3])), max_size=60)
    ):
        now += step
        for i in range(repeat):
            log.write(stamp(now), f"{len(log.lines)}".encode(), "oe"[i % 2])
        log.write(stamp(now - late), f"{len(log.lines)}".encode(), "e")
    return log


@given(_logs(), st.lists(st.integers(1, 2 * MARGIN), max_size=6), st.integers(1, 20))
def test_any_number_of_resumes(log: Log, cuts: list[int], frame: int) -> None:
    cursor = Cursor()
    got: list[bytes] = []
    for cut in [*cuts, len(log.lines) + 1]:
        resume = cursor.resume()
        source = LogSource(container="c", tag="aa")
        if resume is not None:
            source = LogSource(container="c", tag="aa", after=resume[0], after_count=resume[1])
        at, sent = log.begin(source), 0
        while at < len(log.lines) and sent < cut:
            part = log.lines[at : at + frame]
            at += len(part)
            sent += len(part)
            data = b"".join(wire("aa", time, text, s) for time, s, text in part if time >= source.after)
            if data:
                got += cursor.advance(data).splitlines()
    assert got == [wire("aa", time, text, s)[:-1] for time, s, text in log.lines]


@given(st.integers(1, 3 * MARGIN), st.integers(1, 3 * MARGIN), st.integers(1, 9))
def test_one_time_for_all_is_resumed_by_count(before: int, after: int, frame: int) -> None:
    cursor = Cursor()
    lines = [wire("aa", stamp(0), "same") for _ in range(before)]
    for at in range(0, before, frame):
        cursor.advance(b"".join(lines[at : at + frame]))
    assert cursor.resume() == (stamp(0), before)
    more = b"".join(wire("aa", stamp(0), "same") for _ in range(after))
    assert cursor.advance(more) == more


def test_nothing_received_means_from_the_beginning() -> None:
    assert Cursor().empty
    assert Cursor().resume() is None


def test_what_is_kept_is_bounded() -> None:
    cursor = Cursor()
    for i in range(1000):
        cursor.advance(wire("aa", stamp(i), "x" * 10_000))
    assert sum(map(len, cursor._frames)) < 2_000_000
    huge = Cursor()
    for i in range(100):
        huge.advance(wire("aa", stamp(i), "x" * 100_000))
    assert sum(map(len, huge._frames)) < 500_000
