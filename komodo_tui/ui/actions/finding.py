"""What the filter line of the Actions tab asks for: terms of the history, and points in time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.filters import ActionFilter, parse_actions
from komodo_tui.domain.moments import parse_moment

if TYPE_CHECKING:
    from komodo_tui.domain.operations import ActionRecord

HELP = "words  who:ana  act:stop  server:web-1  outcome:failed  today  since:2h  until:1h  !not  ~fuzzy  /regex/"


@dataclass(frozen=True)
class Find:
    """A test of acts."""

    filter: ActionFilter
    since: float = 0.0
    """Unix time; acts that began before do not pass."""
    until: float = 0.0
    """Unix time; acts that began after do not pass. 0 = no end."""

    def __call__(self, record: ActionRecord) -> bool:
        """Whether this act passes."""
        if record.started < self.since or (self.until and record.started > self.until):
            return False
        return self.filter(record)

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.filter) or self.since > 0 or self.until > 0


EVERYTHING = Find(ActionFilter())


def parse_find(text: str, now: float | None = None) -> Find:
    """Terms of the history, and ``today``, ``yesterday``, ``since:`` and ``until:`` with a moment or one of the two.

    ``now`` is Unix time in seconds. A moment that is not complete yet asks for nothing while it is being typed.

    Raises:
        UsageError: a term or a moment cannot be understood.
    """
    now = time.time() if now is None else now
    rest: list[str] = []
    since = until = 0.0
    for word in text.split(" "):
        name, colon, value = word.lower().partition(":")
        if word.lower() == "today":
            since = max(since, _midnight(now))
        elif word.lower() == "yesterday":
            since, until = max(since, _midnight(now, 1)), _midnight(now)
        elif colon and name in ("since", "until"):
            at = _moment(value, now) if value else 0.0
            since, until = (at or since, until) if name == "since" else (since, at or until)
        else:
            rest.append(word)
    return Find(parse_actions(" ".join(rest)), since, until)


def _moment(value: str, now: float) -> float:
    if value == "today":
        return _midnight(now)
    if value == "yesterday":
        return _midnight(now, 1)
    try:
        return parse_moment(value.upper() if "t" in value else value, now=now)
    except UsageError:
        if value.isdigit() and len(value) < 9:  # the unit is still to come
            return 0.0
        raise


def _midnight(now: float, days: int = 0) -> float:
    """The start of the local day that many days ago; days are not all 24 hours long."""
    day = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - timedelta(days=days)).timestamp()
