"""``start``, ``stop``, ``restart``, ``pause``, ``unpause``, ``kill``, ``rename``, ``rm``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.operations import ContainerOperation, Target
from komodo_tui.domain.repos import RepoOperation
from komodo_tui.domain.stacks import StackOperation
from komodo_tui.domain.units import bytes_text, count_text
from komodo_tui.headless.asking import given
from komodo_tui.headless.session import not_reached, pick, servers_of
from komodo_tui.operations.intents import HIDDEN
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.stack_jobs import stack_as_written

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.jobs import ContainerVerb
    from komodo_tui.domain.operations import ActionRecord, Operation, Plan, StepResult
    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.progress import StepProgress

_STOPPING = 10.0
"""Seconds after ^C for the steps under way to come to an end."""


async def act(session: Session) -> int:
    """One verb on the containers named."""
    arguments = session.arguments
    async with session.fleet(lambda known: servers_of(arguments.containers, arguments, known)) as runtime:
        rows = pick(runtime, arguments.containers)
        away = [runtime.fleet.state.servers[name] for name in {row[0] for row in rows}]
        away = [server for server in away if not server.live]
        if away:
            raise not_reached("nothing was changed", away)
        operation = ContainerOperation(
            verb=cast("ContainerVerb", "remove" if arguments.verb == "rm" else arguments.verb),
            targets=tuple(Target(server=server, name=c.name, id=c.id) for server, c in rows),
            timeout=getattr(arguments, "time", None),
            signal=getattr(arguments, "signal", ""),
            new_name=getattr(arguments, "new_name", ""),
            force=getattr(arguments, "force", False),
            volumes=getattr(arguments, "volumes", False),
        )
        return await run(session, runtime, operation)


async def run(session: Session, runtime: Runtime, operation: Operation) -> int:
    """Plan, ask, act, report. The exit code is that of the act."""
    plan = runtime.executor.plan(operation)
    if session.arguments.dry_run:
        if session.out.json:
            session.out.document(_public(plan))
        else:
            print_plan(session.out.line, plan)
        return ExitCode.DONE
    if plan.confirm != "none" and session.asking.possible and not session.arguments.yes:
        print_plan(session.out.say, plan)
    record = await submit(session, runtime, plan, await given(plan, session.arguments, session.asking))
    if session.out.json:
        session.out.document(record)
    else:
        print_record(session.out, record)
    return exit_code(record)


async def submit(
    session: Session,
    runtime: Runtime,
    plan: Plan,
    given: str | bool,
    *,
    output: Callable[[str], None] | None = None,
    act_id: str = "",
) -> ActionRecord:
    """Submit a plan and show its progress. ^C stops it and waits for its outcome to be entered.

    ``output`` takes what the jobs print, by whole lines; ``act_id`` as for the executor.
    """
    lines = isinstance(plan.operation, StackOperation | RepoOperation) and not session.out.json
    watch = _Watch(session.out, several=len(plan.steps) > 1, lines=lines, output=output)
    task = asyncio.ensure_future(
        runtime.executor.submit(plan, runtime.actor, given=given, progress=watch.tell, act_id=act_id)
    )
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        for record in runtime.executor.running():
            session.out.say(f"komodo-tui: stopping: {record.title}")
            await runtime.executor.cancel(record.id)
        await asyncio.wait({task}, timeout=_STOPPING)
        raise
    finally:
        watch.end()


class _Watch:
    """Shows steps as they move: on a terminal one line that changes, else nothing but failures at the end.

    ``lines``: also what the jobs print, line by line on standard error.
    """

    def __init__(
        self, out: Output, *, several: bool, lines: bool = False, output: Callable[[str], None] | None = None
    ) -> None:
        self._out = out
        self._output = output
        self._lines = lines
        self._several = several
        self._shown = False
        self._moving: dict[str, str] = {}
        """How far each target is that is under way."""

    def tell(self, progress: StepProgress) -> None:
        """One step moved."""
        if self._output is not None and progress.output:
            self.end()
            self._output(progress.output)
        elif self._lines and progress.output:
            self.end()
            for line in progress.output.splitlines():
                self._out.say(f"{progress.target.server} | {line}" if self._several else line)
        target, share = str(progress.target), f" {progress.done:.0%}" if progress.done is not None else ""
        if progress.status in ("running", "reconnecting"):
            what = progress.text if progress.status == "running" else f"waiting for {progress.target.server}"
            self._moving[target] = f"{progress.target.server}{share}"
            if len(self._moving) > 1:
                self._show(f"{', '.join(self._moving.values())}: {target}: {what or 'working'}")
            else:
                self._show(f"{target}: {what or 'working'}{share} ({progress.seconds:.0f} s)")
        elif self._several:
            self._moving.pop(target, None)
            self._show(f"{target}: {progress.status}")

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._out.status("")

    def _show(self, text: str) -> None:
        self._shown = True
        self._out.status(text)


def _public(plan: Plan) -> Plan:
    """The plan without values that may be secret."""
    if isinstance(plan.operation, StackOperation):
        return msgspec.structs.replace(plan, operation=stack_as_written(plan.operation, HIDDEN))
    return plan


def print_plan(line: Callable[[str], None], plan: Plan) -> None:
    """What would happen, with the exact commands."""
    line(plan.title)
    for step in plan.steps:
        line(f"  {step.target.server}: {step.text}")
        line(f"    $ {step.command}")
        for detail in step.details:
            line(f"      {detail}")
        if step.warning:
            line(f"    ! {step.warning}")
    line(f"  undo: {plan.undo}")


def _revision(step: StepResult) -> str:
    number = step.result.get("revision", "")
    return f"revision {number}{', unchanged' if step.result.get('unchanged') else ''}" if number else ""


def _moved(step: StepResult) -> str:
    """``4 layers, 300M sent`` of an image that was shipped, the digest of one that was pushed."""
    result = step.result
    if not result.get("sent", "").isdigit():
        return result.get("digest", "")
    layers = int(result.get("layers", "0"))
    if not layers:
        return "its layers were there"
    return f"{count_text(layers, 'layer')}, {bytes_text(int(result['sent']))} sent"


def print_record(out: Output, record: ActionRecord) -> None:
    """What came of an act: a line for each target; warnings and hints on standard error."""
    for step in record.steps:
        for line in step.output.splitlines():
            if line.startswith("warning: "):
                out.say(f"komodo-tui: {step.target}: {line}")
        if step.ok:
            told = step.result
            state = told.get("state", "") or _revision(step) or _moved(step) or told.get("commit", "")[:10]
            text = f"{step.target} {state}".rstrip() if record.act not in ("remove", "rename") else str(step.target)
            out.write(f"{out.paint(out.glyphs.ok, 'good')} {out.paint(f'{record.act}: {text}', '')}\n")
        else:
            glyph = out.glyphs.off if step.end == "cancelled" else out.glyphs.fail
            out.write(f"{out.paint(glyph, 'bad')} {out.paint(f'{record.act}: {step.target}: {step.error}', '')}\n")
            if step.hint:
                out.say(f"  {step.hint}")
