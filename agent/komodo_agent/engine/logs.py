"""The log of one container, from wherever it can be had, for as long as it is wanted."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import aiohttp
from aiodocker import DockerError

from ..problems import AgentError
from ..wire.logs import LogEnded, LogEvent
from .errors import translate
from .log_api import ApiLog
from .log_cursor import Cursor
from .log_files import LogFiles
from .log_frames import LogStreamError
from .log_source import log_facts
from .logfile import FileLog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ..wire.logs import LogSource
    from .log_source import LogEngine, LogFacts

_FILE_DRIVER = "json-file"
_LOOK = 0.05
"""Seconds between looks whether a container that had stopped runs again."""
_BACKOFF_LAST = 5.0
_RUNS = ("running", "paused", "restarting")


async def open_source(engine: LogEngine, source: LogSource, follow: bool) -> AsyncGenerator[bytes | LogEvent, None]:
    """Frames of lines and events of one source, as :mod:`..wire.logs` has them.

    Reads the json-file driver's files where this process may, else asks the engine. Following goes on over stops and
    starts of the container until it is removed. The last item is a :class:`~..wire.logs.LogEnded`, also when it
    failed: nothing of the engine, the disk or the request is raised. Close it (``aclosing``) to end it early.
    """
    try:
        cursor = Cursor(source)
        facts = await log_facts(engine, source.container)
        async with aclosing(_read(engine, facts, cursor, follow=follow)) as items:
            async for item in items:
                yield item
    except AgentError as error:
        reason = "removed" if error.code == "not_found" else error.sentence()
        yield LogEnded(tag=source.tag, reason=reason, error=True)
    except DockerError as error:
        yield LogEnded(tag=source.tag, reason=translate(error, "read the log").sentence(), error=True)
    except (LogStreamError, aiohttp.ClientError, ValueError, EOFError) as error:
        yield LogEnded(tag=source.tag, reason=f"the log cannot be read: {error}", error=True)
    except OSError as error:
        yield LogEnded(tag=source.tag, reason=f"the log cannot be read: {error.strerror or error}", error=True)


def _open_files(engine: LogEngine, facts: LogFacts) -> LogFiles | None:
    """The log's files, or None where only the engine can read it. Podman calls another format json-file too."""
    if facts.driver != _FILE_DRIVER or not facts.path or engine.status.name == "podman":
        return None
    try:
        return LogFiles(facts.path)
    except OSError:  # not this user's, or on another machine than we are (an engine in a VM)
        return None


async def _read(
    engine: LogEngine, facts: LogFacts, cursor: Cursor, *, follow: bool
) -> AsyncGenerator[bytes | LogEvent, None]:
    """From the files if they can be read, else from the engine until they can, a run of the container at a time."""
    files = await asyncio.to_thread(_open_files, engine, facts)
    log = ApiLog(engine, facts, cursor, live=follow)
    if files is None:
        async with aclosing(log.past()) as items:
            async for item in items:
                yield item
    run = _Run(engine, facts.id)
    while files is None and follow and not log.over:
        run.begin()
        try:
            async with aclosing(log.live()) as items:
                async for item in items:
                    run.came()
                    yield item
        except DockerError as error:
            if error.status < 500 and error.status not in (404, 409):
                raise
        except (aiohttp.ClientError, OSError, AgentError):
            pass  # the engine went away; the log goes on when it is back
        if not log.over:
            if await run.ended_for_good():
                yield LogEnded(tag=cursor.tag, reason="removed")
                return
            files = await _look_for_files(engine, facts)
    if files is None:
        yield LogEnded(tag=cursor.tag, reason="complete")
        return
    async with aclosing(FileLog(files, cursor, follow=follow).read()) as items:
        async for item in items:
            yield item


async def _look_for_files(engine: LogEngine, facts: LogFacts) -> LogFiles | None:
    """A container that was only created had no log path yet."""
    if facts.path:
        return None
    try:
        return await asyncio.to_thread(_open_files, engine, await log_facts(engine, facts.id))
    except AgentError:
        return None


class _Run:
    """Waits from one run of a container to the next."""

    def __init__(self, engine: LogEngine, container: str) -> None:
        self._engine = engine
        self._id = container
        self._started = 0.0
        self._backoff = _LOOK

    def begin(self) -> None:
        """The log is opened now."""
        known = self._engine.container(self._id)
        self._started = known.started if known else 0.0

    def came(self) -> None:
        """Something was read."""
        self._backoff = _LOOK

    async def ended_for_good(self) -> bool:
        """Wait until the container runs (again). True when it was removed instead.

        The tracker is asked, which is cheap; that a container is gone the engine has to confirm.
        """
        await asyncio.sleep(self._backoff)
        self._backoff = min(self._backoff * 2, _BACKOFF_LAST)
        while True:
            known = self._engine.container(self._id)
            if known is not None and (known.state in _RUNS or known.started != self._started):
                return False
            if known is None and await self._is_gone():
                return True
            await asyncio.sleep(_LOOK)

    async def _is_gone(self) -> bool:
        try:
            await self._engine.inspect(self._id)
        except AgentError as error:
            return error.code == "not_found"
        return False
