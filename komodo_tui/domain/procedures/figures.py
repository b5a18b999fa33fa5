"""Figures of a procedure: how often it went well, when it runs next, how long it takes. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.domain.schedules import Schedule

LONGEST_JITTER = 86400.0
_RECENT = 10
"""Good runs that the expected time is of."""


def well_text(runs: Iterable[RunSummary]) -> str:
    """Runs that ended well, of those that ended: ``93%``; ``-`` where none has."""
    ended = [run for run in runs if run.outcome is not None and "." not in run.run]
    return f"{100 * sum(run.outcome == 'success' for run in ended) // len(ended)}%" if ended else "-"


def next_time(definition: ProcedureDefinition, now: float) -> float | None:
    """When a watch would run it next (Unix time); None where it has no schedule, or none that can be read."""
    if not definition.schedule:
        return None
    try:
        return schedule_of(definition).after(now)
    except UsageError:
        return None


def schedule_of(definition: ProcedureDefinition) -> Schedule:
    """Its schedule, in its zone and with its jitter. Raises UsageError."""
    from komodo_tui.domain.schedules import Schedule, share_of  # late: most have none

    jitter = parse_duration(definition.jitter) if definition.jitter else 0.0
    if jitter > LONGEST_JITTER:
        raise UsageError(f"jitter is {definition.jitter!r}", hint="a day at the most, like 10m")
    return Schedule(definition.schedule, definition.timezone, later=float(int(jitter * share_of(definition.name))))


def expected_seconds(runs: Iterable[RunSummary]) -> float | None:
    """How long it takes when it goes well, newest runs first; None where that is not known."""
    took = [run.ended - run.started for run in runs if run.outcome == "success" and run.ended is not None][:_RECENT]
    return median(took) if took else None
