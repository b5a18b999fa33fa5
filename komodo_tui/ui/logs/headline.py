"""The line above a log and the one below it. Pure: facts in, spans out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, count_text, duration_text
from komodo_tui.ui.render.cells import fit, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.logs.gutter import SourceMark
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs

_GAP = "  "
_LATE = 3.0
"""Seconds behind that are worth telling."""
_LEAST = 24
"""Columns that the name of a log has before all that may be left out."""


@dataclass(frozen=True)
class LogFacts:
    """What the headline says."""

    sources: tuple[SourceMark, ...]
    span: str
    state: str
    """``FOLLOW``, ``PAUSED``, ``ENDED``, ``CONNECTING``; ``IDLE`` where nothing is followed."""
    flags: tuple[str, ...]
    """Settings that differ from the plain view: wrap, json."""
    kept: int
    capacity: int
    dropped: int
    away: tuple[str, ...]
    """Servers whose logs are interrupted."""
    lost_lines: int = 0
    """Lines thrown away by engines before they could be read…"""
    lost_bytes: int = 0
    """…and bytes of lines whose number nobody knows."""
    behind: float = 0.0
    """Seconds by which the newest line is late, while a backlog is read."""
    stopped: frozenset[str] = frozenset()
    """Names of sources that do not run."""


_TONES = {"FOLLOW": "ok bold", "PAUSED": "warn bold", "ENDED": "dim bold", "CONNECTING": "busy bold",
          "IDLE": "dim bold"}  # fmt: skip


def headline(facts: LogFacts, width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """``Logs  api-1@web-01 + worker-2@web-02   since 15m  FOLLOW  wrap  9,812/50,000  0 dropped``, in ``width``."""
    right: list[Span] = [(f"{glyphs.warn} {server} away{_GAP}", "warn bold") for server in facts.away]
    right.append((facts.state + _GAP, _TONES[facts.state]))
    if facts.behind >= _LATE:
        right.append((f"{duration_text(facts.behind)} behind{_GAP}", "warn"))
    right += [(flag + _GAP, "info") for flag in facts.flags]
    right.append((f"{facts.kept:,}/{facts.capacity:,}{_GAP}", "dim"))
    right.append((f"{facts.dropped:,} dropped ", "warn" if facts.dropped else "dim"))
    right += [(f"{text} lost ", "bad bold") for text in _lost(facts)]
    room = width - sum(width_of(text) for text, _ in right) - 1
    span = f"{facts.span}{_GAP}"
    if room - width_of(span) >= _LEAST:
        right.insert(0, (span, "dim"))
        room -= width_of(span)
    left: list[Span] = [(" Logs  ", "title bold"), *_names(facts, glyphs, room - 7)]
    return (*fit(tuple(left), max(0, room), ellipsis=glyphs.ellipsis), (" ", ""), *right)


def _lost(facts: LogFacts) -> list[str]:
    lines = [f"{facts.lost_lines:,}"] if facts.lost_lines else []
    return [*lines, f"~{bytes_text(facts.lost_bytes)}"] if facts.lost_bytes else lines


def _names(facts: LogFacts, glyphs: Glyphs, room: int) -> list[Span]:
    """As many names as fit, each in its colour, and the number of the others; one name at least."""
    sources = [
        (f"{source.name} {glyphs.stopped}" if source.name in facts.stopped else source.name, source.tone)
        for source in facts.sources
    ]
    shown = len(sources)
    while shown > 1 and _width(sources, shown) > room:
        shown -= 1
    spans: list[Span] = []
    for at, source in enumerate(sources[:shown]):
        spans += [(" + ", "dim")] if at else []
        spans.append((source[0], source[1] if len(sources) > 1 else "bold"))
    if shown < len(sources):
        spans.append((f" +{len(sources) - shown}", "dim"))
    return spans


def _width(sources: Sequence[Span], shown: int) -> int:
    more = len(f" +{len(sources) - shown}") if shown < len(sources) else 0
    return sum(width_of(name) for name, _ in sources[:shown]) + 3 * (shown - 1) + more


@dataclass(frozen=True)
class StatusFacts:
    """What the line below says; it is there only when it says something."""

    missed: int = 0
    """Lines that came since the view was paused."""
    paused: bool = False
    selected: int = 0
    """Lines selected."""
    pattern: str = ""
    position: int = 0
    """Which of the matches the cursor stands on or behind."""
    matches: int = 0
    complete: bool = True
    """Whether all that is kept has been searched."""
    hiding: bool = False
    note: str = ""
    """Why the pattern is taken letter by letter; or what to do about an empty view."""


def status_line(facts: StatusFacts, width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """``/ timeout  3 of 17  filtered   ── 214 lines arrived while paused, G to resume ──``; empty for nothing."""
    spans: list[Span] = []
    right: list[Span] = []
    if facts.pattern:
        number = f"{facts.position:,} of {facts.matches:,}" if facts.position else f"{facts.matches:,} matches"
        more = "" if facts.complete else f" {glyphs.ellipsis}"
        spans += [
            (" / ", "accent bold"),
            (facts.pattern, ""),
            (f"{_GAP}{number}{more}", "info" if facts.matches else "warn"),
        ]
        if facts.hiding:
            spans.append((f"{_GAP}filtered", "warn"))
    if facts.selected:
        right.append((f" {count_text(facts.selected, 'line')} selected, y copies, W saves ", "accent bold"))
    elif facts.paused:
        rule = glyphs.horizontal * 2
        came = (
            f"{facts.missed:,} {'line' if facts.missed == 1 else 'lines'} arrived while paused"
            if facts.missed
            else "paused"
        )
        right.append((f" {rule} {came}, G to resume {rule} ", "warn"))
    if facts.note:
        spans.append((f" {facts.note}", "dim"))
    if not spans and not right:
        return ()
    room = width - sum(width_of(text) for text, _ in right)
    return (*fit(tuple(spans), max(0, room), ellipsis=glyphs.ellipsis), *right)
