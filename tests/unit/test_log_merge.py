"""Order, completeness and patience of the merger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.operations.log_merge import BATCH, Merger
from tests.unit.log_wire import stamp, wire

if TYPE_CHECKING:
    from random import Random


@dataclass
class Frame:
    tag: str
    times: list[int]
    wait: float


def _frames(number: int) -> st.SearchStrategy[list[Frame]]:
    times = st.lists(st.integers(0, 40), min_size=1, max_size=6)
    tag = st.sampled_from([f"a{i}" for i in range(number)])
    return st.lists(st.builds(Frame, tag, times, st.floats(0, 0.5)), max_size=30)


def _tags(data: bytes) -> list[str]:
    return [line[:2].decode() for line in data.splitlines()]


@given(_frames(3), st.lists(st.sampled_from(["past", "live", "away"]), min_size=3, max_size=3))
def test_every_line_goes_once_and_each_source_keeps_its_order(frames: list[Frame], states: list[str]) -> None:
    merger = Merger(window=0.3, patience=2.0)
    for i in range(3):
        merger.add(f"a{i}".encode(), i % 2, 0.0)
    sent: dict[str, list[bytes]] = {f"a{i}": [] for i in range(3)}
    got = b""
    now = 0.0
    for number, frame in enumerate(frames):
        lines = [wire(frame.tag, stamp(time), f"{number}/{i}") for i, time in enumerate(frame.times)]
        sent[frame.tag] += lines
        now += frame.wait
        merger.push(frame.tag.encode(), b"".join(lines), now)
        got += merger.take(now)[0]
        if number == len(frames) // 2:
            for i, state in enumerate(states):
                merger.set_state(f"a{i}".encode(), state, now)  # type: ignore[arg-type]
    merger.release()
    got += merger.take(now)[0]
    assert merger.empty
    assert merger.held(0) == merger.held(1) == 0
    for tag, lines in sent.items():
        assert [line for line in got.splitlines(keepends=True) if line.startswith(tag.encode())] == lines


@given(st.lists(st.lists(st.integers(0, 99), max_size=30), min_size=1, max_size=5), st.integers(1, 9), st.randoms())
def test_pasts_come_out_in_order_of_time_however_they_arrive(logs: list[list[int]], cut: int, rng: Random) -> None:
    merger = Merger(patience=None)
    queues: dict[bytes, list[bytes]] = {}
    for i, log in enumerate(logs):
        tag = f"a{i}"
        merger.add(tag.encode(), i, 0.0)
        lines = [wire(tag, stamp(time), "") for time in sorted(log)]
        queues[tag.encode()] = [b"".join(lines[at : at + cut]) for at in range(0, len(lines), cut)]
    got = b""
    while queues:
        key = rng.choice(list(queues))
        if queues[key]:
            merger.push(key, queues[key].pop(0), 0.0)
        else:
            merger.set_state(key, "live", 0.0)
            del queues[key]
        got += merger.take(0.0)[0]
    got += merger.take(1.0)[0]
    assert merger.empty
    times = [line[3:33] for line in got.splitlines()]
    assert times == sorted(times)
    assert len(times) == sum(map(len, logs))


def test_a_live_line_waits_for_the_others_no_longer_than_the_window() -> None:
    merger = Merger(window=0.3)
    for tag in (b"a0", b"a1"):
        merger.add(tag, 0, 0.0)
        merger.set_state(tag, "live", 0.0)
    merger.push(b"a0", wire("a0", stamp(20), "later"), 1.0)
    assert merger.take(1.0) == (b"", [])
    assert merger.next_time(1.0) == 1.3
    merger.push(b"a1", wire("a1", stamp(10), "earlier"), 1.1)
    assert _tags(merger.take(1.1)[0]) == ["a1"]
    assert _tags(merger.take(1.3)[0]) == ["a0"]
    assert merger.next_time(1.3) is None


def test_both_heard_of_later_lets_go_at_once() -> None:
    merger = Merger(window=0.3)
    for tag in (b"a0", b"a1"):
        merger.add(tag, 0, 0.0)
        merger.set_state(tag, "live", 0.0)
    merger.push(b"a0", wire("a0", stamp(1), "") + wire("a0", stamp(5), ""), 1.0)
    merger.push(b"a1", wire("a1", stamp(2), "") + wire("a1", stamp(3), ""), 1.0)
    assert _tags(merger.take(1.0)[0]) == ["a0", "a1", "a1"]


def test_a_past_that_does_not_come_is_waited_for_with_patience_only() -> None:
    merger = Merger(window=0.3, patience=2.0)
    merger.add(b"a0", 0, 0.0)
    merger.add(b"a1", 1, 0.0)
    merger.push(b"a0", wire("a0", stamp(1), ""), 0.5)
    assert merger.take(1.9)[0] == b""
    assert merger.waited_for(1.9) == {1}
    assert merger.next_time(1.9) == 2.0
    assert _tags(merger.take(2.0)[0]) == ["a0"]


def test_a_source_alone_passes_untouched() -> None:
    merger = Merger()
    merger.add(b"a0", 0, 0.0)
    for frame in (wire("a0", stamp(9), "x") + wire("a0", stamp(3), "y"), wire("a0", stamp(1), "z")):
        merger.push(b"a0", frame, 0.0)
        assert merger.take(0.0)[0] == frame
    assert merger.empty


def test_past_the_limit_order_gives_way_and_is_reported() -> None:
    merger = Merger(patience=None, limit=500)
    merger.add(b"a0", 7, 0.0)
    merger.add(b"a1", 7, 0.0)
    got = b""
    for i in range(40):
        merger.push(b"a0", wire("a0", stamp(100 + i), "x" * 20), 0.0)
        got += merger.take(0.0)[0]
        assert merger.held(7) < 700
    assert merger.disordered == {7}
    merger.release()
    assert len(_tags(got + merger.take(0.0)[0])) == 40


def test_a_great_deal_goes_in_pieces() -> None:
    merger = Merger(patience=None)
    for i in range(4):
        merger.add(f"a{i}".encode(), i, 0.0)
    total = 0
    for n in range(300):
        for i in range(4):
            data = b"".join(wire(f"a{i}", stamp(n * 40 + k * 4 + i), "x" * 80) for k in range(10))
            merger.push(f"a{i}".encode(), data, 0.0)
            total += len(data)
    merger.release()
    pieces = []
    while not merger.empty:
        pieces.append(merger.take(0.0)[0])
    assert max(map(len, pieces)) < 2 * BATCH
    got = b"".join(pieces)
    assert len(got) == total
    times = [line[3:33] for line in got.splitlines()]
    assert times == sorted(times)
