"""The terminal a verb was started on: the keys that leave a program alone, and what is taken back afterwards."""

from __future__ import annotations

import pytest

from komodo_tui.headless.own_terminal import _QUESTION, LeaveKeys, LeftBehind


@pytest.mark.parametrize("pieces", [[b"ls\x1dd rest"], [b"ls\x1d", b"d"], [b"l", b"s", b"\x1d", b"d"]])
def test_leaving_in_any_pieces(pieces: list[bytes]) -> None:
    keys = LeaveKeys()
    taken = [keys.take(piece) for piece in pieces]
    assert b"".join(passed for passed, _ in taken) == b"ls"
    assert taken[-1][1]


def test_twice_sends_one_and_another_key_sends_both() -> None:
    keys = LeaveKeys()
    assert keys.take(b"a\x1d\x1db\x1dcd") == (b"a\x1db\x1dcd", False)


def test_nothing_is_undone_where_nothing_was_set() -> None:
    behind = LeftBehind()
    behind.take(b"\x1b[?1049h\x1b[31mtext\x1b[?25l\x1b[?25h\x1b[?1049l")
    assert behind.undo() == b""


def test_what_a_program_left_set_is_undone() -> None:
    behind = LeftBehind()
    for byte in b"\x1b[?1049h\x1b[?1;2004h\x1b[?25l\x1b=\x1b[2;20r":
        behind.take(bytes((byte,)))
    undone = behind.undo()
    for sequence in (b"\x1b[?1049l", b"\x1b[?1l", b"\x1b[?2004l", b"\x1b[?25h", b"\x1b>", b"\x1b[r"):
        assert sequence in undone


def test_questions_are_not_asked_again() -> None:
    asked = b"a\x1b[cb\x1b[>c\x1b[6nc\x1b]11;?\x07d\x1b[?2026$pe\x1b[>0q\x1bP+q544e\x1b\\f"
    assert _QUESTION.sub(b"", asked) == b"abcdef"
    kept = b"\x1b[31m\x1b[2J\x1b]0;title\x07\x1b[5;6H\x1b[?25h"
    assert _QUESTION.sub(b"", kept) == kept
