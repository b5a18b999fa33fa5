"""One step that is an agent's job: sent under an id chosen before, followed to its end through lost connections."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from komodo_agent.wire.builds import BuildJob
from komodo_agent.wire.compose import ComposeDeploy
from komodo_agent.wire.jobs import ContainerAct
from komodo_agent.wire.repos import RepoJob
from komodo_agent.wire.tasks import TaskJob
from komodo_tui.domain.errors import KomodoError, NotFoundError, UnreachableError
from komodo_tui.domain.text import clean
from komodo_tui.operations.outcomes import cancelled, failed, interrupted, of_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from komodo_agent.wire.jobs import Job, JobRequest, JobSpec, JobStatus
    from komodo_agent.wire.models import ContainerDetail
    from komodo_agent.wire.repos import RepoSource
    from komodo_tui.domain.operations import StepResult, Target
    from komodo_tui.operations.progress import StepStatus

PATIENCE = 120.0
"""Seconds a server may be away while its job runs, before the act stops waiting for the answer."""

_FIRST_ANSWER = 15.0
_LOG_WAIT = 0.5
_COMMAND_WAIT = 10.0
_PAUSES = (0.1, 0.3, 1.0, 2.0)
_OUTPUT_KEPT = 64 << 10


_UNKNOWN_JOB = "the agent knows no such job: it never began, or its record there is lost"


class JobClient(Protocol):
    """What a step needs of the agent's client."""

    async def submit(self, request: JobRequest) -> Job: ...
    async def job(self, job_id: str) -> Job: ...
    async def job_log(self, job_id: str, offset: int, wait: float) -> tuple[bytes, JobStatus]: ...
    async def cancel_job(self, job_id: str) -> None: ...
    async def container(self, container_id: str) -> ContainerDetail: ...
    def lending(self, source: RepoSource | None) -> AbstractAsyncContextManager[None]: ...


class JobLink(Protocol):
    """What a step needs of the link to a server."""

    async def client(self, timeout: float = ...) -> JobClient: ...


class Report(Protocol):
    """How a step tells what it does."""

    def __call__(self, status: StepStatus, text: str = "", *, done: float | None = None, output: str = "") -> None: ...


class OutcomeUnknownError(UnreachableError):
    """The job was sent, and the server went away for longer than we wait. It goes on there; its end is not known."""

    results: tuple[StepResult, ...] = ()
    """How all steps of the act ended as far as that is known, in their order; empty where one alone was asked."""


