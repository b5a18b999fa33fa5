"""Stopping a job of an agent that another program began: an act of its own in the history, beside the one it stops."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.operations import ActionRecord
from komodo_tui.operations.outcomes import done, failed
from komodo_tui.operations.records import finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import Actor, Target
    from komodo_tui.operations.job_steps import JobLink
    from komodo_tui.store.history import History

_ANSWER = 10.0


class StopJob:
    """One such act."""

    def __init__(
        self, history: History, link: Callable[[str], JobLink], target: Target, job_id: str, what: str
    ) -> None:
        self._history = history
        self._link = link
        self._target = target
        self._job = job_id
        self._what = what

    async def run(self, actor: Actor) -> ActionRecord:
        """Ask for it; the job ends a moment later. Raises StoreError."""
        record = ActionRecord(
            id=str(uuid.uuid4()), seq=0, started=time.time(), actor=actor, act=f"stop {self._what}",
            targets=(self._target,), title=f"Stop {self._what} {self._target}",
            operation={"operation": "stop_job", "job": self._job},
        )  # fmt: skip
        await asyncio.to_thread(self._history.begin, record)
        try:
            await (await self._link(self._target.server).client(timeout=_ANSWER)).cancel_job(self._job)
            result = done(self._target)
        except KomodoError as error:
            result = failed(self._target, error)
        return await finish(self._history, record.id, [result])
