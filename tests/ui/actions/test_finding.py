"""The filter line of the Actions tab: points in time, and that any line gives a test or a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.operations import ActionRecord, Actor
from komodo_tui.ui.actions.finding import parse_find
from tests.ui.fleets import NOW

DAY = 86400.0
MIDNIGHT = NOW // DAY * DAY
"""Of NOW, in UTC."""


def act(started: float) -> ActionRecord:
    """One that began then."""
    return ActionRecord(id="1", seq=1, started=started, actor=Actor(name="ana"), act="stop")


@pytest.mark.parametrize(
    ("line", "since", "until"),
    [
        ("today", MIDNIGHT, 0),
        ("YESTERDAY", MIDNIGHT - DAY, MIDNIGHT),
        ("since:yesterday until:today", MIDNIGHT - DAY, MIDNIGHT),
        ("since:2h30m", NOW - 9000, 0),
        ("until:1d who:ana", 0, NOW - DAY),
        ("since:2026-05-01T10:00:00Z", 1777629600, 0),
        ("since: until:", 0, 0),
        ("since:20", 0, 0),
    ],
)
def test_points_in_time(line: str, since: float, until: float) -> None:
    found = parse_find(line, NOW)
    assert (found.since, found.until) == (since, until)


def test_both_ends_count() -> None:
    find = parse_find("since:2h until:1h", NOW)
    assert [find(act(NOW - hours * 3600)) for hours in (2.5, 2, 1.5, 1, 0.5)] == [False, True, True, True, False]


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_find("since:soon", NOW)


@given(st.text(alphabet=st.sampled_from('since:until today²9dhTZ-!~/\\"0'), max_size=40))
def test_any_line_gives_a_test_or_a_message(line: str) -> None:
    try:
        find = parse_find(line, NOW)
    except UsageError:
        return
    assert find(act(NOW)) in (True, False)