class JobStep:
    """Runs one job. Used once."""

    def __init__(
        self,
        link: Callable[[], JobLink],
        target: Target,
        job_id: str,
        request: JobRequest | None,
        report: Report,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """``request`` is None for a job that an earlier process sent: it is only followed, never sent again."""
        self.target = target
        self._link = link
        self._id = job_id
        self._request = request
        self._report = report
        self._sent = request is None
        self._known = request is None
        self._patience = patience
        self._cancelled = False
        self._client: JobClient | None = None
        self._offset = 0
        self._output = _Output()
        self._lost_since: float | None = None

    async def run(self) -> StepResult:
        """See the job through.

        Raises:
            OutcomeUnknownError: the server went away and did not come back in time.
        """
        began = time.monotonic()
        result = await self._see_through()
        seconds = round(time.monotonic() - began, 3)
        status: StepStatus = "failed" if result.end not in ("done", "cancelled") else result.end
        self._report(status, result.error, output=self._output.rest())
        return msgspec.structs.replace(result, seconds=seconds, output=self._output.text())

    async def cancel(self) -> None:
        """Ask the agent to stop the job; its end is still awaited by :meth:`run`."""
        self._cancelled = True
        if self._client is not None and self._sent:
            await self._client.cancel_job(self._id)

    async def _see_through(self) -> StepResult:
        pauses = iter(_PAUSES)
        while True:
            try:
                return await self._attempt()
            except KomodoError as error:
                if not self._sent or (not self._known and not isinstance(error, UnreachableError)):
                    return failed(self.target, error)  # it never began
                self._lost(error)
            await asyncio.sleep(next(pauses, _PAUSES[-1]))

    async def _attempt(self) -> StepResult:
        """Connect, send the job where it may not have arrived, and follow it as far as the connection lasts."""
        if self._cancelled and not self._sent:
            return cancelled(self.target)
        self._client = client = await self._link().client(timeout=_FIRST_ANSWER)
        if self._cancelled and not self._sent:
            return cancelled(self.target)
        # once: what became of a job that is known already is only followed
        lent = None if self._known or self._request is None else lent_source(self._request.spec)
        async with client.lending(lent):
            return await self._sent_and_followed(client)

    async def _sent_and_followed(self, client: JobClient) -> StepResult:
        if not self._known and self._request is not None:
            self._sent = True
            job = await client.submit(self._request)
            self._known = True
            if job.ended and "output" in job.result:  # all there is to know, in one call
                self._report("running", output=self._output.add(job.result["output"].encode()))
                return of_job(self.target, job)
        if self._cancelled:
            await client.cancel_job(self._id)
        self._lost_since = None
        try:
            return await self._observed(client, of_job(self.target, await self._follow(client)))
        except NotFoundError:
            return interrupted(self.target, _UNKNOWN_JOB, hint="look at the server")

    async def _observed(self, client: JobClient, result: StepResult) -> StepResult:
        """Add the state the container was left in. Failing to learn it does not fail the step."""
        about = self._request.spec if self._request is not None else None
        if not result.ok or not self.target.id or not isinstance(about, ContainerAct | None):
            return result
        try:
            state = (await client.container(self.target.id)).container.state
        except KomodoError:
            return result
        return msgspec.structs.replace(result, result={**result.result, "state": state})

    async def _follow(self, client: JobClient) -> Job:
        command = self._request is not None and isinstance(self._request.spec, TaskJob)
        while True:
            data, status = await client.job_log(self._id, self._offset, _COMMAND_WAIT if command else _LOG_WAIT)
            self._offset += len(data)
            lines = self._output.add(data)
            if command and status in ("queued", "running"):  # it tells nothing but its log
                self._report("running", output=lines)
                continue
            job = await client.job(self._id)
            if job.ended and not data:
                return job
            if status not in ("succeeded", "failed", "cancelled"):
                text, done = (job.progress.text, job.progress.done) if job.progress else ("", None)
                self._report("running", text, done=done, output=lines)
            elif lines:
                self._report("running", output=lines)

    def _lost(self, error: KomodoError) -> None:
        """Note that the agent cannot be asked; raise once that has been so for too long."""
        now = time.monotonic()
        self._lost_since = now if self._lost_since is None else self._lost_since
        if not getattr(error, "retry", True) or now - self._lost_since > self._patience:
            raise OutcomeUnknownError(
                f"{self.target.server} went away while it worked on {self.target.name or 'this'}; "
                "the job goes on there and its outcome is not known yet",
                hint="it is entered in the history when the server answers again",
                server=self.target.server,
            ) from error
        self._report("reconnecting", error.message)


def lent_source(spec: JobSpec) -> RepoSource | None:
    """The source for which a job is to be lent the ssh-agent; None for all others."""
    source: RepoSource | None = None
    if isinstance(spec, RepoJob):
        source = spec.source
    elif isinstance(spec, BuildJob):
        source = spec.source.repo
    elif isinstance(spec, ComposeDeploy) and spec.source.git is not None:
        source = spec.source.git.repo
    return source if source is not None and source.lent else None


class _Output:
    """A job's log as text: given out by whole lines, its tail kept for the history."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._partial = b""
        self._dropped = 0

    def add(self, data: bytes) -> str:
        """Take bytes; return the lines they complete."""
        self._kept += data
        if len(self._kept) > 2 * _OUTPUT_KEPT:
            self._dropped += len(self._kept) - _OUTPUT_KEPT
            del self._kept[:-_OUTPUT_KEPT]
        whole, newline, self._partial = (self._partial + data).rpartition(b"\n")
        return _text(whole + newline)

    def rest(self) -> str:
        """What no line feed has ended."""
        rest, self._partial = self._partial, b""
        return _text(rest)

    def text(self) -> str:
        """The tail, at most 64 KiB."""
        extra = max(0, len(self._kept) - _OUTPUT_KEPT)
        dropped = self._dropped + extra
        tail = _text(bytes(self._kept[extra:]))
        return f"[{dropped} bytes left out]\n{tail}" if dropped else tail


def _text(data: bytes) -> str:
    return clean(data.decode("utf-8", "replace"), keep_newlines=True)
