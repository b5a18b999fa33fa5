"""A job in memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from .job_files import JobRecord

if TYPE_CHECKING:
    from .wire.jobs import Job


class Entry:
    """One job: as it stands, who asked for it, and the tasks that see it through."""

    def __init__(self, record: JobRecord) -> None:
        self.job = record.job
        self.actor, self.uid = record.actor, record.uid
        self.work: asyncio.Task[None] | None = None
        self.watch: asyncio.Task[None] | None = None
        self.stirred = asyncio.Event()
        """Set, and replaced, when there is more of the log or the job has ended."""
        self.elsewhere = False
        """Another agent with the same folder runs it: one of another version, or with another environment."""

    def record(self) -> JobRecord:
        """As it is kept."""
        return JobRecord(job=self.job, actor=self.actor, uid=self.uid)

    def stir(self) -> None:
        """Wake those who wait for more of the log."""
        self.stirred.set()
        self.stirred = asyncio.Event()


async def ended_within(entry: Entry, wait: float) -> Job:
    """The job, once it has ended or ``wait`` seconds are over."""
    deadline = time.monotonic() + wait
    while not entry.job.ended and (left := deadline - time.monotonic()) > 0:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(entry.stirred.wait(), left)
    return entry.job
