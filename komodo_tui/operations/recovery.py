"""Acts that processes which are gone left unfinished: found, asked about, closed.

An act is under way while its locks are held; they die with their holder. So a row without an outcome whose locks are
free is nobody's any more. What its jobs came to is asked of the agents, by the ids the intent wrote down.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import LockedError, NotFoundError, UnreachableError
from komodo_tui.operations.intents import read_intent, read_operation
from komodo_tui.operations.job_steps import JobStep, OutcomeUnknownError
from komodo_tui.operations.outcomes import interrupted
from komodo_tui.operations.records import finish
from komodo_tui.operations.server_steps import found_done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from komodo_tui.domain.operations import ActionRecord, StepResult, Target
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.operations.intents import Intent
    from komodo_tui.operations.job_steps import JobLink
    from komodo_tui.operations.locking import TargetLocks
    from komodo_tui.operations.progress import StepStatus
    from komodo_tui.store.history import History

_ANSWER = 10.0
"""Seconds a server may take to be connected before it counts as away."""
_AGAIN = 15.0
"""Seconds between questions to a server that does not answer."""


class Recovery:
    """Closes unfinished acts."""

    def __init__(
        self,
        history: History,
        locks: TargetLocks,
        link: Callable[[str], JobLink],
        known: Callable[[], Mapping[str, ServerDefinition]],
    ) -> None:
        """``link`` raises NotFoundError for a server that is not defined; ``known`` reads the definitions."""
        self._history = history
        self._locks = locks
        self._link = link
        self._known = known
        self._closing: dict[str, asyncio.Lock] = {}
        """By act, while this process closes it: who asks meanwhile waits for that, instead of finding it locked."""

    async def run(self, patience: float | None) -> list[ActionRecord]:
        """See :meth:`Executor.recover`."""
        unfinished = await asyncio.to_thread(self._history.unfinished)
        closed = await asyncio.gather(*(self._recover(record, patience) for record in unfinished))
        return [record for record in closed if record is not None]

    def is_held(self, record: ActionRecord) -> bool:
        """Whether a living process holds the locks of this act."""
        return not self._locks.free(read_intent(record).locks)

    async def settle_before(self, intent: Intent) -> None:
        """Close what earlier, dead processes left on these targets. Their locks are held by the caller.

        Raises:
            LockedError: a job of one of them still runs.
        """
        for record in await asyncio.to_thread(self._history.unfinished):
            if not set(read_intent(record).locks) & set(intent.locks):
                continue
            try:
                await self._refuse_running(record)
                await self._close(record)
            except UnreachableError:
                continue  # nobody can be asked; the act to come will find the same

    async def _recover(self, record: ActionRecord, patience: float | None) -> ActionRecord | None:
        """Close one record; None where it is somebody's, closed already, or cannot be asked about."""
        intent = read_intent(record)
        if record.id not in self._closing and not self._locks.free(intent.locks):
            return None
        if not await self._reach({target.server for target in record.targets} if intent.jobs else set(), patience):
            return None
        try:
            async with self._closing.setdefault(record.id, asyncio.Lock()):
                with self._locks.hold(intent.locks):
                    now = await asyncio.to_thread(self._history.get, record.id)
                    return await self._close(now) if now.outcome is None else None
        except (LockedError, OutcomeUnknownError):
            return None
        finally:
            self._closing.pop(record.id, None)

    async def _reach(self, servers: set[str], patience: float | None) -> bool:
        """Whether all of these servers answer, after waiting for them. One that is not defined counts."""
        deadline = None if patience is None else time.monotonic() + patience
        for server in sorted(servers):
            while True:
                try:
                    await self._link(server).client(timeout=_AGAIN if patience is None else patience)
                    break
                except NotFoundError:
                    if server in self._known():
                        return False  # defined, but this process does not connect to it
                    break
                except UnreachableError:
                    if deadline is not None and time.monotonic() >= deadline:
                        return False
                    await asyncio.sleep(_AGAIN if deadline is None else min(1.0, _AGAIN))
        return True

    async def _refuse_running(self, record: ActionRecord) -> None:
        for target, job_id in zip(record.targets, read_intent(record).jobs, strict=False):
            try:
                job = await (await self._link(target.server).client(timeout=_ANSWER)).job(job_id)
            except NotFoundError:
                continue
            if not job.ended:
                raise LockedError(
                    f"{target}: an earlier act is still under way on the server ({record.title}, by {record.actor})",
                    hint="wait for its end",
                )

    async def _close(self, record: ActionRecord) -> ActionRecord:
        """Learn how it ended and write that down. Its locks are held."""
        intent = read_intent(record)
        if intent.jobs:
            results = list(
                await asyncio.gather(*(self._follow(t, j) for t, j in zip(record.targets, intent.jobs, strict=False)))
            )
        else:
            results = [found_done(read_operation(record), target, self._known()) for target in record.targets]
        return await finish(self._history, record.id, results, "recovered after the program that ran it had ended")

    async def _follow(self, target: Target, job_id: str) -> StepResult:
        try:
            self._link(target.server)
        except NotFoundError:
            return interrupted(target, f"server {target.server} is not known any more: nobody can be asked")
        return await JobStep(lambda: self._link(target.server), target, job_id, None, _silent).run()


def _silent(status: StepStatus, text: str = "", *, done: float | None = None, output: str = "") -> None:
    """Nobody watches."""
