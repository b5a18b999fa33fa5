"""``--run-procedure`` and ``procedure``: runs for cron and CI, and looks at what they did."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode, NotFoundError
from komodo_tui.domain.procedures.check import arguments as parameters_of
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.procedures.figures import next_time, well_text
from komodo_tui.domain.units import long_duration_text, time_text
from komodo_tui.headless.run_lines import RunLines, exit_code
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.procedures.parts import RunParts
from komodo_tui.operations.procedures.start import again, resumed, started
from komodo_tui.store.runs import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.procedures.runner import Runner

_FOLLOW_EVERY = 0.3
_CONNECT = 30.0
"""Seconds that servers which have not been found to be away yet may take to connect: a run has no second chance."""
_RATED = 50
"""Runs that the share of good ones is of."""


async def procedure(session: Session) -> int:
    """The verb of the command line."""
    verb = session.arguments.procedure_verb
    if verb in ("approve", "refuse", "stop"):
        from komodo_tui.headless import procedure_answers  # late: runs do without

        return await (procedure_answers.stop if verb == "stop" else procedure_answers.answer)(session)
    does = {"run": run, "list": _list, "show": _show, "runs": _runs, "log": _log}
    return await does[verb](session)


async def run(session: Session) -> int:
    """Run a procedure, or go on with a run."""
    arguments = session.arguments
    deadline, arguments.timeout = arguments.timeout, _CONNECT  # of the run, and of the connections
    if not (arguments.name or arguments.resume or arguments.again):
        raise NotFoundError("which procedure?", hint="komodo-tui procedure list names them")
    async with session.fleet(lambda known: arguments.only or None, measured=False) as runtime:
        lines = RunLines(session.out, quiet=arguments.quiet)
        parts = _parts(runtime, lines, arguments.only)
        if arguments.dry_run:
            return await _dry_run(session, runtime, parts)
        wait = None if arguments.lock is None else arguments.lock == "wait"
        read_only = runtime.settings.read_only
        begun = (
            resumed(parts, arguments.resume, read_only=read_only)
            if arguments.resume
            else again(parts, arguments.again, read_only=read_only, run=arguments.run_id)
            if arguments.again
            else started(
                parts,
                arguments.name,
                dict(arguments.param),
                wait=wait,
                read_only=read_only,
                run=arguments.run_id,
                timeout=f"{deadline:g}s" if deadline else "",
            )
        )
        async with begun as runner:
            with _stopped_by_signals(runner):
                end = await runner.run()
        lines.close(end)
        return exit_code(end, lines)


@contextmanager
def _stopped_by_signals(runner: Runner) -> Iterator[None]:
    """SIGTERM and SIGINT cancel the run: what is under way is stopped, its records are closed."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def stop() -> None:
        task = loop.create_task(runner.cancel())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _parts(runtime: Runtime, lines: RunLines, only: Sequence[str]) -> RunParts:
    return RunParts(runtime, RunStore(runtime.state_dir.runs), tell=lines.entry, output=lines.output, only=tuple(only))


async def _dry_run(session: Session, runtime: Runtime, parts: RunParts) -> int:
    from komodo_tui.operations.procedures.preview import preview  # late: runs do without

    definition = runtime.procedures().stored(session.arguments.name).value
    check(definition, parts.find)
    lines = await preview(definition, parameters_of(definition, dict(session.arguments.param)), parts)
    if session.out.json:
        session.out.document({"procedure": definition.name, "steps": lines})
    else:
        for line in lines:
            session.out.line(line)
    return ExitCode.DONE


async def _list(session: Session) -> int:
    async with session.runtime() as runtime:
        store = RunStore(runtime.state_dir.runs)
        found = list(runtime.procedures().known().values())
        last = {d.name: next(iter(store.runs(d.name, 1)), None) for d in found}
        if session.out.json:
            session.out.document([{"procedure": d, "last_run": last[d.name]} for d in found])
            return ExitCode.DONE
        columns = (Column("NAME"), Column("STAGES", right=True), Column("SCHEDULE"), Column("NEXT"), Column("LAST RUN"),
                   Column("RESULT"), Column("WELL", right=True), Column("DESCRIPTION", flexible=True))  # fmt: skip
        rows = []
        for definition in found:
            ran, following = last[definition.name], next_time(definition, time.time())
            rows.append([
                Cell(definition.name), Cell(str(len(definition.stages))), Cell(definition.schedule),
                Cell(time_text(following) if following else ""), Cell(time_text(ran.started) if ran else "never"),
                Cell(_result(ran, store)), Cell(well_text(store.runs(definition.name, _RATED))),
                Cell(definition.description),
            ])  # fmt: skip
        session.out.table(columns, rows)
    return ExitCode.DONE


def _result(ran: RunSummary | None, store: RunStore) -> str:
    if ran is None:
        return ""
    if ran.outcome is not None:
        return ran.outcome
    return "running" if store.alive(ran.run) else "interrupted"


async def _show(session: Session) -> int:
    async with session.runtime() as runtime:
        definition = runtime.procedures().stored(session.arguments.name).value
        if session.out.json:
            session.out.document(definition)
        else:
            from komodo_tui.store.yaml_text import yaml_text  # late: it loads the YAML writer

            session.out.write(yaml_text({"procedures": [msgspec.to_builtins(definition)]}))
    return ExitCode.DONE


async def _runs(session: Session) -> int:
    async with session.runtime() as runtime:
        store = RunStore(runtime.state_dir.runs)
        found = store.runs(session.arguments.name, session.arguments.limit)
        if session.out.json:
            for ran in found:
                session.out.record(ran)
            return ExitCode.DONE
        columns = (Column("RUN"), Column("PROCEDURE"), Column("STARTED"), Column("TOOK", right=True),
                   Column("RESULT"), Column("WHO"), Column("WHY", flexible=True))  # fmt: skip
        session.out.table(
            columns,
            [
                [
                    Cell(ran.run), Cell(ran.procedure), Cell(time_text(ran.started)),
                    Cell(long_duration_text(ran.ended - ran.started) if ran.ended else ""), Cell(_result(ran, store)),
                    Cell(ran.who), Cell(ran.summary),
                ]
                for ran in found
            ],
        )  # fmt: skip
    return ExitCode.DONE


async def _log(session: Session) -> int:
    async with session.runtime() as runtime:
        store = RunStore(runtime.state_dir.runs)
        ran = store.get(session.arguments.run)
        if session.arguments.compare:
            return await _compare(session, store, ran)
        lines = RunLines(session.out, quiet=False)
        seen = 0
        while True:
            for number, at, entry in store.entries(ran.run, seen):
                lines.entry(ran.run, entry, at)
                seen = number
            session.out.flush()
            if lines.ended or not session.arguments.follow or not store.alive(ran.run):
                return ExitCode.DONE
            await asyncio.sleep(_FOLLOW_EVERY)


async def _compare(session: Session, store: RunStore, ran: RunSummary) -> int:
    from komodo_tui.domain.procedures.compare import compared  # late: runs do without
    from komodo_tui.domain.procedures.progress import RunProgress

    good = store.last_good(ran.procedure, ran.started)
    if good is None:
        raise NotFoundError(f"no run of {ran.procedure} before {ran.run} ended well", hint="nothing to compare with")
    now, then = RunProgress(), RunProgress()
    now.take(store.entries(ran.run))
    then.take(store.entries(good.run))
    lines = compared(now, then, time.time())
    if session.out.json:
        session.out.document({"run": ran.run, "good": good.run, "differs": lines})
    else:
        for line in lines:
            session.out.line(line)
    return ExitCode.DONE
