"""Starting, resuming and previewing runs: checks, the lock against overlap, the journal's first entry."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import KomodoError, LockedError, ReadOnlyError, RefusedError, StoreError, UsageError
from komodo_tui.domain.procedures import expressions, steps
from komodo_tui.domain.procedures.check import arguments, check, stage_title, step_title
from komodo_tui.domain.procedures.journal import RunResumed, RunStarted
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.procedures.words import argv, words
from komodo_tui.operations.procedures.journal import RunJournal
from komodo_tui.operations.procedures.runner import Runner
from komodo_tui.operations.procedures.targets import container_words, pick_containers, pick_for_servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from komodo_tui.domain.procedures.steps import AnyStep
    from komodo_tui.fleet.live import FleetState
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
) -> AsyncIterator[Runner]:
    """A run of the procedure of this name, begun and not yet run; its locks are held meanwhile.

    ``run`` is an id of :func:`new_run_id` chosen before. ``wait``: whether to wait for a run that is under way;
    None = as the procedure says.

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
            await journal.begin(
                RunStarted(
                    run=run, procedure=definition.name, definition=msgspec.to_builtins(definition),
                    parameters=parameters, actor=parts.actor, pid=os.getpid(),
                )
            )  # fmt: skip
            yield Runner(parts, journal, definition, parameters)


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
        try:
            definition = msgspec.convert(first.definition, ProcedureDefinition)
        except msgspec.ValidationError as error:
            raise StoreError(f"run {run} was begun by another version: {error}", hint="start it anew") from error
        async with _turn(parts, definition, wait=False):
            await parts.executor.recover(_RECOVERY)
            parts.tell(summary.run, first)
            await journal.write(RunResumed(actor=parts.actor, pid=os.getpid()))
            yield Runner(parts, journal, definition, first.parameters)


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


def preview(definition: ProcedureDefinition, parameters: Mapping[str, str], state: FleetState) -> list[str]:
    """What each step would touch if it ran now, one line each. Changes nothing.

    Raises:
        KomodoError: a condition or a field cannot be read.
    """
    values = {**parameters, "run": "(dry run)", "procedure": definition.name}
    lines: list[str] = []
    for number, stage in enumerate(definition.stages, 1):
        when = f" when {stage.when}" if stage.when else ""
        on = f" on {stage.on}" if stage.on != "success" else ""
        lines.append(f"{stage_title(stage, number)}{on}{when}")
        for entry in stage.steps:
            lines += [f"  {line}" for line in _step_lines(step_title(entry), entry.step, values, state)]
            values |= {name: f"({name})" for name in _saved(entry.step)}
    return lines


def _saved(step: AnyStep) -> list[str]:
    return [*([step.save] if step.save else []), *(step.values if isinstance(step, steps.Set) else ())]


def _step_lines(title: str, step: AnyStep, values: Mapping[str, str], state: FleetState) -> list[str]:
    if not step.enabled:
        return [f"{title}: disabled"]
    plain = msgspec.to_builtins(step)
    script = plain.pop("script", None)
    filled = msgspec.convert(
        {**expressions.fill_all(plain, values), **({"script": script} if script is not None else {})}, type(step)
    )
    when = f"  (when {step.when})" if step.when else ""
    return [f"{title}: {line}{when}" for line in _what(filled, state)]


def _what(step: AnyStep, state: FleetState) -> list[str]:
    if isinstance(step, steps.OnContainers):
        command = f"  {' '.join(argv(step.command))}" if isinstance(step, steps.Exec) else ""
        picked = _quiet(step, state)
        return [f"{what}{command}" for what in picked] or [f"nothing matches {' '.join(container_words(step))}"]
    if isinstance(step, steps.OnStack):
        where = " ".join(words(step.servers)) or "all its servers"
        return [f"stack {step.stack} on {where}"]
    if isinstance(step, steps.OnRepo):
        return [f"repo {step.repo} on {' '.join(words(step.servers)) or 'all its servers'}"]
    if isinstance(step, steps.Prune):
        return [f"{target}  what nothing uses" for target in _quiet(step, state)]
    if isinstance(step, steps.Run | steps.Script):
        what = " ".join(argv(step.command)) if isinstance(step, steps.Run) else f"a script for {step.interpreter}"
        return [f"{target}  {what}" for target in _quiet(step, state)]
    if isinstance(step, steps.Sleep):
        return [step.seconds]
    if isinstance(step, steps.Wait):
        return [f"until {step.tcp or step.http or ' '.join(words(step.healthy))} is well"]
    if isinstance(step, steps.Procedure):
        return [step.procedure]
    return [", ".join(f"{name} = {value}" for name, value in step.values.items())]


def _quiet(step: steps.Spread, state: FleetState) -> list[str]:
    try:
        if isinstance(step, steps.OnContainers):
            picked = pick_containers(step, container_words(step), state)
        else:
            picked = pick_for_servers(step, state)
    except KomodoError as error:
        return [str(error)]
    return [*(str(target) for target in picked.targets), *(f"{live.name} (away)" for live in picked.away)]
