"""What an agent keeps of a terminal's output: everything, or as much as lets a screen begin in the middle."""

from __future__ import annotations

from komodo_agent.terminals.modes import Modes
from komodo_agent.terminals.ring import Cursor, Ring, Size

SMALL, WIDE = Size(24, 80), Size(24, 132)


def everything(ring: Ring, cursor: Cursor) -> list[Size | bytes]:
    """All a reader is given, pieces between sizes joined."""
    given: list[Size | bytes] = []
    while (item := ring.read(cursor)) is not None:
        if isinstance(item, bytes) and given and isinstance(given[-1], bytes):
            given[-1] += item
        else:
            given.append(item)
    return given


def test_sizes_come_where_they_were_set() -> None:
    ring = Ring(SMALL)
    ring.add(b"before")
    ring.resize(WIDE)
    ring.add(b"after")
    assert ring.opening() == (SMALL, b"")
    assert everything(ring, ring.from_start()) == [b"before", WIDE, b"after"]


def test_a_reader_goes_on_where_it_was() -> None:
    ring = Ring(SMALL)
    ring.add(b"one ")
    cursor = ring.from_start()
    assert everything(ring, cursor) == [b"one "]
    ring.resize(WIDE)
    ring.add(b"two")
    assert everything(ring, cursor) == [WIDE, b"two"]
    back = ring.since(4)
    assert back is not None
    assert everything(ring, back) == [WIDE, b"two"]


def test_what_was_never_there_or_is_gone_cannot_be_gone_on_from() -> None:
    ring = Ring(SMALL, limit=1000)
    for number in range(20_000):
        ring.add(b"%06d\r\n" % number)
    assert ring.cut
    assert ring.since(0) is None
    assert ring.since(ring.end + 1) is None
    assert ring.since(ring.end) is not None
    cursor = Cursor(0, 0)
    assert not ring.reaches(cursor)


def test_the_oldest_is_dropped_by_whole_lines() -> None:
    ring = Ring(SMALL, limit=1000)
    for number in range(20_000):
        ring.add(b"%06d\r\n" % number)
    (kept,) = everything(ring, ring.from_start())
    assert isinstance(kept, bytes)
    assert kept.endswith(b"019999\r\n")
    assert len(kept) <= 1000 + (64 << 10)
    assert len(kept) % 8 == 0, "it begins with a line"


def test_what_was_dropped_is_known_by_what_it_set() -> None:
    ring = Ring(SMALL, limit=100)
    ring.add(b"\x1b[?1049h\x1b[?1;2004h\x1b[?25l\x1b[2;20r")
    ring.resize(WIDE)
    ring.add(b"x" * 200_000)
    ring.add(b"\x1b[?25h")
    size, state = ring.opening()
    assert size == WIDE
    assert state.startswith(b"\x1b[?1049h")
    for sequence in (b"\x1b[?1h", b"\x1b[?2004h", b"\x1b[?25l", b"\x1b[2;20r"):
        assert sequence in state


def test_many_sizes_without_output_are_bounded() -> None:
    ring = Ring(SMALL)
    ring.add(b"a")
    for number in range(5000):
        ring.resize(Size(10 + number % 2, 80))
    assert len(everything(ring, ring.from_start())) < 1100


def test_sequences_in_pieces() -> None:
    modes = Modes()
    whole = b"text\x1b[?2004h\x1b]2;a title\x07\x1b[>1u\x1b[?1000;1006hmore"
    for at in range(len(whole)):
        modes.take(whole[at : at + 1])
    restored = modes.restore()
    for sequence in (b"\x1b[?2004h", b"\x1b]2;a title\x07", b"\x1b[>1u", b"\x1b[?1000h", b"\x1b[?1006h"):
        assert restored.count(sequence) == 1


def test_a_reset_forgets() -> None:
    modes = Modes()
    modes.take(b"\x1b[?1049h\x1b[?2004h\x1bc\x1b[?7l")
    assert modes.restore() == b"\x1b[?7l"


def test_leaving_the_alternate_screen_is_known() -> None:
    modes = Modes()
    modes.take(b"\x1b[?1049h\x1b[?1049l")
    assert b"1049h" not in modes.restore()


def test_a_held_drawing_is_not_held_again() -> None:
    modes = Modes()
    modes.take(b"\x1b[?2026h")
    assert modes.restore() == b""


def test_memory_is_bounded_by_hostile_output() -> None:
    modes = Modes()
    for number in range(10_000):
        modes.take(b"\x1b[?%dh\x1b[>%du" % (number, number))
    assert len(modes.restore()) < 2000
