"""The timeline: what is said of events, acts and alerts, and times as people type them."""

from __future__ import annotations

from datetime import datetime

import pytest

from komodo_agent.wire.past import PastEvent
from komodo_tui.domain.alerts import Alert, AlertEntry, Subject
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.moments import parse_moment
from komodo_tui.domain.operations import ActionRecord, Actor, Target
from komodo_tui.domain.timeline import in_order, of_action, of_alert, of_event
from komodo_tui.ui.timeline.rows import young_text

_ANA = Actor(name="ana")


def _act(**changes: object) -> ActionRecord:
    base = {
        "id": "i", "seq": 1, "started": 10.0, "ended": 10.2, "actor": _ANA, "act": "restart",
        "targets": (Target(server="web-1", name="api"),), "outcome": "success",
    }  # fmt: skip
    return ActionRecord(**{**base, **changes})  # type: ignore[arg-type]


def test_an_act_of_a_moment_is_one_line_and_a_long_one_two() -> None:
    (short,) = of_action(_act())
    assert (short.server, short.subject, short.text, short.tone) == ("web-1", "api", "restart by ana: success", "good")
    begin, end = of_action(_act(ended=75.0, outcome="failed", summary="no such image"))
    assert (begin.text, begin.at) == ("restart by ana begins", 10.0)
    assert (end.text, end.at, end.tone) == ("restart by ana: failed: no such image", 75.0, "bad")
    (running,) = of_action(_act(ended=None, outcome=None))
    assert running.text == "restart by ana: running"


def test_an_act_on_many_servers_is_about_none_alone() -> None:
    targets = (Target(server="web-1", name="api"), Target(server="web-2", name="api"))
    (entry,) = of_action(_act(targets=targets))
    assert (entry.server, entry.subject) == ("", "api")


def test_events_and_alerts_in_one_order() -> None:
    alert = Alert(
        id=7, subject=Subject("web-1", "cpu"), level="critical", opened=5.0, changed=5.0, value=99.0, text="99 %"
    )
    told = AlertEntry(seq=1, alert=7, at=11.0, change="opened", level="critical", text="cpu is at 99 %")
    entries = [
        of_alert(told, alert),
        of_event("web-1", PastEvent(at=9.0, kind="oom", container="api", detail="exit code 137")),
        of_event("web-2", PastEvent(at=9.5, kind="started", container="db")),
        *of_action(_act()),
    ]
    found = in_order(entries, frozenset({"web-1"}), 0.0, 10.5)
    assert [entry.text for entry in found] == ["killed for want of memory: exit code 137", "restart by ana: success"]
    assert [entry.kind for entry in in_order(entries, None, 0.0, 99.0)] == ["event", "event", "action", "alert"]


def test_the_clock_is_when_it_last_showed_that() -> None:
    now = datetime(2026, 3, 4, 1, 30).timestamp()
    assert parse_moment("02:00", now=now) == datetime(2026, 3, 3, 2, 0).timestamp()
    assert parse_moment("1:29:59", now=now) == datetime(2026, 3, 4, 1, 29, 59).timestamp()
    with pytest.raises(UsageError):
        parse_moment("25:00", now=now)


def test_events_that_are_there_for_a_part_alone_are_told_with_their_beginning() -> None:
    noon = datetime(2026, 3, 4, 12, 0).timestamp()
    assert young_text({"local": noon - 60, "two": noon}) == "events since 03-04 12:00 (local, two)"
