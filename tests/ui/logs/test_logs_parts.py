"""What the headline says, which part is asked for, what a file holds: without a screen."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import ActError, RefusedError, UsageError
from komodo_tui.operations.log_batch import LogTarget
from komodo_tui.ui.logs.detail import MOST, document
from komodo_tui.ui.logs.dialogs import file_name, span_of
from komodo_tui.ui.logs.gutter import Gutter, source_marks
from komodo_tui.ui.logs.headline import LogFacts, StatusFacts, headline, status_line
from komodo_tui.ui.logs.record import NOTICE_TAG, parse, stamp
from komodo_tui.ui.logs.ring import LogRing
from komodo_tui.ui.logs.save import Excerpt, write
from komodo_tui.ui.logs.span import STEPS, LogSpan
from komodo_tui.ui.render.cells import text_of, width_of
from komodo_tui.ui.render.glyphs import ASCII, UNICODE
from tests.unit.log_wire import wire

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1795543200.0


def _marks(*targets: tuple[str, str]) -> dict[bytes, LogTarget]:
    return {b"t%d" % n: LogTarget(server=s, container=c) for n, (s, c) in enumerate(targets)}


def _facts(*targets: tuple[str, str]) -> LogFacts:
    return LogFacts(
        sources=tuple(source_marks(_marks(*targets)).values()), span="since 15m", state="FOLLOW", flags=("wrap",),
        kept=9812, capacity=50_000, dropped=0, away=(),
    )  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 81, 120, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_the_headline_is_as_wide_as_the_screen_and_always_counts_drops(width: int, glyphs: object) -> None:
    facts = replace(_facts(("web-01", "api-1"), ("web-02", "作業")), dropped=1_234, away=())
    line = text_of(headline(facts, width, glyphs))  # type: ignore[arg-type]
    assert width_of(line) == width
    assert line.endswith("9,812/50,000  1,234 dropped ")


def test_the_headline_of_two() -> None:
    line = text_of(headline(_facts(("w1", "api"), ("w2", "worker")), 90, UNICODE))
    assert " ".join(line.split()) == "Logs api@w1 + worker@w2 since 15m FOLLOW wrap 9,812/50,000 0 dropped"


def test_names_that_do_not_fit_are_counted() -> None:
    facts = _facts(*((f"server-{n}", "container") for n in range(9)))
    line = text_of(headline(facts, 90, UNICODE))
    assert "container@server-0 +8" in line


def test_what_is_wrong_stands_in_the_headline() -> None:
    facts = replace(_facts(("w1", "api")), away=("w1",), behind=42.0, stopped=frozenset({"api@w1"}))
    line = text_of(headline(facts, 120, UNICODE))
    assert "api@w1 ○" in line
    assert "▲ w1 away" in line
    assert "42s behind" in line
    assert "lost" not in line
    lost = text_of(headline(replace(facts, lost_lines=1200, lost_bytes=3 << 20), 160, UNICODE))
    assert lost.endswith("0 dropped 1,200 lost ~3.0M lost ")
    assert "behind" not in text_of(headline(replace(facts, behind=1.0), 120, UNICODE))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (StatusFacts(), ""),
        (StatusFacts(paused=True), "── paused, G to resume ──"),
        (StatusFacts(paused=True, missed=1), "── 1 line arrived while paused, G to resume ──"),
        (StatusFacts(paused=True, missed=1214), "── 1,214 lines arrived while paused, G to resume ──"),
        (StatusFacts(pattern="x", matches=17, position=3), "/ x 3 of 17"),
        (StatusFacts(pattern="x", matches=17, complete=False, hiding=True), "/ x 17 matches … filtered"),
        (StatusFacts(selected=2, paused=True), "2 lines selected, y copies, W saves"),
        (StatusFacts(note="why"), "why"),
    ],
)
def test_the_line_below(facts: StatusFacts, text: str) -> None:
    assert " ".join(text_of(status_line(facts, 80, UNICODE)).split()) == text


def test_a_long_pattern_leaves_the_way_back_in_sight() -> None:
    facts = StatusFacts(pattern="x" * 200, matches=5, paused=True, missed=3)
    line = text_of(status_line(facts, 80, UNICODE))
    assert width_of(line) == 80
    assert line.endswith("G to resume ── ")


def test_stepping_through_since_ends_at_both_ends() -> None:
    span = LogSpan(since="15m")
    assert [span.stepped(1).since, span.stepped(-1).since] == ["1h", "5m"]
    for _ in STEPS:
        span = span.stepped(1)
    assert (span.since, span.text) == ("all", "all")
    assert span.options(NOW, 10).since == ""
    for _ in STEPS:
        span = span.stepped(-1)
    assert span.since == "1m"
    assert LogSpan(since="2026-11-24").stepped(1).since == "1h"


def test_bounds_become_unix_time() -> None:
    options = LogSpan(since="1h", until="5m", tail=100).options(NOW, 50)
    assert (options.since, options.until) == (f"{NOW - 3600:.9f}", f"{NOW - 300:.9f}")
    assert (options.tail, options.follow) == (50, False)
    assert LogSpan().options(NOW, 50).follow


@pytest.mark.parametrize("span", [LogSpan(since="soon"), LogSpan(since="5m", until="1h"), LogSpan(until="x")])
def test_bounds_that_are_none(span: LogSpan) -> None:
    with pytest.raises(UsageError):
        span.options(NOW, 50)


def test_what_the_form_gives() -> None:
    assert span_of({"since": "", "until": "all", "tail": ""}) == LogSpan(since="all")
    assert span_of({"since": "1h", "until": "5m", "tail": "7"}) == LogSpan("1h", "5m", 7)


def test_names_tell_servers_where_room_and_doubt_are() -> None:
    marks = source_marks(_marks(("w1", "api"), ("w2", "api"), ("w2", "db")))
    assert [mark.name for mark in marks.values()] == ["api@w1", "api@w2", "db@w2"]
    assert [mark.short for mark in marks.values()] == ["api@w1", "api@w2", "db"]
    gutter = Gutter("off", False, "name", marks, 12, brief=True)
    line = parse(wire("t2", stamp(NOW), "x"))
    assert text_of(gutter.spans(line, NOW)) == "db     "
    assert gutter.width == 7


def test_sources_differ_with_colours_and_neighbours_without() -> None:
    marks = list(source_marks(_marks(*((f"w{n}", "api") for n in range(36)))).values())
    assert len({(mark.tone, mark.mark) for mark in marks}) == 36
    assert len({mark.ascii_mark for mark in marks[:6]}) == 6


# -- opened lines -------------------------------------------------------------------------------------------------


def test_a_document_is_laid_out_and_harmless() -> None:
    rows = document(b'tail {"a":[1,{"b":"\\u001b[2J"}],"c":null}')
    assert [row.text for row in rows] == [
        "tail", "{", '  "a": [', "    1,", "    {", '      "b": "\\u001b[2J"', "    }", "  ],", '  "c": null', "}",
    ]  # fmt: skip


def test_text_that_is_no_document_is_shown_in_full() -> None:
    (row,) = document(b"\x1b[31mx\x1b[0m" + b"y" * 9000)
    assert row.text == "x" + "y" * 9000
    assert row.spans


def test_a_line_too_long_to_show_says_so() -> None:
    rows = document(b"y" * (MOST + 5))
    assert len(rows[0].text) == MOST
    assert f"{MOST + 5:,} bytes" in rows[1].text


# -- files --------------------------------------------------------------------------------------------------------


def _ring() -> LogRing:
    ring = LogRing()
    ring.append(
        wire("t0", stamp(NOW), b"\x1b[31mred\x1b[0m\ta\xff") + wire("t1", stamp(NOW + 1), "b\x1b]52;c;eA==\x07")
    )
    ring.append(wire(NOTICE_TAG.decode(), stamp(NOW + 2), "-- w1 lost"))
    return ring


def _excerpt(only: frozenset[int] | None, *, times: bool = True) -> Excerpt:
    ring = _ring()
    pieces = list(ring.pieces(0, ring.end))[::-1]
    return Excerpt(pieces, only, {b"t0": "api@w1", b"t1": "db@w1"}, times)


def test_a_file_holds_no_escapes_but_all_lines() -> None:
    assert "".join(_excerpt(None).lines()) == (
        f"{stamp(NOW)} api@w1 red\ta\ufffd\n{stamp(NOW + 1)} db@w1 b\n{stamp(NOW + 2)} komodo-tui -- w1 lost\n"
    )
    assert list(_excerpt(frozenset({1}), times=False).lines()) == ["b\n"]


def test_a_file_is_new_and_private(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    assert write(path, _excerpt(None)) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RefusedError):
        write(path, _excerpt(None))
    with pytest.raises(ActError, match="was not written"):
        write(tmp_path / "none" / "x.log", _excerpt(None))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open
    monkeypatch.setattr(os, "open", lambda _path, _flags, _mode: opened("/dev/full", os.O_WRONLY))
    from pathlib import Path

    with pytest.raises(ActError, match="No space left"):
        write(Path("x.log"), _excerpt(None))


def test_file_names_are_harmless() -> None:
    assert file_name(["../..//etc"], NOW).rsplit("/", 1)[1].startswith("_.._")
    assert "/3-containers-" in file_name(["a", "b", "c"], NOW)
