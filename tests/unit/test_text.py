"""Nothing from outside drives the terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.domain.text import clean, clean_tree

_NASTY = st.text(
    alphabet=st.sampled_from("\x1b\x9b\x9d\x90\x07\x9c[]P^_X;:0159mHJKhl\\\r\n\t \x00\x7f\u202e\u200faé漢"), max_size=60
)


@pytest.mark.parametrize(
    "payload",
    [
        "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1bPq#0\x1b\\", "\x9d0;x\x9c", "\x1b[2J\x1b[H", "\x1b]8;;http://x\x07",
        "\x1b(0", "\x1bc", "\x1b[?1049h", "\x1b_apc\x1b\\", "\x1b^pm\x1b\\", "\x1bXsos\x1b\\", "\x1b[31m",
    ],
)  # fmt: skip
def test_sequences_go_whole(payload: str) -> None:
    assert clean(f"a{payload}b") == "ab"


def test_what_stays() -> None:
    assert clean("naïve 漢字 🐳 [@click=app.quit]x[/x]") == "naïve 漢字 🐳 [@click=app.quit]x[/x]"
    assert clean("a\tb") == "a b"
    assert clean("a\nb\r\nc", keep_newlines=True) == "a\nb\nc"
    assert clean("\x1b[1;38;2;1;2;3mx\x1b[0m\x1b[2K", keep_sgr=True) == "\x1b[1;38;2;1;2;3mx\x1b[0m"
    assert clean("a\x00b\u202ec") == "a\ufffdb\ufffdc"


@given(_NASTY | st.text())
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    done = clean(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done)
    assert clean(done) == done


@given(_NASTY)
def test_colours_alone_are_left(text: str) -> None:
    done = clean(text, keep_sgr=True)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;:]*m", "", done)
    assert clean(done, keep_sgr=True) == done


def test_long_and_hostile_is_still_quick() -> None:
    assert clean("\x1b]" * 500_000) == ""
    assert len(clean("\x1b[" + "1;" * 500_000)) < 10


def test_trees() -> None:
    assert clean_tree({"a\x1b[1m": ["\x1bc", 1, None, {"k": "v\x07"}]}) == {"a": ["", 1, None, {"k": "v\ufffd"}]}
