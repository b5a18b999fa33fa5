"""Jobs: acts that end on the agent, whatever happens to the client that asked for them."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from .job_entry import Entry, ended_within
from .job_files import JobFolder, JobLog, JobRecord
from .problems import AgentError
from .wire.jobs import Job, JobRequest, JobSpec, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from .wire.jobs import JobStatus

_log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
_AT_ONCE = 16
_WAITING = 1000
"""Jobs that may wait their turn."""
_RECENT = 300.0
"""Seconds for which an ended job still belongs to a feed's snapshot."""
_LOG_PIECE = 256 << 10
_LONGEST_WAIT = 60.0
_LOOK = 0.5
"""Seconds between looks at a job of another agent."""
_PROGRESS_EVERY = 0.1
_INTERRUPTED = "interrupted: the agent ended while it ran; look at the server to see how far it came"


class JobContext:
    """What the code of a job may do to its job."""

    def __init__(self, entry: Entry, publish: Callable[[Job], None], log: JobLog) -> None:
        self._entry = entry
        self._publish = publish
        self._log = log
        self._told = 0.0

    @property
    def actor(self) -> str:
        """Who asked for it."""
        return self._entry.actor

    @property
    def uid(self) -> int:
        """The user who asked for it."""
        return self._entry.uid

    def log(self, text: str) -> None:
        """Append a line to the job's log."""
        self._log.write(text)
        self._entry.stir()

    def command(self, text: str) -> None:
        """Record a call about to be made, as a person would type it."""
        self._change(commands=(*self._entry.job.commands, text))
        self.log(f"$ {text}")

    def target(self, name: str) -> None:
        """Name what the job acts on."""
        self._change(target=name)

    def progress(self, text: str, done: float | None = None) -> None:
        """Say how far it is; told to the feed at most ten times a second."""
        before, now = self._entry.job.progress, time.monotonic()
        self._entry.job = msgspec.structs.replace(self._entry.job, progress=Progress(text=text, done=done))
        if before is None or before.text != text or now - self._told >= _PROGRESS_EVERY:
            self._told = now
            self._publish(self._entry.job)

    def result(self, **values: str) -> None:
        """Add to the job's result."""
        self._change(result={**self._entry.job.result, **values})

    def _change(self, **changes: object) -> None:
        self._entry.job = msgspec.structs.replace(self._entry.job, **changes)
        self._publish(self._entry.job)


Runner = Callable[[JobContext, JobSpec], Awaitable[None]]


