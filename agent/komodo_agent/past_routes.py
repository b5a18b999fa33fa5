"""The routes of the past."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .answers import as_json, number
from .problems import AgentError
from .wire import past as wire

if TYPE_CHECKING:
    from aiohttp import web

    from .past.archive import Archive

_DAY = 86_400.0
_LONGEST = 400 * _DAY
_POINTS, _MOST_POINTS = 1_000, 5_000
_EVENTS, _MOST_EVENTS = 1_000, 20_000


class PastRoutes:
    """The handlers, bound to one archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def add_to(self, app: web.Application) -> None:
        """Register them."""
        app.router.add_get(wire.ROUTE_PAST, self.past, allow_head=False)
        app.router.add_get(wire.ROUTE_PAST_SUBJECTS, self.subjects, allow_head=False)
        app.router.add_get(wire.ROUTE_PAST_EVENTS, self.events, allow_head=False)

    async def past(self, request: web.Request) -> web.Response:
        """GET /v1/past?subject=&start=&end=&points="""
        subject = request.query.get("subject", wire.HOST)
        points = int(number(request.query, "points", _POINTS, _MOST_POINTS))
        return as_json(await self._archive.read(subject, *_span(request), max(1, points)))

    async def subjects(self, request: web.Request) -> web.Response:
        """GET /v1/past/subjects?start=&end="""
        return as_json(await self._archive.subjects(*_span(request)))

    async def events(self, request: web.Request) -> web.Response:
        """GET /v1/past/events?start=&end=&limit="""
        limit = int(number(request.query, "limit", _EVENTS, _MOST_EVENTS))
        return as_json(await self._archive.events(*_span(request), max(1, limit)))


def _span(request: web.Request) -> tuple[float, float]:
    """The times asked for; the last hour when none are."""
    end = number(request.query, "end", time.time(), 1e11)
    start = number(request.query, "start", max(0.0, end - 3600), 1e11)
    if not start < end <= start + _LONGEST:
        raise AgentError("bad_request", "start must be before end, and no more than 400 days before it")
    return start, end
