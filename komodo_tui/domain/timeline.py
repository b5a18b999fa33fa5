"""What happened around a time, of all kinds, in one order: events, acts and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from komodo_tui.domain.alerts import TITLES

if TYPE_CHECKING:
    from komodo_agent.wire.past import PastEvent
    from komodo_tui.domain.alerts import Alert, AlertEntry
    from komodo_tui.domain.operations import ActionRecord

EntryKind = Literal["event", "action", "alert"]
Tone = Literal["bad", "warn", "good", "plain"]

_TONES: dict[str, Tone] = {
    "died": "bad", "oom": "bad", "unhealthy": "bad", "engine_down": "bad", "restarting": "bad",
    "started": "good", "healthy": "good", "engine_up": "good", "stopped": "warn", "removed": "warn", "paused": "warn",
}  # fmt: skip
_MOMENT = 1.0
"""Seconds below which an act is one line."""
_WORDS = {"oom": "killed for want of memory", "engine_down": "the engine went", "engine_up": "the engine is back"}
_OUTCOMES: dict[str, Tone] = {"success": "good", "cancelled": "warn", "running": "plain"}
"""All others are bad."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at: float
    """Unix time."""
    kind: EntryKind
    server: str
    """Empty for what is about none."""
    subject: str
    """The container, the target, what the alert is about."""
    text: str
    tone: Tone = "plain"
    id: str = ""
    """Of the action or the alert."""


def of_event(server: str, event: PastEvent) -> Entry:
    """What an agent saw."""
    text = _WORDS.get(event.kind, event.kind) + (f": {event.detail}" if event.detail else "")
    return Entry(
        at=event.at, kind="event", server=server, subject=event.container or "engine", text=text,
        tone=_TONES.get(event.kind, "plain"),
    )  # fmt: skip


def of_action(record: ActionRecord) -> list[Entry]:
    """Somebody's act: its start, and its end where that is more than a moment later."""
    servers = sorted({target.server for target in record.targets if target.server})
    names = ", ".join(dict.fromkeys(target.name or target.server for target in record.targets))
    outcome = record.outcome or "running"
    tone = _OUTCOMES.get(outcome, "bad")
    who = f"{record.act} by {record.actor}"
    why = f": {record.summary}" if record.summary and tone == "bad" else ""
    end = Entry(
        at=record.started if record.ended is None else record.ended, kind="action",
        server=servers[0] if len(servers) == 1 else "", subject=names, text=f"{who}: {outcome}{why}", tone=tone,
        id=record.id,
    )  # fmt: skip
    if end.at - record.started < _MOMENT:
        return [end]
    return [msgspec.structs.replace(end, at=record.started, text=f"{who} begins", tone="plain"), end]


def of_alert(entry: AlertEntry, alert: Alert) -> Entry:
    """What became of an alert."""
    tone: Tone = "good" if entry.change == "resolved" else "bad" if entry.level == "critical" else "warn"
    who = f" by {entry.who}" if entry.who else ""
    subject = alert.subject
    return Entry(
        at=entry.at, kind="alert", server=subject.server, subject=subject.what or subject.server,
        text=f"{TITLES[subject.kind]} {entry.change}{who}: {entry.text}", tone=tone, id=str(alert.id),
    )  # fmt: skip


def in_order(entries: list[Entry], servers: frozenset[str] | None, start: float, end: float) -> list[Entry]:
    """Those of the span and of the servers asked for (None: all), by time."""
    return sorted(
        (e for e in entries if start <= e.at <= end and (servers is None or not e.server or e.server in servers)),
        key=lambda entry: entry.at,
    )