class JobManager:
    """Runs jobs and remembers them. The client chooses the id; the same id is the same job, also after a restart."""

    def __init__(self, folder: Path, run: Runner, publish: Callable[[Job], None]) -> None:
        """``run`` does a job's work; ``publish`` is told of every job that began, moved or ended."""
        self._folder = JobFolder(folder)
        self._run = run
        self._publish = publish
        self._entries: dict[str, Entry] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._closing = False

    async def open(self) -> None:
        """Read what is on disk; jobs that the last agent left unfinished become failed ones.

        Raises:
            OSError: the folder cannot be used.
        """
        for job_id, record in (await asyncio.to_thread(self._folder.open)).items():
            entry = self._entries[job_id] = Entry(record)
            if not entry.job.ended:
                self._look_at(entry)
                if not entry.elsewhere:
                    await asyncio.to_thread(self._folder.save, entry.record())
        await self._prune()

    def recent(self) -> tuple[Job, ...]:
        """Those not ended, and those that ended within the last minutes."""
        since = time.time() - _RECENT
        ours = (e.job for e in self._entries.values() if not e.elsewhere)
        return tuple(job for job in ours if not job.ended or job.finished >= since)

    def busy(self) -> bool:
        """Whether a job is waiting or running."""
        return any(not entry.job.ended and not entry.elsewhere for entry in self._entries.values())

    def get(self, job_id: str) -> Job:
        """A job as it stands.

        Raises:
            AgentError: ``not_found``.
        """
        return self._entry(job_id).job

    async def submit(self, request: JobRequest, *, kind: str, target: str, uid: int) -> tuple[Job, bool]:
        """Start a job, on disk before its first effect; returns it and whether it is new.

        Waits up to ``request.wait`` seconds for its end.

        Raises:
            AgentError: ``bad_request`` for the id, ``failed`` when it cannot be recorded or too many wait.
        """
        if not _ID.fullmatch(request.id):
            raise AgentError("bad_request", "a job's id is 8 to 64 letters, digits and dashes", hint="use a UUID")
        known = self._known(request.id)
        if known is not None:
            return await ended_within(known, min(request.wait, _LONGEST_WAIT)), False
        if sum(not e.job.ended for e in self._entries.values()) >= _WAITING or self._closing:
            raise AgentError("failed", "the agent takes no more jobs now", hint="try again", retryable=True)
        job = Job(id=request.id, kind=kind, target=target, status="queued", started=time.time())
        entry = Entry(JobRecord(job=job, actor=request.actor, uid=uid))
        self._entries[request.id] = entry
        try:
            log = JobLog(self._folder.log_path(request.id))
            try:
                await asyncio.to_thread(self._folder.save, entry.record())
            except OSError:
                log.drop()
                raise
        except OSError as error:
            del self._entries[request.id]
            raise AgentError(
                "failed", f"the job cannot be recorded: {error.strerror}", hint="free disk space on the server"
            ) from error
        _log.info("job %s: %s %r for %r (uid %d)", job.id, kind, target, request.actor, uid)
        entry.work = asyncio.create_task(self._work(entry, request.spec, log))
        entry.watch = asyncio.create_task(self._see_through(entry, log))
        self._publish(job)
        return await ended_within(entry, min(request.wait, _LONGEST_WAIT)), True

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; one that has ended stays as it is.

        Raises:
            AgentError: ``not_found``.
        """
        entry = self._entry(job_id)
        if entry.elsewhere:
            raise AgentError(
                "conflict", f"another agent of this server runs {entry.job.kind} {entry.job.target}",
                hint="stop it from where it was begun",
            )  # fmt: skip
        if entry.work is not None and not entry.job.ended:
            entry.work.cancel()

    async def read_log(self, job_id: str, offset: int, wait: float) -> tuple[bytes, Job, int]:
        """A piece of a job's log from an offset, the job, and the log's size.

        Waits up to ``wait`` seconds for more while the job runs.

        Raises:
            AgentError: ``not_found``.
        """
        deadline = time.monotonic() + min(wait, _LONGEST_WAIT)
        while True:
            entry = self._entry(job_id)
            # Taken before looking, so that what happens while we look is not missed.
            stirred, ended = entry.stirred, entry.job.ended
            data = await asyncio.to_thread(self._folder.read_log, job_id, offset, _LOG_PIECE)
            left = deadline - time.monotonic()
            if data or ended or left <= 0:
                return data, entry.job, self._folder.log_size(job_id)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stirred.wait(), min(left, _LOOK) if entry.elsewhere else left)

    async def close(self, grace: float) -> None:
        """Take no more; let running jobs end for ``grace`` seconds, then stop them."""
        self._closing = True
        watches = {e.watch for e in self._entries.values() if e.watch is not None and not e.watch.done()}
        if not watches:
            return
        await asyncio.wait(watches, timeout=grace)
        for entry in self._entries.values():
            if entry.work is not None:
                entry.work.cancel()
        await asyncio.wait(watches, timeout=grace)

    def _entry(self, job_id: str) -> Entry:
        entry = self._known(job_id)
        if entry is None:
            raise AgentError("not_found", f"there is no job {job_id[:64]!r}")
        return entry

    def _known(self, job_id: str) -> Entry | None:
        """A job of this agent, or one of another agent with the same folder, as it stands on disk now."""
        entry = self._entries.get(job_id)
        if entry is None and _ID.fullmatch(job_id):
            record, elsewhere = self._folder.found(job_id)
            if record is not None:
                entry = self._entries[job_id] = Entry(record)
                entry.elsewhere = elsewhere or not record.job.ended
        if entry is not None and entry.elsewhere:
            self._look_at(entry)
        return entry

    def _look_at(self, entry: Entry) -> None:
        """At a job that this agent does not run and that had not ended: it goes on elsewhere, or its agent is gone."""
        record, entry.elsewhere = self._folder.found(entry.job.id)
        if record is not None:
            entry.job = record.job
        if not entry.elsewhere and not entry.job.ended:
            entry.job = msgspec.structs.replace(
                entry.job, status="failed", finished=time.time(), error=_INTERRUPTED, progress=None
            )

    async def _work(self, entry: Entry, spec: JobSpec, log: JobLog) -> None:
        async with self._turns:
            entry.job = msgspec.structs.replace(entry.job, status="running")
            self._publish(entry.job)
            await self._run(JobContext(entry, self._publish, log), spec)

    async def _see_through(self, entry: Entry, log: JobLog) -> None:
        """Wait for the job's work however it ends, and record that."""
        assert entry.work is not None
        await asyncio.wait({entry.work})
        status, error = self._outcome(entry.work)
        if error:
            log.write(error)
        ended = msgspec.structs.replace(entry.job, status=status, finished=time.time(), error=error, progress=None)
        try:
            await asyncio.to_thread(self._folder.save, JobRecord(job=ended, actor=entry.actor, uid=entry.uid))
            await self._prune(ended)
        except OSError as failure:
            _log.error("job %s ended (%s) but cannot be recorded: %s", entry.job.id, status, failure)
        log.close()
        entry.job = ended
        entry.stir()
        self._publish(ended)

    def _outcome(self, work: asyncio.Task[None]) -> tuple[JobStatus, str]:
        if work.cancelled():
            return ("failed", _INTERRUPTED) if self._closing else ("cancelled", "")
        failure = work.exception()
        if failure is None:
            return "succeeded", ""
        if isinstance(failure, AgentError):
            return "failed", failure.sentence()
        _log.error("a job failed in a way nobody foresaw", exc_info=failure)
        return "failed", f"the agent failed: {type(failure).__name__}; its log on the server says more"

    async def _prune(self, *ending: Job) -> None:
        """Drop what is too old or too much; jobs about to end count already."""
        ended = [entry.job for entry in self._entries.values() if entry.job.ended]
        for job_id in await asyncio.to_thread(self._folder.prune, [*ended, *ending]):
            self._entries.pop(job_id, None)
