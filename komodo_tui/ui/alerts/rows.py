"""The rows, the filter and the detail of alerts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.alerts import TITLES, Alert, AlertEntry
from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import duration_text, long_duration_text, time_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs

HELP = "words, !not, ~fuzzy, /regex/: kind, server, container, level, open, muted"
_NAME = 10


def state_look(alert: Alert, glyphs: Glyphs) -> tuple[str, str, str]:
    """Glyph, word and tone."""
    if not alert.open:
        return glyphs.ok, "over", "dim"
    sign, tone = (glyphs.fail, "bad") if alert.level == "critical" else (glyphs.warn, "warn")
    return sign, alert.level, tone if alert.pressing else "dim"


def care_text(alert: Alert) -> str:
    """``ack ana``, ``muted``, ``flapping``; empty where it simply presses."""
    words = [f"ack {alert.acknowledged_by}"] if alert.acknowledged is not None else []
    return ", ".join(words + ["muted"] * alert.muted + ["flapping"] * (alert.flapping and alert.open))


def columns(glyphs: Callable[[], Glyphs], now: Callable[[], float]) -> tuple[Column[Alert], ...]:
    """State, what, where, since, how, who takes care."""

    def state(alert: Alert) -> Cell:
        sign, word, tone = state_look(alert, glyphs())
        return ((f"{sign} {word}", tone),)

    def what(alert: Alert) -> Cell:
        return ((TITLES[alert.subject.kind], state_look(alert, glyphs())[2]),)

    def dim(text: Callable[[Alert], str]) -> Callable[[Alert], Cell]:
        return lambda alert: ((text(alert), "" if alert.pressing else "dim"),)

    return (
        Column("state", "STATE", 10, state, key=lambda a: state_look(a, glyphs())[1]),
        Column("what", "WHAT", 19, what, key=lambda a: TITLES[a.subject.kind]),
        Column("where", "WHERE", 12, dim(lambda a: str(a.subject)), key=lambda a: str(a.subject), grow=2, most=44),
        Column("since", "SINCE", 6, dim(lambda a: duration_text(now() - a.opened)), key=lambda a: a.opened,
               right=True, descending=True),
        Column("how", "HOW", 14, dim(lambda a: a.text), priority=1, grow=3),
        Column("care", "CARE", 10, lambda a: ((care_text(a), "dim"),), key=care_text, priority=2, grow=1, most=30),
        Column("id", "ID", 5, lambda a: ((str(a.id), "dim"),), key=lambda a: a.id, priority=3, right=True),
    )  # fmt: skip


def parser(line: str) -> Callable[[Alert], bool]:
    """A filter's text as a test. Raises UsageError."""
    test = parse_text(line)
    return lambda alert: test(haystack(alert))


def haystack(alert: Alert) -> str:
    """What filters look in."""
    words = [alert.subject.kind, TITLES[alert.subject.kind], str(alert.subject), alert.level, alert.text,
             "open" if alert.open else "over", care_text(alert)]  # fmt: skip
    return "\n".join(words).lower()


def detail_text(alert: Alert, entries: Sequence[AlertEntry], now: float, look: Look) -> Text:
    """One alert in full, with what became of it."""
    style, glyphs = look.palette.style, look.glyphs
    sign, word, tone = state_look(alert, glyphs)
    text = Text()
    text.append(f"{sign} ", style(tone))
    text.append(f"{clean(alert.title)}\n", style("bold"))
    lasted = (alert.resolved if alert.resolved is not None else now) - alert.opened
    pairs = [
        ("state", word + (f" after {long_duration_text(lasted)}" if not alert.open else ""), tone),
        ("how", alert.text, ""),
        ("since", f"{time_text(alert.opened)}, {long_duration_text(lasted)}", ""),
        ("until", time_text(alert.resolved or 0.0), ""),
        ("care", f"{alert.acknowledged_by}, {time_text(alert.acknowledged)}" if alert.acknowledged else "", ""),
        ("note", alert.note, ""),
        ("muted", "yes: it presses nobody until the mute is over" if alert.muted else "", "dim"),
        ("flapping", "opens again and again: it has to be well for 15 minutes" if alert.flapping else "", "warn"),
        ("id", str(alert.id), "dim"),
    ]
    for name, value, value_tone in pairs:
        if value:
            text.append(f"\n{name:{_NAME}}", style("dim"))
            text.append(clean(value), style(value_tone))
    text.append("\n\nwhat became of it", style("title bold"))
    for entry in entries:
        who = f" by {entry.who}" if entry.who else ""
        text.append(f"\n{time_text(entry.at)}  ", style("dim"))
        text.append(clean(f"{entry.change}{who}"), style(_CHANGES.get(entry.change, "")))
        text.append(clean(f"  {entry.level}  {entry.text}"))
    return text


_CHANGES = {"opened": "warn", "escalated": "bad", "acknowledged": "accent", "resolved": "ok"}
