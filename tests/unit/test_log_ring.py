"""The ring keeps what it says, where it says, and never more than it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.ui.logs.ring import LogRing
from tests.unit.log_wire import stamp, wire


def _data(numbers: range, size: int = 5) -> bytes:
    return b"".join(wire("aa", stamp(i), f"{i}".ljust(size)) for i in numbers)


@given(
    st.integers(1, 300),
    st.integers(100, 200_000),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3000)), max_size=20),
    st.data(),
)
def test_bounds_numbers_and_access(lines: int, size: int, batches: list[tuple[int, int]], data: st.DataObject) -> None:
    ring = LogRing(lines, size)
    total = 0
    everything: list[bytes] = []
    for count, length in batches:
        batch = _data(range(total, total + count), length)
        everything += batch.split(b"\n")[:-1]
        total += count
        ring.append(batch)
        assert len(ring) <= lines
        assert ring.size <= size or len(ring) == 1
        assert ring.end == total
        assert ring.dropped == ring.first
    if not total:
        assert len(ring) == 0
        return
    assert len(ring) >= 1
    for number in data.draw(st.lists(st.integers(ring.first, ring.end - 1), max_size=20)):
        assert ring.line(number) == everything[number]
    low = data.draw(st.integers(0, total))
    high = data.draw(st.integers(low, total))
    pieces = list(ring.pieces(low, high))
    kept = everything[max(low, ring.first) : high] if high > ring.first else []
    assert b"".join(piece.data for piece in reversed(pieces)) == b"".join(line + b"\n" for line in kept)
    assert [piece.first for piece in pieces] == sorted((piece.first for piece in pieces), reverse=True)
    assert sum(piece.count for piece in pieces) == len(kept)


def test_it_keeps_nearly_as_much_as_it_may() -> None:
    ring = LogRing(1000, 10**9)
    for i in range(50):
        ring.append(_data(range(i * 100, i * 100 + 100)))
    assert 900 <= len(ring) <= 1000
    ring = LogRing(10**9, 1 << 20)
    for i in range(100):
        ring.append(_data(range(i * 100, i * 100 + 100), 300))
    assert 0.9 * (1 << 20) <= ring.size <= 1 << 20


def test_lines_outside_are_not_there() -> None:
    ring = LogRing(10, 10**6)
    ring.append(_data(range(30)))
    for number in (-1, ring.first - 1, ring.end):
        with pytest.raises(IndexError):
            ring.line(number)


def test_clearing_forgets_but_numbers_go_on() -> None:
    ring = LogRing()
    ring.append(_data(range(5)))
    ring.clear()
    assert (len(ring), ring.size, ring.dropped, ring.end) == (0, 0, 0, 5)
    ring.append(_data(range(5, 7)))
    assert ring.line(5) == _data(range(5, 6))[:-1]


def test_a_piece_does_not_change_with_the_ring() -> None:
    ring = LogRing(100, 10**6)
    ring.append(_data(range(3)))
    (piece,) = ring.pieces(0, 3)
    ring.append(_data(range(3, 100)))
    ring.append(_data(range(100, 300)))
    assert piece.data == _data(range(3))


def test_reading_while_it_grows() -> None:
    ring = LogRing()
    for i in range(2000):
        ring.append(_data(range(i, i + 1)))
        assert ring.line(i) == _data(range(i, i + 1))[:-1]
        assert ring.line(i // 2) == _data(range(i // 2, i // 2 + 1))[:-1]


def test_a_line_larger_than_the_ring_is_kept_alone() -> None:
    ring = LogRing(100, 1000)
    ring.append(_data(range(3)))
    ring.append(_data(range(3, 4), 5000))
    assert len(ring) == 1
    assert ring.line(3) == _data(range(3, 4), 5000)[:-1]
