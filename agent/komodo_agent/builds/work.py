"""All builds of an agent: what its jobs call."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.builds import wrong_build
from ..wire.repo_checks import wrong_source
from .acts import BuildAct
from .builder import look
from .place import Place, left_behind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.builds import BuildJob


class Builds:
    """The folder ``<state>/builds``."""

    def __init__(self, engine: Engine, root: Path, file_roots: Sequence[Path]) -> None:
        """``file_roots``: where repositories that are folders of this server may be."""
        self._engine = engine
        self._root = root
        self._file_roots = file_roots
        self._busy: set[str] = set()

    async def open(self) -> None:
        """Clear up after an agent that was killed."""
        await asyncio.to_thread(left_behind, self._root)

    async def look(self) -> None:
        """Find out what builds images here, and let it be told with the engine."""
        with suppress(AgentError):  # a build says what is missing
            await look(self._engine)

    async def run(self, context: JobContext, job: BuildJob) -> None:
        """Do a job's work.

        Raises:
            AgentError: refused or failed; nothing has a tag then that had none.
        """
        try:
            wrong = wrong_build(job) or (wrong_source(job.source.repo) if job.source.repo is not None else "")
            if wrong:
                raise AgentError("bad_request", wrong)
            await self._run(context, job)
        except AgentError as error:
            if error.code in ("conflict", "bad_request", "forbidden", "not_found"):
                context.result(refused=error.code)
            raise
        except TimeoutError as error:
            raise AgentError("failed", f"it did not end within {job.timeout:g} s and was ended") from error

    async def _run(self, context: JobContext, job: BuildJob) -> None:
        if job.name in self._busy:
            raise AgentError(
                "conflict", f"{job.name} is being built already", hint="wait for its end, or cancel it", retryable=True
            )
        place = Place(self._root, job.name)
        self._busy.add(job.name)
        try:
            with place.ours():
                if not await asyncio.to_thread(place.is_free):
                    context.log("an agent that was killed has left a build running; it is ended")
                    await asyncio.to_thread(place.free)
                with place.locked() as lock:
                    await self._build(context, job, place, lock)
        finally:
            self._busy.discard(job.name)

    async def _build(self, context: JobContext, job: BuildJob, place: Place, lock: int) -> None:
        try:
            await asyncio.to_thread(place.begin)
            async with asyncio.timeout(job.timeout):
                await BuildAct(self._engine, context, job, place, lock, self._file_roots).run()
        finally:
            await asyncio.shield(asyncio.to_thread(place.clear))
