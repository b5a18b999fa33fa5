"""``timeline``: what happened around a time, and how busy the servers were."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from komodo_agent.wire.past import PEAK
from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.moments import parse_moment
from komodo_tui.domain.units import bytes_text, duration_text, time_text
from komodo_tui.headless.session import not_reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.timeline import TimelineReader

if TYPE_CHECKING:
    from komodo_tui.domain.timeline import Entry
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Session
    from komodo_tui.operations.timeline import ServerPast, Timeline

_ENTRIES = (
    Column("TIME"),
    Column("KIND"),
    Column("SERVER"),
    Column("WHAT", flexible=True),
    Column("HAPPENED", flexible=True),
)
_FIGURES = (
    Column("SERVER"),
    Column("CPU% MEAN", right=True),
    Column("CPU% MOST", right=True),
    Column("MEMORY MOST", right=True),
    Column("LOAD MOST", right=True),
    Column("STEP", right=True),
)
_TONES: dict[str, Tone] = {"bad": "bad", "warn": "warn", "good": "good"}


async def timeline(session: Session) -> int:
    """Print events, acts and alerts in one order, with each server's figures before them."""
    arguments, now = session.arguments, time.time()
    start, end = _span(arguments.at, arguments.span, now)
    async with session.servers() as runtime:
        names = sorted(runtime.fleet.state.servers)
        reader = TimelineReader(runtime.fleet, runtime.history, runtime.alerts)
        found = await reader.read(names, start, end, now=now)
        if session.out.json:
            session.out.document(found)
        else:
            _print(session, found)
        away = [past for past in found.servers if past.problem]
        if names and len(away) == len(names):
            raise not_reached("no server could be asked", list(runtime.fleet.state.servers.values()))
    return ExitCode.DONE


def _span(at: str, width: float, now: float) -> tuple[float, float]:
    """Half of the width before the moment, half after; without one, the time up to now."""
    if not at:
        return now - width, now
    middle = parse_moment(at, now=now)
    if middle > now:
        raise UsageError(f"timeline: {at} is still to come")
    end = min(now, middle + width / 2)
    return end - width, end


def _print(session: Session, found: Timeline) -> None:
    out = session.out
    for past in found.servers:
        if past.problem:
            out.say(f"komodo-tui: {past.server}: {past.problem}")
        elif past.truncated:
            out.say(f"komodo-tui: {past.server}: there was more than is shown; take a shorter --span")
        elif past.events_since > found.start:
            ago = duration_text(time.time() - past.events_since)
            out.say(f"komodo-tui: {past.server}: events are known of the last {ago} only")
    figures = [_figures(past) for past in found.servers if past.host is not None]
    if figures:
        out.table(_FIGURES, figures)
        out.line("")
    out.table(_ENTRIES, [_row(entry) for entry in found.entries])


def _row(entry: Entry) -> list[Cell]:
    tone: Tone = _TONES.get(entry.tone, "")
    return [
        Cell(time_text(entry.at)),
        Cell(entry.kind, "dim"),
        Cell(entry.server),
        Cell(entry.subject),
        Cell(entry.text, tone),
    ]


def _figures(past: ServerPast) -> list[Cell]:
    assert past.host is not None
    series = past.host.series

    def values(name: str) -> list[float]:
        return [value for value in series.get(name + PEAK, series.get(name, [])) if value is not None]

    cpu = [value for value in series.get("cpu", []) if value is not None]
    most = {name: max(values(name), default=None) for name in ("cpu", "memory", "load")}
    return [
        Cell(past.server),
        Cell(f"{sum(cpu) / len(cpu):.1f}" if cpu else "-"),
        Cell("-" if most["cpu"] is None else f"{most['cpu']:.1f}"),
        Cell("-" if most["memory"] is None else bytes_text(most["memory"])),
        Cell("-" if most["load"] is None else f"{most['load']:.2f}"),
        Cell(duration_text(past.host.step) if cpu else "-"),
    ]
