"""Jobs without an engine: one id is one job, on disk before its first effect and at its end."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent import job_files
from komodo_agent.job_files import JobFolder, JobLog, JobRecord
from komodo_agent.jobs import JobContext, JobManager
from komodo_agent.problems import AgentError
from komodo_agent.wire.jobs import ContainerAct, Job, JobRequest, JobSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SPEC = ContainerAct(container="a" * 64, verb="start")


class Jobs:
    """A manager whose jobs do what a test says."""

    def __init__(self, folder: Path, work: Callable[[JobContext], Awaitable[None]]) -> None:
        self.told: list[Job] = []
        self.runs = 0
        self._work = work
        self.manager = JobManager(folder, self._run, self.told.append)

    async def _run(self, context: JobContext, spec: JobSpec) -> None:
        self.runs += 1
        await self._work(context)

    async def submit(self, job_id: str = "") -> tuple[Job, bool]:
        request = JobRequest(id=job_id or str(uuid.uuid4()), spec=SPEC, actor="me")
        return await self.manager.submit(request, kind="start", target="web", uid=0)

    async def end(self, job_id: str) -> Job:
        offset = 0
        while True:
            data, job, _ = await self.manager.read_log(job_id, offset, 10)
            offset += len(data)
            if job.ended and not data:
                return job


async def nothing(context: JobContext) -> None:
    context.log("done")


async def test_it_runs_once_and_is_remembered(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, nothing)
    await jobs.manager.open()
    job, new = await jobs.submit()
    again, second = await jobs.submit(job.id)
    assert (new, second, again.id) == (True, False, job.id)
    ended = await jobs.end(job.id)
    assert (ended.status, jobs.runs) == ("succeeded", 1)
    assert [told.status for told in jobs.told] == ["queued", "running", "succeeded"]

    later = Jobs(tmp_path, nothing)
    await later.manager.open()
    assert await later.submit(job.id) == (ended, False)
    assert later.runs == 0


async def test_it_is_on_disk_before_it_acts(tmp_path: Path) -> None:
    seen: list[str] = []

    async def look(context: JobContext) -> None:
        seen.extend(record.job.status for record in JobFolder(tmp_path).open().values())

    jobs = Jobs(tmp_path, look)
    await jobs.manager.open()
    job, _ = await jobs.submit()
    await jobs.end(job.id)
    assert seen == ["queued"]


async def test_a_job_that_cannot_be_recorded_does_not_run(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", nothing)
    await jobs.manager.open()
    for path in (tmp_path / "jobs").iterdir():
        path.unlink()
    (tmp_path / "jobs").rmdir()
    with pytest.raises(AgentError, match="cannot be recorded"):
        await jobs.submit()
    assert jobs.runs == 0


@pytest.mark.parametrize("job_id", ["", "short", "../../etc/passwd", "a/b-c-d-e-f", "x" * 65, "a.json.json"])
async def test_ids_that_are_none(tmp_path: Path, job_id: str) -> None:
    jobs = Jobs(tmp_path, nothing)
    await jobs.manager.open()
    with pytest.raises(AgentError) as refused:
        await jobs.manager.submit(JobRequest(id=job_id, spec=SPEC), kind="start", target="web", uid=0)
    assert refused.value.code == "bad_request"
    with pytest.raises(AgentError) as missing:
        jobs.manager.get(job_id)
    assert missing.value.code == "not_found"


async def test_failures_foreseen_and_not(tmp_path: Path) -> None:
    async def fail(context: JobContext) -> None:
        raise AgentError("conflict", "the name is taken", hint="choose another")

    async def crash(context: JobContext) -> None:
        raise ZeroDivisionError("with a secret in its message")

    for work, error in (
        (fail, "the name is taken (choose another)"),
        (crash, "the agent failed: ZeroDivisionError; its log on the server says more"),
    ):
        jobs = Jobs(tmp_path / work.__name__, work)
        await jobs.manager.open()
        job, _ = await jobs.submit()
        ended = await jobs.end(job.id)
        assert (ended.status, ended.error) == ("failed", error)
        data, _, _ = await jobs.manager.read_log(job.id, 0, 0)
        assert data.decode().strip() == error


async def test_cancel_while_it_runs_and_before_it_runs(tmp_path: Path) -> None:
    running = asyncio.Event()

    async def begin(context: JobContext) -> None:
        running.set()
        await forever(context)

    jobs = Jobs(tmp_path, begin)
    await jobs.manager.open()
    first, _ = await jobs.submit()
    await running.wait()
    jobs.manager.cancel(first.id)
    second, _ = await jobs.submit()
    jobs.manager.cancel(second.id)
    assert (await jobs.end(first.id)).status == "cancelled"
    assert (await jobs.end(second.id)).status == "cancelled"
    assert not jobs.manager.busy()
    jobs.manager.cancel(first.id)  # of one that has ended: nothing happens
    assert jobs.manager.get(first.id).status == "cancelled"


async def forever(context: JobContext) -> None:
    context.log("it begins")
    await asyncio.Event().wait()


async def test_what_the_agent_leaves_behind_is_failed(tmp_path: Path) -> None:
    JobFolder(tmp_path).open()
    left = Job(id="left-job-1", kind="start", target="web", status="running", started=time.time())
    JobFolder(tmp_path).save(JobRecord(job=left))  # as after a kill -9
    later = Jobs(tmp_path, nothing)
    await later.manager.open()
    assert later.manager.get(left.id).status == "failed"
    assert later.manager.get(left.id).error.startswith("interrupted")
    assert [found.id for found in later.manager.recent()] == [left.id]
    jobs = Jobs(tmp_path, forever)
    await jobs.manager.open()
    job, _ = await jobs.submit()
    await jobs.manager.close(0.1)
    assert jobs.manager.get(job.id).error.startswith("interrupted")


async def test_a_job_of_another_agent_that_lives_is_followed_and_left_alone(tmp_path: Path) -> None:
    """Programs with another environment, or of another version, have each its agent, and the same state folder."""
    may_end = asyncio.Event()

    async def wait(context: JobContext) -> None:
        context.log("it begins")
        await may_end.wait()

    first, second = Jobs(tmp_path, wait), Jobs(tmp_path, nothing)
    await first.manager.open()
    before, _ = await first.submit()
    await second.manager.open()
    after, _ = await first.submit()
    for job in (before, after):
        assert not second.manager.get(job.id).ended
        assert await second.submit(job.id) == (second.manager.get(job.id), False)
        assert (await second.manager.read_log(job.id, 0, 10))[0] == b"it begins\n"
        with pytest.raises(AgentError, match="another agent"):
            second.manager.cancel(job.id)
    assert not second.manager.busy()
    assert second.manager.recent() == ()
    following = asyncio.create_task(second.end(before.id))
    may_end.set()
    assert (await first.end(before.id)).status == "succeeded"
    assert (await asyncio.wait_for(following, 10)).status == "succeeded"
    assert second.manager.get(after.id) == await first.end(after.id)
    assert second.runs == 0


async def test_a_damaged_record_is_a_failed_job_not_a_new_one(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, nothing)
    await jobs.manager.open()
    job, _ = await jobs.submit()
    await jobs.end(job.id)
    record = tmp_path / f"{job.id}.json"
    whole = record.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        record.write_bytes(whole[:size])
        later = Jobs(tmp_path, nothing)
        await later.manager.open()
        found, new = await later.submit(job.id)
        assert (new, found.status, later.runs) == (False, "failed", 0)


async def test_progress_is_told_but_not_too_often(tmp_path: Path) -> None:
    async def many(context: JobContext) -> None:
        for step in range(1000):
            context.progress("pulling", step / 1000)
        context.result(container="abc")

    jobs = Jobs(tmp_path, many)
    await jobs.manager.open()
    job, _ = await jobs.submit()
    ended = await jobs.end(job.id)
    assert (ended.progress, ended.result) == (None, {"container": "abc"})
    assert 1 <= sum(told.progress is not None for told in jobs.told) < 20


async def test_only_so_much_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_files, "KEEP_JOBS", 3)
    jobs = Jobs(tmp_path, nothing)
    await jobs.manager.open()
    ids = []
    for _ in range(6):
        job, _ = await jobs.submit()
        await jobs.end(job.id)
        ids.append(job.id)
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == sorted(ids[-3:])
    assert sorted(path.stem for path in tmp_path.glob("*.log")) == sorted(ids[-3:])
    with pytest.raises(AgentError):
        jobs.manager.get(ids[0])


def test_old_jobs_go(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.open()
    old = Job(id="old-job-1", kind="start", target="", status="succeeded", finished=time.time() - 8 * 86400)
    new = msgspec.structs.replace(old, id="new-job-1", finished=time.time())
    for job in (old, new):
        folder.save(JobRecord(job=job))
    assert folder.prune([old, new]) == ["old-job-1"]
    assert list(folder.open()) == ["new-job-1"]


def test_a_log_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_files, "LOG_LIMIT", 100)
    log = JobLog(tmp_path / "x.log")
    for number in range(100):
        log.write(f"line {number}")
    log.close()
    text = (tmp_path / "x.log").read_text()
    assert text.splitlines()[-1] == "[the log is full; what follows is not kept]"
    assert len(text) < 160
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600


async def test_an_end_that_comes_while_the_log_is_read_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would wake the reader later."""
    may_end, has_ended = asyncio.Event(), threading.Event()
    loop, read = asyncio.get_running_loop(), JobFolder.read_log

    def slow_read(folder: JobFolder, job_id: str, offset: int, limit: int) -> bytes:
        data = read(folder, job_id, offset, limit)
        loop.call_soon_threadsafe(may_end.set)
        assert has_ended.wait(5)
        return data

    async def wait(context: JobContext) -> None:
        await may_end.wait()

    jobs = Jobs(tmp_path, wait)
    await jobs.manager.open()
    job, _ = await jobs.submit()
    monkeypatch.setattr(JobFolder, "read_log", slow_read)
    reading = asyncio.create_task(jobs.manager.read_log(job.id, 0, 30))
    while not jobs.told[-1].ended:
        await asyncio.sleep(0)
    has_ended.set()
    _, ended, _ = await asyncio.wait_for(reading, 5)
    assert ended.ended
