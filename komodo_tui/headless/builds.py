"""``build NAME`` and ``builds``."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import builders_of
from komodo_tui.domain.errors import ExitCode, NotFoundError, ReadOnlyError, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import bytes_text, time_text
from komodo_tui.headless.acts import print_plan, print_record, submit
from komodo_tui.headless.asking import given
from komodo_tui.headless.stacks import reached
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_follow import follower_of, not_well
from komodo_tui.operations.build_history import FOLLOWING, BuildHistory, run_of
from komodo_tui.operations.build_prepare import BuildPreparer, pick_server
from komodo_tui.operations.build_runs import BuildOutput
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.build_logs import BuildLogs
from komodo_tui.store.follow_ups import FollowUpStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.builds import BuildDefinition, BuildOperation
    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.headless.output import Output, Tone
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.build_follow import BuildFollower, Followed
    from komodo_tui.operations.build_history import BuildRun

_RECOVERY = 1.0
_CLOSED = 20.0
"""Seconds for acts that ended programs left to be closed, before what follows them is gone on with."""
_TONES: dict[str, Tone] = {"success": "good", "running": "busy", FOLLOWING: "busy", "cancelled": "dim", "": "dim"}
_BUILDS = (
    Column("BUILD"), Column("VERSION"), Column("STATE"), Column("LAST"), Column("TOOK", right=True),
    Column("SIZE", right=True), Column("COMMIT"), Column("WHY", flexible=True),
    Column("SOURCE", flexible=True), Column("IMAGE GOES", flexible=True),
)  # fmt: skip
_RUNS = (
    Column("VERSION"), Column("OUTCOME"), Column("WHEN"), Column("SERVER"), Column("TOOK", right=True),
    Column("SIZE", right=True), Column("COMMIT"), Column("IMAGE"), Column("WHO", flexible=True),
    Column("WHY", flexible=True),
)  # fmt: skip


async def build(session: Session) -> int:
    """Build, and what follows."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        definition = BuildDefinitions(runtime.definitions).stored(arguments.name).value
        known = {server.name: server for server in runtime.servers.fleet()}
        follower = follower_of(runtime, lambda: known)
        if arguments.stop:
            return await _stop(session, runtime, definition, builders_of(definition, known))
        if arguments.resume:
            return await _resume(session, runtime, definition, follower)
        follows = not arguments.no_follow_up
        names = builders_of(definition, known)
        if arguments.on and arguments.on not in names:
            raise UsageError(
                f"build {definition.name} is not built on {arguments.on!r}", hint=f"it may be on {', '.join(names)}"
            )
        names = (arguments.on,) if arguments.on else names
        needed = follower.places(definition) if follows else ()
        await runtime.start({*names, *needed})
        await session.settle(runtime)
        reached(runtime, needed)
        server = pick_server(definition, names, runtime.fleet.state)
        operation = await asyncio.to_thread(
            partial(
                _preparer(runtime).prepare, definition, server, arguments.build_version,
                follow_up=not arguments.no_follow_up,
            )
        )  # fmt: skip
        code = await _run(session, runtime, operation, follower)
        await runtime.recovered(_RECOVERY)
        return code


async def _run(session: Session, runtime: Runtime, operation: BuildOperation, follower: BuildFollower) -> int:
    plan = runtime.executor.plan(operation)
    out, arguments = session.out, session.arguments
    if arguments.dry_run:
        if out.json:
            out.document(plan)
        else:
            print_plan(out.line, plan)
        return ExitCode.DONE
    if plan.confirm != "none" and session.asking.possible and not arguments.yes:
        print_plan(out.say, plan)
    answer = await given(plan, arguments, session.asking)
    record = await submit(session, runtime, plan, answer, output=_Lines(out) if arguments.follow else None)
    await _output(runtime).keep(record)
    done: list[Followed] = []
    if record.outcome == "success" and operation.follow_up:
        done = await follower.follow(operation.build, record, partial(_submit, session, runtime))
    _print(session, record, done)
    code = exit_code(record)
    return ExitCode.PARTLY_FAILED if code == ExitCode.DONE and not_well(done) else code


async def _submit(session: Session, runtime: Runtime, plan: Plan, act_id: str) -> ActionRecord:
    """What was agreed to together with the build."""
    return await submit(session, runtime, plan, plan.phrase or True, act_id=act_id)


async def _stop(session: Session, runtime: Runtime, build: BuildDefinition, servers: Sequence[str]) -> int:
    """Stop it, whoever began it."""
    await runtime.start(set(servers))
    await session.settle(runtime)
    jobs = [
        (name, job) for name, live in runtime.fleet.state.servers.items() for job in live.jobs.values()
        if job.kind == "build" and job.target == build.name and not job.ended
    ]  # fmt: skip
    if not jobs:
        raise NotFoundError(f"build {build.name}: none is under way")
    records = []
    for name, job in jobs:
        target = Target(server=name, name=build.name)
        records.append(await runtime.executor.stop_job(target, job.id, "build", runtime.actor))
        if not session.out.json:
            print_record(session.out, records[-1])
    if session.out.json:
        session.out.document(records)
    return max(map(exit_code, records))


