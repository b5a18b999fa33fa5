"""Starting, resuming and previewing runs: checks, the lock against overlap, the journal's first entry."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import LockedError, ReadOnlyError, RefusedError, StoreError, UsageError
from komodo_tui.domain.procedures.again import carried_over
from komodo_tui.domain.procedures.check import arguments, check
from komodo_tui.domain.procedures.journal import RunResumed, RunStarted
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.operations.procedures.journal import RunJournal
from komodo_tui.operations.procedures.runner import Runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from komodo_tui.operations.procedures.parts import RunParts
    from komodo_tui.store.locks import FileLock

_LOOK_AGAIN = 0.5
"""Seconds between looks at a lock that is waited for."""
_RECOVERY = 15.0
"""Seconds servers may take to tell how acts of a dead process ended."""


def new_run_id() -> str:
    """Sorts by time, and cannot be guessed: ``20261126-174502-3f9a1c``."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


@asynccontextmanager
async def started(
    parts: RunParts,
    name: str,
    given: Mapping[str, str],
    *,
    wait: bool | None = None,
    read_only: bool = False,
    run: str = "",
    timeout: str = "",
) -> AsyncIterator[Runner]:
    """A run of the procedure of this name, begun and not yet run; its locks are held meanwhile.

    ``run`` is an id of :func:`new_run_id` chosen before. ``wait``: whether to wait for a run that is under way;
    None = as the procedure says. ``timeout`` of the whole run, instead of the procedure's. What the run is limited to
    stands in ``parts``.

    Raises:
        ReadOnlyError, UsageError: nothing was begun.
        LockedError: another run is under way.
        StoreError: the journal cannot be written.
    """
    if read_only:
        raise ReadOnlyError(f"procedure {name}: refused, read-only mode is on", hint="start without --read-only")
    definition = parts.find(name)
    if definition is None:
        raise UsageError(f"there is no procedure {name!r}", hint="komodo-tui procedure list names them")
    check(definition, parts.find)
    parameters = arguments(definition, given)
    async with _turn(parts, definition, definition.overlap == "wait" if wait is None else wait):
        run = run or new_run_id()
        with _alive(parts, run):
            journal = RunJournal(parts.runs, run, parts.tell)
            await journal.begin(_first(parts, run, definition, parameters, timeout=timeout))
            yield Runner(parts, journal, definition, parameters, timeout)


@asynccontextmanager
async def again(parts: RunParts, old: str, *, read_only: bool = False, run: str = "") -> AsyncIterator[Runner]:
    """A new run that does what failed in an old one, and takes over what went well there.

    Raises:
        ReadOnlyError: nothing was begun.
        NotFoundError: there is no such run.
        RefusedError: it has not ended, or nothing in it failed.
        LockedError: another run of the procedure is under way.
    """
    if read_only:
        raise ReadOnlyError(f"run {old}: refused, read-only mode is on", hint="start without --read-only")
    summary = await asyncio.to_thread(parts.runs.get, old)
    if summary.ended is None:
        raise RefusedError(f"run {summary.run} has not ended", hint=f"komodo-tui --resume {summary.run}")
    if summary.outcome == "success":
        raise RefusedError(f"run {summary.run} has nothing that failed", hint="start the procedure again")
    entries = [entry for _, _, entry in await asyncio.to_thread(parts.runs.entries, summary.run)]
    first = entries[0]
    assert isinstance(first, RunStarted)
    definition = _definition(first)
    parts = dataclasses.replace(parts, only=first.servers)
    async with _turn(parts, definition, wait=False):
        run = run or new_run_id()
        with _alive(parts, run):
            journal = RunJournal(parts.runs, run, parts.tell)
            begun = _first(parts, run, definition, first.parameters, timeout=first.timeout, again=summary.run)
            await journal.begin(begun)
            await journal.write(*carried_over(definition, entries))
            yield Runner(parts, journal, definition, first.parameters, first.timeout)


def _first(
    parts: RunParts, run: str, definition: ProcedureDefinition, parameters: dict[str, str], *, timeout: str,
    again: str = "",
) -> RunStarted:  # fmt: skip
    return RunStarted(
        run=run, procedure=definition.name, definition=msgspec.to_builtins(definition), parameters=parameters,
        actor=parts.actor, pid=os.getpid(), servers=parts.only, timeout=timeout, again=again,
    )  # fmt: skip


def _definition(first: RunStarted) -> ProcedureDefinition:
    try:
        return msgspec.convert(first.definition, ProcedureDefinition)
    except msgspec.ValidationError as error:
        raise StoreError(f"run {first.run} was begun by another version: {error}", hint="start it anew") from error


@asynccontextmanager
async def resumed(parts: RunParts, run: str, *, read_only: bool = False) -> AsyncIterator[Runner]:
    """A run whose process is gone, ready to go on after the last step that was finished.

    Raises:
        ReadOnlyError: nothing was begun.
        NotFoundError: there is no such run.
        RefusedError: it has ended.
        LockedError: its process, or another run of the procedure, is alive.
    """
    if read_only:
        raise ReadOnlyError(f"run {run}: refused, read-only mode is on", hint="start without --read-only")
    summary = await asyncio.to_thread(parts.runs.get, run)
    if summary.ended is not None:
        raise RefusedError(f"run {summary.run} has ended: {summary.outcome}", hint="start the procedure again")
    journal = RunJournal(parts.runs, summary.run, parts.tell)
    with _alive(parts, summary.run):
        first = await journal.load()
        definition = _definition(first)
        parts = dataclasses.replace(parts, only=first.servers)
        async with _turn(parts, definition, wait=False):
            await parts.executor.recover(_RECOVERY)
            parts.tell(summary.run, first)
            await journal.write(RunResumed(actor=parts.actor, pid=os.getpid()))
            yield Runner(parts, journal, definition, first.parameters, first.timeout)


class _alive:
    """Holds the lock that says a process works on a run."""

    def __init__(self, parts: RunParts, run: str) -> None:
        self._lock = parts.runs.lock(run)
        self._run = run

    def __enter__(self) -> None:
        if not self._lock.try_acquire():
            raise LockedError(f"run {self._run} is under way", hint=f"komodo-tui procedure log {self._run} --follow")

    def __exit__(self, *_: object) -> None:
        _remove(self._lock)


def _remove(lock: FileLock) -> None:
    """Remove the file of a lock that is held, and give it back."""
    lock.path.unlink(missing_ok=True)
    lock.release()


@asynccontextmanager
async def _turn(parts: RunParts, definition: ProcedureDefinition, wait: bool) -> AsyncIterator[None]:
    """This procedure's own lock: one run of it at a time."""
    lock = parts.runs.lock(f"procedure-{definition.name}")
    while not lock.try_acquire():
        if not wait:
            raise LockedError(
                f"procedure {definition.name} is under way already",
                hint="wait for its end, or let runs wait for each other with --lock wait",
            )
        await asyncio.sleep(_LOOK_AGAIN)
    try:
        yield
    finally:
        lock.release()
