"""Jobs on disk: one small record and one log each, in a folder only the agent's user may read."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from .held import is_held
from .wire.jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

KEEP_JOBS = 200
KEEP_SECONDS = 7 * 86400.0
KEEP_BYTES = 64 << 20
"""Of logs together."""
LOG_LIMIT = 16 << 20
"""Of one job."""
_FULL = b"[the log is full; what follows is not kept]\n"


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a job. Never its spec: that may hold secrets."""

    job: Job
    actor: str = ""
    uid: int = -1


_decode = msgspec.json.Decoder(JobRecord).decode


class JobFolder:
    """The folder of records and logs. Every method blocks; call those that write to disk in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> dict[str, JobRecord]:
        """Make the folder and read its records, oldest first.

        A record that cannot be read counts as a failed job: its id must never run a second time.

        Raises:
            OSError: the folder cannot be made or read.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        records = {path.stem: self._read(path) for path in self._folder.glob("*.json")}
        return dict(sorted(records.items(), key=lambda item: item[1].job.started))

    def _read(self, path: Path) -> JobRecord:
        try:
            return _decode(path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            job = Job(
                id=path.stem,
                kind="unknown",
                target="",
                status="failed",
                started=path.stat().st_mtime,
                finished=path.stat().st_mtime,
                error=f"its record cannot be read ({error}); look at the server to see what it did",
            )
            return JobRecord(job=job)

    def save(self, record: JobRecord) -> None:
        """Put a record on disk, whole or not at all.

        Raises:
            OSError: the disk is full or read-only.
        """
        path = self._folder / f"{record.job.id}.json"
        temporary = path.with_suffix(".tmp")
        try:
            with open(temporary, "wb", opener=_private) as file:
                file.write(msgspec.json.encode(record))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise

    def found(self, job_id: str) -> tuple[JobRecord | None, bool]:
        """What is kept of a job, and whether it is under way: an agent that lives holds the lock of its log."""
        record = self._kept(job_id)
        if record is None or record.job.ended:
            return record, False
        if is_held(self.log_path(job_id)):
            return record, True
        return self._kept(job_id), False  # it may have ended between the two looks

    def _kept(self, job_id: str) -> JobRecord | None:
        path = self._folder / f"{job_id}.json"
        return self._read(path) if path.exists() else None

    def log_path(self, job_id: str) -> Path:
        """Where the log of a job is."""
        return self._folder / f"{job_id}.log"

    def log_size(self, job_id: str) -> int:
        """Bytes of a job's log; 0 when it has none."""
        try:
            return self.log_path(job_id).stat().st_size
        except OSError:
            return 0

    def read_log(self, job_id: str, offset: int, limit: int) -> bytes:
        """A piece of a job's log; empty at its end or when it has none."""
        try:
            with self.log_path(job_id).open("rb") as file:
                return os.pread(file.fileno(), limit, offset)
        except FileNotFoundError:
            return b""

    def prune(self, ended: list[Job]) -> list[str]:
        """Remove the oldest of the ended jobs beyond what is kept; returns their ids."""
        gone = []
        size = 0
        for index, job in enumerate(sorted(ended, key=lambda job: job.finished, reverse=True)):
            size += self.log_size(job.id)
            if index >= KEEP_JOBS or size > KEEP_BYTES or job.finished < time.time() - KEEP_SECONDS:
                gone.append(job.id)
        for job_id in gone:
            self.log_path(job_id).unlink(missing_ok=True)
            (self._folder / f"{job_id}.json").unlink(missing_ok=True)
        return gone


class JobLog:
    """The log a running job writes. A full disk ends the log, not the job. Its lock says that the job is under way."""

    def __init__(self, path: Path) -> None:
        """Raises OSError: it cannot be made, or an agent runs this job."""
        self._path = path
        self._file = open(path, "ab", buffering=0, opener=_private)  # noqa: SIM115 - it lives as long as the job
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise
        self._size = os.fstat(self._file.fileno()).st_size

    def write(self, text: str) -> None:
        """Append one line."""
        data = text.encode("utf-8", "replace").rstrip(b"\n") + b"\n"
        if self._size >= LOG_LIMIT:
            return
        if self._size + len(data) > LOG_LIMIT:
            data = _FULL
            self._size = LOG_LIMIT
        with suppress(OSError):
            self._size += self._file.write(data)

    def drop(self) -> None:
        """There is no such job: it could not be recorded."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write no more: the job has ended, and its record says so."""
        self._file.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
