"""What a terminal would obey never gets through clean()."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komodo_agent.wire.models import Container, Port
from komodo_tui.domain.text import REPLACEMENT, clean, clean_container, clean_tree

PIECES = (
    "\x1b", "\x1b[", "\x9b", "\x1b]", "\x9d", "\x1bP", "\x90", "\x1b_", "\x1b^", "\x1bX", "\x1b\\", "\x9c", "\x07",
    "[", "]", "m", "0", "31", ";", ":", "\r", "\n", "\t", "\x18", "?", " ", "#", "(", "\u202e", "\u2066", "\u200f",
    "\udc80", "\x7f", "\x00", "52;c;aGk=", "abc", "é", "界", "\u2028",
)  # fmt: skip
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=30).map("".join)
SGR = re.compile(r"\x1b\[[0-9;:]{0,127}m")
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_nothing_dangerous_is_left_and_a_second_pass_changes_nothing(text: str) -> None:
    plain = clean(text)
    assert not FORBIDDEN.search(plain)
    assert clean(plain) == plain


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_with_colours_and_lines_kept_only_those_are_left(text: str) -> None:
    coloured = clean(text, keep_sgr=True, keep_newlines=True)
    assert not FORBIDDEN.search(SGR.sub("", coloured).replace("\n", "").replace("\t", ""))
    assert clean(coloured, keep_sgr=True, keep_newlines=True) == coloured


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"])))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]52;c;aGFja2Vk\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9cname", "name"),
        ("a\x1b[2Jb\x9b31mc", "abc"),
        ("\x1bPq#0;2;0;0;0\x1b\\x", "x"),
        ("\x1b_Gf=24;AAAA\x1b\\x", "x"),
        ("\x1b^private\x1b\\x\x1bXstart\x1b\\y", "xy"),
        ("\x1b(0lqk\x1b(B", "lqk"),
        ("\x1bcreset", "reset"),
        ("a\tb", "a b"),
        ("a\nb", f"a{REPLACEMENT}b"),
        ("safe\u202egpj.exe", f"safe{REPLACEMENT}gpj.exe"),
        ("\udc80", REPLACEMENT),
        ("\x1b", REPLACEMENT),
        ("\x1b\x1b[m[2J", f"{REPLACEMENT}[2J"),
        ("10%\r20%", f"10%{REPLACEMENT}20%"),
    ],
)
def test_known_payloads(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_string_that_never_ends_does_not_hide_the_lines_behind_it() -> None:
    assert clean("one\x1b]0;two\nthree", keep_newlines=True) == "one\nthree"


def test_colours_are_kept_in_their_7_bit_form_and_absurd_ones_are_not() -> None:
    assert clean("\x1b[1;31mred\x9b0m", keep_sgr=True) == "\x1b[1;31mred\x1b[0m"
    assert clean("\x1b[38:2::1:2:3mx", keep_sgr=True) == "\x1b[38:2::1:2:3mx"
    assert clean("\x1b[99999mx\x1b[?1mx\x1b[" + "1;" * 40 + "mx", keep_sgr=True) == "xxx"


def test_lines_are_kept_where_asked_for() -> None:
    assert clean("a\r\nb\tc\n", keep_newlines=True) == "a\nb\tc\n"


@pytest.mark.parametrize("opener", ["\x1b]", "\x1b", "\x1b[", "\x1bP\x1b", "\x9b;;", "\x1b[1;", "\x1b "])
def test_time_is_linear(opener: str) -> None:
    def cost(count: int) -> float:
        text, best = opener * count, float("inf")
        for _ in range(3):
            begin = time.process_time()
            clean(text, keep_sgr=True)
            best = min(best, time.process_time() - begin)
        return best

    assert cost(80_000) < 40 * cost(8_000)  # ten times the work; quadratic would be a hundred


def test_a_container_is_cleaned_everywhere_and_left_alone_when_there_is_nothing_to_do() -> None:
    tame = Container(id="a" * 64, name="web", image="nginx:1", state="running", labels={"a": "b"})
    assert clean_container(tame) is tame
    bad = "\x1b]0;pwned\x07x"
    hostile = Container(
        id=bad, name=bad, image=bad, image_id=bad, command=bad, state="running", restart_policy=bad, log_driver=bad,
        networks=(bad,), labels={bad: bad}, ports=(Port(private=1, protocol=bad, ip=bad),),
    )  # fmt: skip
    expected = Container(
        id="x", name="x", image="x", image_id="x", command="x", state="running", restart_policy="x", log_driver="x",
        networks=("x",), labels={"x": "x"}, ports=(Port(private=1, protocol="x", ip="x"),),
    )  # fmt: skip
    assert clean_container(hostile) == expected


def test_a_document_is_cleaned_in_keys_and_values() -> None:
    document = {"a\x1b[2J": ["x\x07", 1, None, {"b": "c\nd"}]}
    assert clean_tree(document, keep_newlines=True) == {"a": [f"x{REPLACEMENT}", 1, None, {"b": "c\nd"}]}
