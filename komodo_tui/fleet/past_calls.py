"""The part of the agent's client that is about the past: the live window's, and what is on the agent's disk."""

from __future__ import annotations

from komodo_agent.wire import protocol
from komodo_agent.wire.models import History
from komodo_agent.wire.past import HOST, ROUTE_PAST, ROUTE_PAST_EVENTS, ROUTE_PAST_SUBJECTS, Past, PastEvents
from komodo_tui.fleet.calls import AgentCalls

_TIMEOUT = 20.0


class PastCalls(AgentCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def container_history(self, container_id: str, window: float) -> History:
        """The figures of a container over the last ``window`` seconds."""
        return await self._get(protocol.ROUTE_CONTAINER_HISTORY, History, {"window": f"{window:g}"}, id=container_id)

    async def host_history(self, window: float) -> History:
        """The figures of the host over the last ``window`` seconds."""
        return await self._get(protocol.ROUTE_HOST_HISTORY, History, {"window": f"{window:g}"})

    async def past(self, start: float, end: float, *, subject: str = HOST, points: int = 600) -> Past:
        """The series of one subject between two Unix times, in at most so many steps."""
        asked = {"subject": subject, "start": repr(start), "end": repr(end), "points": str(points)}
        return await self._get(ROUTE_PAST, Past, asked, timeout=_TIMEOUT)

    async def past_subjects(self, start: float, end: float) -> list[str]:
        """Of what there are values between two times: ``host``, ``disk:<path>``, ``container:<name>``."""
        return await self._get(
            ROUTE_PAST_SUBJECTS, list[str], {"start": repr(start), "end": repr(end)}, timeout=_TIMEOUT
        )

    async def past_events(self, start: float, end: float, limit: int = 1000) -> PastEvents:
        """What happened to containers and to the engine between two times."""
        asked = {"start": repr(start), "end": repr(end), "limit": str(limit)}
        return await self._get(ROUTE_PAST_EVENTS, PastEvents, asked, timeout=_TIMEOUT)
