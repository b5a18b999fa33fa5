"""Colours are kept, everything else a terminal would obey is not; JSON is read; patterns are found."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from komodo_tui.domain.regex_cost import runaway
from komodo_tui.ui.logs import json_lines
from komodo_tui.ui.logs.ring import Piece
from komodo_tui.ui.logs.search import Matches, compile_pattern, plain_text, scan
from komodo_tui.ui.logs.styled import Styled, parse_line, parse_sgr
from komodo_tui.ui.logs.wrap import clipped, fits, index_at, wrapped
from komodo_tui.ui.render.cells import width_of
from tests.unit.log_wire import stamp, wire


def _looks(line: Styled) -> list[tuple[str, str]]:
    return [(line.text[low:high], str(style)) for low, high, style in line.spans]


@pytest.mark.parametrize(
    ("text", "plain", "looks"),
    [
        ("no colour", "no colour", []),
        ("\x1b[31mred\x1b[0m not", "red not", [("red", "color(1)")]),
        ("a\x1b[1;32mb\x1b[22mc", "abc", [("b", "bold color(2)"), ("c", "color(2)")]),
        ("\x1b[38;5;208mx\x1b[39my", "xy", [("x", "color(208)")]),
        ("\x1b[38;2;1;2;3mx", "x", [("x", "#010203")]),
        ("\x1b[38:2::1:2:3mx", "x", [("x", "#010203")]),
        ("\x1b[48:5:17mx", "x", [("x", "on color(17)")]),
        ("\x1b[94;101mx", "x", [("x", "color(12) on color(9)")]),
        ("\x1b[mx", "x", []),
        ("\x1b[4:3mx\x1b[4:0my", "xy", [("x", "underline")]),
        ("\x1b[5;8mseen", "seen", []),
        ("\x1b[38;5mx", "x", []),
        ("\x1b[38;2;999;0;0mx", "x", []),
        ("\x1b[999mx", "x", []),
    ],
)
def test_sgr(text: str, plain: str, looks: list[tuple[str, str]]) -> None:
    line = parse_sgr(text)
    assert line.text == plain
    assert _looks(line) == looks


def test_styles_are_what_the_codes_say() -> None:
    (span,) = parse_sgr("\x1b[1;3;4;7;9;31;42mx").spans
    assert span[2] == Style(
        bold=True, italic=True, underline=True, reverse=True, strike=True,
        color=Color.from_ansi(1), bgcolor=Color.from_ansi(2),
    )  # fmt: skip


@given(
    st.binary(max_size=200)
    | st.text(alphabet="\x1b[]0123456789;:mPX^_\\\x07\x9b\x9d\x9c\r\n ab", max_size=80).map(str.encode)
)
def test_nothing_a_terminal_obeys_is_left(raw: bytes) -> None:
    raw = raw.replace(b"\n", b" ")
    line = parse_line(raw)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in line.text)
    assert "\u202e" not in line.text
    for low, high, _ in line.spans:
        assert 0 <= low < high <= len(line.text)


@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")), min_size=1, max_size=20))
def test_what_is_searched_has_the_lines_that_are_shown(raws: list[bytes]) -> None:
    data = b"".join(wire("aa", stamp(1), raw) for raw in raws)
    assert plain_text(data).count("\n") == len(raws) - 1


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\x1b\x9b\x9d\x90"), max_size=40),
        min_size=1,
    )
)
def test_what_is_searched_is_what_is_shown(texts: list[str]) -> None:
    data = b"".join(wire("aa", stamp(1), f"\x1b[31m{text}\x1b[0m") for text in texts)
    assert plain_text(data) == "\n".join(parse_line(text.encode()).text for text in texts)


# -- patterns ---------------------------------------------------------------------------------------------------


def _scan(source: str, *texts: str) -> list[int]:
    data = b"".join(wire("aa", stamp(1), text) for text in texts)
    return scan(compile_pattern(source), [Piece(100, len(texts), data)])


def test_case_counts_with_an_upper_case_letter_only() -> None:
    assert _scan("error", "an ERROR", "error", "fine") == [100, 101]
    assert _scan("Error", "an ERROR", "Error") == [101]
    assert _scan(r"\Sx", " x", "ax") == [101]


def test_anchors_see_the_text_and_not_what_stands_before_it() -> None:
    assert _scan("^2026", "2026 is here", "no 2026") == [100]
    assert _scan("09$", "at 09", "09 ") == [100]
    assert _scan("aao", "x") == []


def test_a_match_does_not_reach_over_lines() -> None:
    assert _scan(r"foo\s+bar", "foo", "bar", "foo bar") == [102]


def test_colours_do_not_hide_a_match() -> None:
    assert _scan("error", "\x1b[31mer\x1b[0mror") == [100]


@pytest.mark.parametrize("source", ["[oops", "a(b", "*x", "(?P<n>x", "x{99999999999}"])
def test_what_is_no_expression_is_found_letter_by_letter(source: str) -> None:
    pattern = compile_pattern(source)
    assert pattern.literal
    assert pattern.reason
    assert _scan(source, f"before {source} after", "no") == [100]


@pytest.mark.parametrize(
    "source", ["(a+)+$", "(a*)*b", "((ab)*c+)*", "(x+x+)+y", "(?:a{2,})+", "([a-z]+)*z", r"(\w+\s?)*!"]
)
def test_what_could_take_for_ever_is_not_run(source: str) -> None:
    assert runaway(source)
    assert compile_pattern(source).literal


@pytest.mark.parametrize(
    "source", ["a+b*", "(foo|bar)+", r"(\d{1,3}\.){3}\d+", "[(+]+*?", "(a+)b", r"\(a+\)+", "(a+)?b", "[)+]+(x)"]
)
def test_what_is_quick_is_left_alone(source: str) -> None:
    assert not runaway(source)


def test_a_slow_expression_ends_on_a_long_line() -> None:
    began = time.process_time()
    _scan(".*a.*b", "x" * (1 << 20))
    assert time.process_time() - began < 5


def test_matches_grow_at_both_ends() -> None:
    matches = Matches()
    matches.add([50, 60])
    matches.add([70])
    matches.add([10, 20])
    matches.add([])
    assert len(matches) == 5
    assert (matches.position(60), matches.position(65), matches.position(5)) == (4, 4, 0)
    assert (matches.after(20), matches.after(70), matches.before(20), matches.before(10)) == (50, None, 10, None)
    assert 60 in matches
    assert 61 not in matches
    matches.forget(21)
    assert len(matches) == 3
    assert matches.after(0) == 50


# -- JSON -------------------------------------------------------------------------------------------------------


def test_fold() -> None:
    line = json_lines.fold('{"level":"error","ts":1,"msg":"timeout","dep":"pg","ms":5000,"ok":false,"at":{"x":1}}')
    assert line is not None
    assert line.text == 'ERROR timeout dep=pg ms=5000 ok=false at={"x":1}'
    assert ("ERROR ", "bad") in _looks(line)
    assert ("dep=", "dim") in _looks(line)


def test_fold_keeps_what_stands_before() -> None:
    line = json_lines.fold('api | INFO {"message": "two\\nlines", "severity": 30}')
    assert line is not None
    assert line.text == "api | INFO INFO  two↵lines"


@pytest.mark.parametrize(
    "text", ["plain", "{not json}", "[1, 2]", "{}", "ends with }", '{"a":1} more', "[" * 5000 + "]"]
)
def test_other_lines_are_not_folded(text: str) -> None:
    assert json_lines.fold(text) is None


def test_pretty() -> None:
    rows = json_lines.pretty('x {"a": [1, {"b": null}], "c": "d\\u001b[31m", "e": {}}')
    assert rows is not None
    text = ["".join(part for part, _ in row) for row in rows]
    assert text == [
        "x", "{", '  "a": [', "    1,", "    {", '      "b": null', "    }", "  ],", '  "c": "d\\u001b[31m",',
        '  "e": {}', "}",
    ]  # fmt: skip


def test_pretty_of_something_deep_or_long_ends() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"k": deep}
    rows = json_lines.pretty(json.dumps(deep))
    assert rows is not None
    assert len(rows) < 200
    rows = json_lines.pretty(json.dumps(list(range(10_000))), limit=100)
    assert rows is not None
    assert len(rows) == 101


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.none(), min_size=1))
def test_escapes_inside_json_stay_harmless(values: dict[str, Any]) -> None:
    text = json.dumps(values)
    folded, opened = json_lines.fold(text), json_lines.pretty(text)
    shown = (folded.text if folded else "") + "".join(part for row in opened or [] for part, _ in row)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066" for char in shown)


def test_a_known_trap() -> None:
    line = json_lines.fold('{"msg":"\\u001b]52;c;aGk=\\u0007hello\\u202e"}')
    assert line is not None
    assert "\x1b" not in line.text
    assert "hello" in line.text


# -- rows -------------------------------------------------------------------------------------------------------

_TEXT = st.text(st.sampled_from("ab 漢字é\u0301🎉👩\u200d💻\ufe0f#"), max_size=60)


@given(_TEXT, st.integers(1, 20))
@example("\u200d\u200da字", 2)
def test_wrapped_rows_are_the_line(text: str, width: int) -> None:
    parts = wrapped(text, width)
    assert "".join(text[start:end] for start, end in parts) == text
    assert all(width_of(text[start:end]) <= max(2, width) for start, end in parts)
    assert len(parts) == 1 or not fits(text, width)


@given(_TEXT, st.integers(0, 40), st.integers(2, 20))
def test_a_clipped_row_fits(text: str, offset: int, width: int) -> None:
    start, end = clipped(text, offset, width)
    assert 0 <= start <= end <= len(text)
    assert width_of(text[start:end]) <= width


@given(_TEXT, st.integers(-3, 80))
def test_every_column_has_a_character(text: str, column: int) -> None:
    assert 0 <= index_at(text, (0, len(text)), column) <= len(text)


def test_columns_of_wide_characters() -> None:
    assert [index_at("a漢b", (0, 3), column) for column in range(5)] == [0, 1, 1, 2, 3]
