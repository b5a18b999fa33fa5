"""Moves a volume's content through the tunnel, piece by piece: whatever its size, little of it is in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from typing import IO, TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import KomodoError, StoreError
from komodo_tui.domain.units import bytes_text, rate_text
from komodo_tui.operations.outcomes import cancelled, done, failed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from komodo_tui.domain.operations import StepResult, Target
    from komodo_tui.domain.volumes import VolumeOperation
    from komodo_tui.fleet.link import ServerLink
    from komodo_tui.operations.job_steps import Report

_PATIENCE = 15.0
_PIECE = 1 << 20
_TELL_EVERY = 0.25
PART = ".part"
"""Ending of a file while it is written; it gets its name when it is whole."""


class VolumeStep:
    """One transfer. Used once."""

    def __init__(
        self, operation: VolumeOperation, target: Target, link: Callable[[], ServerLink], report: Report
    ) -> None:
        self.target = target
        self._operation = operation
        self._link = link
        self._report = report
        self._task: asyncio.Task[StepResult] | None = None
        self._cancelled = False
        self._began = self._told = time.monotonic()
        self._count = 0
        self._total = 0

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        self._report("running")
        self._began = time.monotonic()
        self._task = asyncio.create_task(self._transfer())
        try:
            result = await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if not self._cancelled:
                self._task.cancel()
                raise
            await asyncio.gather(self._task, return_exceptions=True)  # until it has cleaned up
            result = cancelled(self.target, "cancelled; nothing is left of it on either side")
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("failed" if result.end == "failed" else "cancelled" if not result.ok else "done", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - self._began, 3))

    async def cancel(self) -> None:
        """Break it off: what was written here is deleted, what was sent there is thrown away by the agent."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def _transfer(self) -> StepResult:
        return await (self._restore() if self._operation.verb == "restore" else self._fetch())

    async def _fetch(self) -> StepResult:
        operation, part = self._operation, self._operation.file + PART
        digest = hashlib.sha256()
        file = await asyncio.to_thread(_create, part)

        def write(piece: bytes) -> None:
            try:
                file.write(piece)
            except OSError as error:
                raise StoreError(f"{part} cannot be written: {error.strerror}", hint="is the disk full?") from error
            digest.update(piece)

        async def take(piece: bytes) -> None:
            await asyncio.to_thread(write, piece)
            self._moved(len(piece))

        try:
            client = await self._link().client(_PATIENCE)
            if operation.verb == "backup":
                size = await client.read_volume(operation.volume, take)
            else:
                size = await client.read_volume_file(operation.volume, operation.path, take)
            await asyncio.to_thread(_finish, file, operation.file)
        except BaseException:
            file.close()
            os.unlink(part)  # quick, and must also happen to a task that is being cancelled
            raise
        return done(self.target, file=operation.file, size=str(size), sha256=digest.hexdigest())

    async def _restore(self) -> StepResult:
        operation = self._operation
        file = await asyncio.to_thread(_open, operation.file)
        digest = hashlib.sha256()

        def read() -> bytes:
            piece = file.read(_PIECE)
            digest.update(piece)
            return piece

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await asyncio.to_thread(read):
                yield piece
                self._moved(len(piece))

        try:
            self._total = os.fstat(file.fileno()).st_size
            client = await self._link().client(_PATIENCE)
            restored = await client.write_volume(operation.volume, pieces(), replace=operation.replace)
        finally:
            file.close()
        skipped = {"skipped": ", ".join(restored.skipped)} if restored.skipped else {}
        return done(
            self.target, files=str(restored.files), size=str(restored.size), sha256=digest.hexdigest(), **skipped
        )

    def _moved(self, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            rate = self._count / max(now - self._began, 0.001)
            text = f"{bytes_text(self._count)}, {rate_text(rate)}/s"
            self._report("running", text, done=min(1.0, self._count / self._total) if self._total else None)


def _create(path: str) -> IO[bytes]:
    """A new file that its owner alone can read: a volume may hold anything."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except FileExistsError as error:
        raise StoreError(
            f"{path} exists: another transfer writes it, or one was broken off", hint="delete it if nothing does"
        ) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _open(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error


def _finish(file: IO[bytes], path: str) -> None:
    """On disk for good, then under its name; a file that appeared under that name meanwhile is not overwritten."""
    try:
        file.flush()
        os.fsync(file.fileno())
        file.close()
        os.link(path + PART, path)
        os.unlink(path + PART)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
