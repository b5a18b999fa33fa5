"""What is not well right now, before any patience, and how far that is the whole truth. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.domain.alerts import Scope, Subject
from komodo_tui.domain.levels import Level, level

if TYPE_CHECKING:
    from komodo_tui.domain.servers import Threshold

_MARGINS = {"cpu": 5.0, "memory": 3.0, "swap": 5.0, "disk": 1.0, "restarts": 0.0, "load": 30.0, "pressure": 10.0}
"""Hysteresis, in the unit of the value: a level that was reached is left this much below its limit."""


class Reading(msgspec.Struct, frozen=True):
    """Something is not well."""

    subject: Subject
    level: Level
    """What it is now."""
    held: Level
    """What it still counts as, where it has been worse: limits less the margin."""
    value: float | None
    text: str
    old: bool = False
    """It happened before anybody watched: no news, but no end of an open alert either."""
    lasts: float | None = None
    """Seconds it has to last before it is an alert; None = what is usual of its kind."""


class Survey(NamedTuple):
    """All that is not well, and how far that is the whole truth."""

    readings: list[Reading]
    told: frozenset[tuple[str, Scope]]
    """(server, scope) that spoke: what is not among its readings is well."""
    servers: frozenset[str]
    """All that are managed."""


def joined(survey: Survey, more: Survey) -> Survey:
    """Both as one."""
    return Survey(survey.readings + more.readings, survey.told | more.told, survey.servers | more.servers)


def figure(subject: Subject, value: float, threshold: Threshold, text: str) -> Reading:
    """A value against its limits, with the margin of its kind."""
    held = level(value + _MARGINS[subject.kind], threshold)
    return Reading(subject, level(value, threshold), held, value, text, lasts=threshold.seconds)
