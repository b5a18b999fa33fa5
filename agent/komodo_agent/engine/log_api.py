"""A container's log through the engine's API: for drivers without files, and files out of the agent's reach.

The past is asked for first (``follow=0``, up to now), then the stream is opened from the last line of it. Resuming uses
``since`` *and* ``tail``: ``since`` alone makes the engine read the whole log (500 times dearer). When the tail turns
out to begin after the last line that is known, a longer one is asked for.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from ..wire.logs import LogCaughtUp, LogEvent
from .log_cursor import now
from .log_lines import before

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .log_cursor import Cursor
    from .log_source import LogEngine, LogFacts

_TAILS = ("1000", "8000", "64000", "all")
"""Lines asked for on resuming, until the last known line is among them."""
_SMALL = 16 << 10
_GATHER = 0.03
"""Seconds to wait after a small piece, so that a chatty program makes frames and not lines."""
_DECIDE = 0.1
"""Seconds of silence after which what was held back on resuming is sent."""
_UNTIL_SLACK = 1.0
_NOT_HELD = "the log no longer reaches back to the last line"


class ApiLog:
    """Reads one source from the engine.

    Args:
        engine: where to ask.
        facts: which container.
        cursor: where the client is.
    """

    def __init__(self, engine: LogEngine, facts: LogFacts, cursor: Cursor) -> None:
        self._engine = engine
        self._path = f"/containers/{facts.id}/logs"
        self._tty = facts.tty
        self._cursor = cursor

    async def past(self) -> AsyncGenerator[bytes | LogEvent, None]:
        """All lines up to now, and that they are all.

        Raises:
            aiodocker.DockerError, AgentError, aiohttp.ClientError, OSError, LogStreamError: it cannot be read.
        """
        cursor = self._cursor
        end = min(now().encode(), cursor.until or b"~")
        if cursor.resumes:
            async with aclosing(self._resumed(follow=False, until=end)) as batches:
                async for batch in batches:
                    yield batch
        elif cursor.tail == 0:
            async for _ in self._lines(tail="1", since=b"", until=end, follow=False):
                cursor.note(_)
        else:
            async with aclosing(self._first(end)) as batches:
                async for batch in batches:
                    yield batch
        if not cursor.last:
            # An empty log: what comes is new, whatever the clock says of the moment it was asked.
            cursor.since = max(cursor.since, before(end))
        yield LogCaughtUp(tag=cursor.tag)
