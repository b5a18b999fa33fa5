"""A container's log through the engine's API: for drivers without files, and files out of the agent's reach.

The past is asked for first (``follow=0``, up to now), then the stream is opened from the last line of it. Resuming uses
``since`` *and* ``tail``: ``since`` alone makes the engine read the whole log (500 times dearer). When the tail turns
out to begin after the last line that is known, a longer one is asked for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from .. import timestamps
from .log_cursor import now
from .log_frames import FrameLines, TtyLines
from .log_lines import Resume, before, frames, time_of
from .log_pace import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ..wire.logs import LogEvent
    from .log_cursor import Cursor
    from .log_frames import LineReader
    from .log_source import LogEngine, LogFacts

_TAILS = ("1000", "8000", "64000", "all")
"""Lines asked for on resuming, until the last known line is among them."""
_SMALL = 16 << 10
_GATHER = 0.03
"""Seconds to wait after a small piece, so that a chatty program makes frames and not lines."""
_DECIDE = 0.25
"""Seconds of silence after which what was held back on resuming is sent."""
_UNTIL_LOOK = 1.0
_SKIPPED = "the engine skipped ahead: the log rotated faster than it could read"
_NOT_HELD = "the log no longer reaches back to the last line"

Lines = list[bytes]


class ApiLog:
    """Reads one source from the engine. Each reader raises what the engine's client raises: ``DockerError``,
    ``AgentError``, ``aiohttp.ClientError``, ``OSError``; and ``LogStreamError``.

    Args:
        engine: where to ask.
        facts: which container.
        cursor: where the client is.
        live: whether :meth:`live` comes after :meth:`past`, and with it the rest of a line that has not ended yet.
    """

    def __init__(self, engine: LogEngine, facts: LogFacts, cursor: Cursor, *, live: bool) -> None:
        self._live = live
        self._engine = engine
        self._path = f"/containers/{facts.id}/logs"
        self._tty = facts.tty
        self._cursor = cursor
        self._window = cursor.window()
        self._pace = Pace()
        self._opened = now().encode()

    @property
    def over(self) -> bool:
        """Whether nothing more can come, since ``until`` has passed."""
        return self._window.over or self._cursor.past_until()

    async def past(self) -> AsyncGenerator[bytes | LogEvent, None]:
        """Every line up to now, and then that these were all."""
        cursor = self._cursor
        end = min(self._opened, cursor.until) if cursor.until else self._opened
        if cursor.last:
            if cursor.until and cursor.last > cursor.until:
                return
            async with aclosing(self._resumed(until=end, follow=False)) as items:
                async for item in items:
                    yield item
        else:
            async with aclosing(self._first(end)) as batches:
                async for lines in batches:
                    async for item in self._send(lines):
                        yield item
        for event in cursor.catch_up():
            yield event

    async def live(self) -> AsyncGenerator[bytes | LogEvent, None]:
        """Lines as they come, from the last one sent. Ends with the engine's stream: when the container stops, or when
        the engine has lost its place and the stream has to be opened anew."""
        async with aclosing(self._follow()) as items:
            async for item in items:
                yield item
        # An engine that was behind ends the stream with the container, whatever it has not sent yet.
        if self._cursor.last and not self.over:
            async with aclosing(self._resumed(until=self._cursor.until, follow=False)) as items:
                async for item in items:
                    yield item

    async def _follow(self) -> AsyncGenerator[bytes | LogEvent, None]:
        cursor = self._cursor
        if cursor.last:
            async with aclosing(self._resumed(until=cursor.until, follow=True)) as items:
                async for item in items:
                    yield item
            return
        since = max(cursor.since, before(self._opened))  # nothing was there then
        async with aclosing(self._ask(tail="all", since=since, until=cursor.until, follow=True)) as batches:
            async for lines in batches:
                async for item in self._send_live(lines):
                    yield item

    async def _first(self, end: bytes) -> AsyncGenerator[Lines, None]:
        """The beginning of a source that the client has nothing of."""
        tail, since = self._cursor.tail, self._cursor.since
        if tail is None or (tail and not self._cursor.until):
            wanted = "all" if tail is None else str(tail)
            async with aclosing(self._ask(tail=wanted, since=since, until=end, follow=False)) as batches:
                async for lines in batches:
                    yield lines
            return
        # The engine counts ``tail`` from the end of the log, whatever ``until`` says. For none at all, the last line
        # is wanted nevertheless, as the one to go on from.
        kept: deque[bytes] = deque(maxlen=tail or 1)
        wanted = "all" if tail else "1"
        async with aclosing(self._ask(tail=wanted, since=since, until=end, follow=False)) as batches:
            async for lines in batches:
                kept.extend(self._window.admit(lines))
        if tail:
            yield list(kept)
        else:
            self._cursor.note(list(kept))

    async def _resumed(self, *, until: bytes, follow: bool) -> AsyncGenerator[bytes | LogEvent, None]:
        """The lines after the last one that is known."""
        cursor = self._cursor
        for tail in _TAILS:
            resume = Resume(cursor.last, cursor.count)
            begun = False
            batches = self._ask(tail=tail, since=before(cursor.last), until=until, follow=follow, resume=resume)
            async with aclosing(batches):
                async for lines in batches:
                    if not begun and resume.decided:
                        if not resume.covered and tail != _TAILS[-1]:
                            break
                        begun = True
                        if not resume.covered:
                            size = self._pace.estimate(cursor.last, lines[0]) if lines else 0
                            yield cursor.gap(None, size, _NOT_HELD)
                    async for item in self._send_live(lines) if follow else self._send(lines):
                        yield item
            if begun:
                return

    async def _send(self, lines: Lines) -> AsyncGenerator[bytes | LogEvent, None]:
        lines = self._window.admit(lines)
        self._cursor.note(lines)
        for frame in frames(lines):
            yield frame

    async def _send_live(self, lines: Lines) -> AsyncGenerator[bytes | LogEvent, None]:
        at = self._pace.jump(lines)
        if at is not None:
            async for item in self._send(lines[:at]):
                yield item
            lines = lines[at:]
            if not await self._is_held(self._cursor.last):
                yield self._cursor.gap(None, self._pace.estimate(self._cursor.last, lines[0]), _SKIPPED)
        async for item in self._send(lines):
            yield item

    async def _is_held(self, time: bytes) -> bool:
        """Whether the log still has a line of this time: then none of those after it was rotated away."""
        async with aclosing(self._ask(tail="all", since=time, until=time, follow=False)) as batches:
            async for lines in batches:
                if lines:
                    return True
        return False

    async def _is_stuck(self) -> bool:
        """Whether the log has lines that the stream should have brought long ago."""
        if self._pace.patience() is None:
            return False
        missed = False
        async with aclosing(self._ask(tail="1", since=b"", until=b"", follow=False)) as batches:
            async for lines in batches:
                missed = missed or any(before(time_of(line)) > self._cursor.last for line in lines)
        self._pace.looked(missed=missed)
        return missed

    async def _ask(
        self, *, tail: str, since: bytes, until: bytes, follow: bool, resume: Resume | None = None
    ) -> AsyncGenerator[Lines, None]:
        """One answer of the engine as lines; those that ``resume`` holds back come when it is decided."""
        tag = self._cursor.tag.encode()
        docker = self._engine.status.name != "podman"
        reader: LineReader = TtyLines(tag) if self._tty else FrameLines(tag, short_ends=docker)
        query: dict[str, str | int] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow), "tail": tail}
        for name, bound in (("since", since), ("until", until)):
            if bound:
                query[name] = timestamps.unix(timestamps.parse(bound.decode()))
        async with self._engine.stream("GET", self._path, params=query) as response:
            while True:
                patience = self._patience(reader, resume) if follow else None
                try:
                    data = await asyncio.wait_for(response.content.readany(), patience)
                except asyncio.TimeoutError:
                    yield _admit(resume, reader.settle(), last=resume is not None and resume.holds)
                    if self.over or (patience not in (_DECIDE, _UNTIL_LOOK) and await self._is_stuck()):
                        return
                    continue
                if not data:
                    break
                yield _admit(resume, reader.feed(data))
                if self.over:
                    return
                if follow and len(data) < _SMALL:
                    await asyncio.sleep(_GATHER)
        ended = follow or not self._live
        yield _admit(resume, reader.flush() if ended else reader.settle(), last=True)

    def _patience(self, reader: LineReader, resume: Resume | None) -> float | None:
        """Seconds of silence after which there is something to do."""
        if reader.unsettled or (resume is not None and resume.holds):
            return _DECIDE
        return _UNTIL_LOOK if self._cursor.until else self._pace.patience()


def _admit(resume: Resume | None, lines: Lines, *, last: bool = False) -> Lines:
    if resume is None or resume.decided:
        return lines
    new = resume.admit(lines)
    return resume.give_up() + new if last else new
