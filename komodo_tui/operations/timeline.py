"""Gathers the timeline: agents tell events and figures, the history acts, the alert store what became of alerts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.past import Past
from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.timeline import Entry, in_order, of_action, of_alert, of_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.store.alerts import AlertStore
    from komodo_tui.store.history import History

_AT_ONCE = 20
"""Agents asked at the same time."""
_MOST_ACTIONS = 2_000
_EARLIER = 86_400.0
"""Seconds before the span in which an act that reaches into it may have begun."""


class ServerPast(msgspec.Struct, frozen=True, kw_only=True):
    """What one server's agent knows of the span."""

    server: str
    host: Past | None = None
    problem: str = ""
    """Why it could not be asked; empty when it was."""
    truncated: bool = False
    """Whether there was more than is shown."""
    events_since: float = 0.0
    """How far back its events reach; 0 when it has none."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, and how the servers were meanwhile."""

    start: float
    end: float
    entries: tuple[Entry, ...]
    servers: tuple[ServerPast, ...]


class TimelineReader:
    """Reads timelines; what cannot be asked is named and left out."""

    def __init__(self, fleet: FleetManager, history: History, alerts: AlertStore | None) -> None:
        self._fleet = fleet
        self._history = history
        self._alerts = alerts

    async def read(
        self, servers: Sequence[str], start: float, end: float, *, now: float, points: int = 240
    ) -> Timeline:
        """Everything between two Unix times about these servers."""
        gate = asyncio.Semaphore(_AT_ONCE)
        asked = await asyncio.gather(*(self._ask(name, start, end, points, gate) for name in servers))
        entries = [entry for found, _ in asked for entry in found]
        entries += await asyncio.to_thread(self._kept, start, end, now)
        return Timeline(
            start=start, end=end, servers=tuple(past for _, past in asked),
            entries=tuple(in_order(entries, frozenset(servers), start, end)),
        )  # fmt: skip

    async def _ask(
        self, server: str, start: float, end: float, points: int, gate: asyncio.Semaphore
    ) -> tuple[list[Entry], ServerPast]:
        try:
            async with gate:
                client = await self._fleet.link(server).client()
                events, host = await asyncio.gather(
                    client.past_events(start, end), client.past(start, end, points=points)
                )
        except KomodoError as error:
            return [], ServerPast(server=server, problem=str(error))
        return [of_event(server, event) for event in events.events], ServerPast(
            server=server, host=host, truncated=events.truncated, events_since=events.since
        )

    def _kept(self, start: float, end: float, now: float) -> list[Entry]:
        """Acts and alerts of the span, from this machine's own records."""
        acts = self._history.query(lambda r: r.started <= end, limit=_MOST_ACTIONS, since=start - _EARLIER)
        found = [entry for record in acts for entry in of_action(record)]
        if self._alerts is None:
            return found
        return found + [of_alert(entry, alert) for entry, alert in self._alerts.entries_between(start, end, now)]
