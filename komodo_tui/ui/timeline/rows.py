"""The rows and the filter of the timeline. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from komodo_tui.domain.filters import parse_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.timeline import Entry
    from komodo_tui.ui.render.cells import Cell

HELP = "words, !not, ~fuzzy, /regex/: event, action, alert, server, container"
_TONES = {"bad": "bad", "warn": "warn", "good": "ok", "plain": ""}


def moment_text(at: float, *, day: bool = True) -> str:
    """``11-24 02:00:17``; the year is in the headline."""
    return time.strftime("%m-%d %H:%M:%S" if day else "%H:%M:%S", time.localtime(at))


def young_text(since: Mapping[str, float]) -> str:
    """Of which servers events are there for a part of the time alone, and from when on (the latest of them)."""
    return f"events since {moment_text(max(since.values()))[:-3]} ({', '.join(since)})"


def columns() -> tuple[Column[Entry], ...]:
    """When, what kind, where, what, how."""

    def text(entry: Entry) -> Cell:
        return ((entry.text, _TONES[entry.tone]),)

    return (
        Column("time", "TIME", 14, lambda e: ((moment_text(e.at), "dim"),), key=lambda e: e.at, descending=True),
        Column("kind", "KIND", 6, lambda e: e.kind, key=lambda e: e.kind, priority=2),
        Column("server", "SERVER", 10, lambda e: e.server, key=lambda e: e.server, grow=1, most=24, priority=1),
        Column("subject", "WHAT", 12, lambda e: e.subject, key=lambda e: e.subject, grow=1, most=40),
        Column("text", "HAPPENED", 16, text, grow=3),
    )  # fmt: skip


def parser(line: str) -> Callable[[Entry], bool]:
    """A filter's text as a test. Raises UsageError."""
    test = parse_text(line)
    return lambda entry: test("\n".join((entry.kind, entry.server, entry.subject, entry.text)).lower())