async def _resume(session: Session, runtime: Runtime, build: BuildDefinition, follower: BuildFollower) -> int:
    """Do what was to follow the last build. Nothing is built."""
    if runtime.settings.read_only:
        raise ReadOnlyError(f"build {build.name}: refused, read-only mode is on", hint="start without --read-only")
    await runtime.start()
    await session.settle(runtime)
    await runtime.recovered(_CLOSED)
    last = await asyncio.to_thread(BuildHistory(runtime.history, follower.store).last, build.name)
    if last is None:
        raise NotFoundError(f"build {build.name}: none has succeeded yet", hint=f"komodo-tui build {build.name}")
    record = await asyncio.to_thread(runtime.history.get, last.id)
    left = await asyncio.to_thread(follower.left, build, record)
    if session.arguments.dry_run or not left:
        if session.out.json:
            session.out.document({"build": build.name, "version": last.version, "left": left})
        else:
            for what in left or ["nothing is left to be done"]:
                session.out.line(f"{build.name} {last.version}: {what}")
        return ExitCode.DONE
    if last.follow_up is not None and last.follow_up.ended is not None:
        await asyncio.to_thread(follower.again, last.id)
    done = await follower.follow(build, record, partial(_submit, session, runtime))
    _print(session, record, done)
    return ExitCode.PARTLY_FAILED if not_well(done) else ExitCode.DONE


class _Lines:
    """Prints what a build prints: as lines, or as lines of JSON."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def __call__(self, text: str) -> None:
        for line in text.splitlines():
            if self._out.json:
                self._out.record({"output": line})
            else:
                self._out.line(line)
        self._out.flush()


def _print(session: Session, record: ActionRecord, done: list[Followed]) -> None:
    out = session.out
    if out.json:
        document = {
            "record": record,
            "follow_up": [
                {"what": one.what, "record": one.record, "error": one.error.message if one.error else ""}
                for one in done
            ],
        }
        (out.record if session.arguments.follow else out.document)(document)
        return
    print_record(out, record)
    run = run_of(record)
    if run.failed_step and not session.arguments.follow:
        out.say(f"  the last lines of {run.failed_step}:")
        for line in run.failed_lines:
            out.say(f"  | {line}")
    for reference in run.references:
        out.line(f"  {reference}")
    for one in done:
        if one.record is not None:
            print_record(out, one.record)
        elif one.error is not None:
            out.write(f"{out.paint(out.glyphs.fail, 'bad')} {out.paint(f'{one.what}: {one.why}', '')}\n")


async def builds(session: Session) -> int:
    """The builds, the runs of one, or the log of one run."""
    async with session.runtime() as runtime:
        name = session.arguments.name
        definitions = BuildDefinitions(runtime.definitions)
        history = BuildHistory(runtime.history, FollowUpStore(runtime.state_dir.follow_ups))
        if session.arguments.log is not None:
            if not name:
                raise UsageError("builds --log: of which build?", hint="komodo-tui builds NAME --log")
            return await _log(session, runtime, history.runs(name))
        if name:
            if definitions.find(name) is None and not history.runs(name, 1):
                definitions.stored(name)
            _print_runs(session.out, history.runs(name))
        else:
            known = definitions.known()
            _print_builds(session.out, known, {one: history.runs(one, 10) for one in known})
    return ExitCode.DONE


async def _log(session: Session, runtime: Runtime, runs: list[BuildRun]) -> int:
    wanted = session.arguments.log
    run = next((run for run in runs if wanted in ("last", run.version) or run.id.startswith(wanted)), None)
    if run is None:
        raise NotFoundError(f"there has been no build {wanted!r} of {session.arguments.name}")
    await runtime.start({run.server})
    text = await _output(runtime).read(run)
    if session.out.json:
        session.out.document({"run": run, "log": text})
    else:
        for line in text.rstrip("\n").split("\n"):
            session.out.line(line)
    return ExitCode.DONE


def _print_builds(out: Output, known: dict[str, BuildDefinition], runs: dict[str, list[BuildRun]]) -> None:
    if out.json:
        out.document([{"build": known[name], "last": found[0] if found else None} for name, found in runs.items()])
        return
    rows = []
    for name, found in runs.items():
        last = found[0] if found else None
        good = next((run for run in found if run.outcome == "success"), None)
        state = "never built" if last is None else last.state
        rows.append([
            Cell(name, "bold"), Cell(good.version if good else "-"), Cell(state, _TONES.get(state, "bad")),
            Cell(time_text(last.started) if last else ""), Cell(f"{last.seconds:.1f} s" if last else ""),
            Cell(bytes_text(good.size) if good else ""), Cell(good.commit[:10] if good else ""),
            Cell(last.why if last else ""),
            Cell(known[name].source_words), Cell(known[name].destination),
        ])  # fmt: skip
    out.table(_BUILDS, rows)


def _print_runs(out: Output, runs: list[BuildRun]) -> None:
    if out.json:
        out.document(runs)
        return
    rows = []
    for run in runs:
        state = run.state
        rows.append([
            Cell(run.version, "bold"), Cell(state, _TONES.get(state, "bad")), Cell(time_text(run.started)),
            Cell(run.server), Cell(f"{run.seconds:.1f} s"), Cell(bytes_text(run.size) if run.size else ""),
            Cell(run.commit[:10]), Cell(run.image.removeprefix("sha256:")[:12]), Cell(run.who), Cell(run.why),
        ])  # fmt: skip
    out.table(_RUNS, rows)


def _preparer(runtime: Runtime) -> BuildPreparer:
    return BuildPreparer(RepoDefinitions(runtime.definitions), runtime.values, BuildHistory(runtime.history))


def _output(runtime: Runtime) -> BuildOutput:
    return BuildOutput(runtime.fleet, BuildLogs(runtime.state_dir.root), runtime.history)
