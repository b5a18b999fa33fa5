"""Steps that are acts: each attempt is one act of the executor, on all targets that are left."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.durations import parse_duration, parse_size
from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.operations import CommandOperation, ContainerOperation, StepResult
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import argv
from komodo_tui.domain.procedures.journal import TargetEnded, TargetStarted
from komodo_tui.operations.outcomes import done, failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from komodo_tui.domain.operations import Actor, Operation, Target
    from komodo_tui.domain.procedures.journal import End
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.procedures.journal import Place, RunJournal
    from komodo_tui.operations.progress import StepProgress

OUTPUT_KEPT = 16 << 10
"""Characters of a target's output that the journal keeps; the history has the same, the agent all of it."""


def operation_for(step: steps.Spread, targets: Sequence[Target], environment: Mapping[str, str]) -> Operation:
    """What this step is on these targets. Raises UsageError for fields that cannot be read."""
    those: tuple[Target, ...] = tuple(targets)
    verb = steps.VERBS.get(type(step))
    if verb is not None:
        grace = getattr(step, "grace", "")
        return ContainerOperation(
            verb=verb, targets=those, timeout=int(parse_duration(grace)) if grace else None,
            signal=getattr(step, "signal", ""), force=getattr(step, "force", False),
            volumes=getattr(step, "volumes", False),
        )  # fmt: skip
    if isinstance(step, steps.ClearLogs):
        return CommandOperation(verb="clear_log", targets=those, larger_than=parse_size(step.larger_than))
    if isinstance(step, steps.Exec | steps.Run | steps.Script):
        return _command(step, those, environment)
    raise UsageError(f"{type(step).__name__} is no act")


def _command(
    step: steps.Exec | steps.Run | steps.Script, targets: tuple[Target, ...], environment: Mapping[str, str]
) -> CommandOperation:
    common: dict[str, Any] = {
        "targets": targets, "user": step.user, "directory": step.directory,
        "environment": {**environment, **step.environment},
        "timeout": parse_duration(step.timeout),
    }  # fmt: skip
    if isinstance(step, steps.Exec):
        return CommandOperation(verb="exec", command=argv(step.command), **common)
    if isinstance(step, steps.Run):
        return CommandOperation(verb="run", command=argv(step.command), **common)
    return CommandOperation(verb="run", command=(*argv(step.interpreter), "/dev/stdin"), script=step.script, **common)


class Attempts:
    """Does one step on targets, again on those that failed, and writes each attempt into the journal."""

    def __init__(
        self,
        executor: Executor,
        actor: Actor,
        journal: RunJournal,
        place: Place,
        step: steps.Spread,
        make: Callable[[Sequence[Target]], Awaitable[Operation | None]],
        output: Callable[[Place, StepProgress], None],
    ) -> None:
        """``make`` gives the operation on some targets, None for nothing to do; ``output`` hears what they write."""
        self._executor = executor
        self._actor = actor
        self._journal = journal
        self._place = place
        self._step = step
        self._make = make
        self._output = output
        self._act = ""
        self._cancelled = False

    async def run(self, targets: Sequence[Target]) -> dict[Target, StepResult]:
        """Do it on these, with retries; how each ended."""
        results: dict[Target, StepResult] = {}
        left, pause = list(targets), parse_duration(self._step.backoff)
        for attempt in range(1, self._step.retries + 2):
            found = await self._attempt(left, attempt)
            results |= found
            left = [target for target in left if found[target].end == "failed"]
            if not left or self._cancelled or attempt > self._step.retries:
                break
            await asyncio.sleep(pause)
            pause *= 2
        return results

    async def cancel(self) -> None:
        """Stop the attempt under way and make no other."""
        self._cancelled = True
        if self._act:
            await self._executor.cancel(self._act)

    async def _attempt(self, targets: Sequence[Target], attempt: int) -> dict[Target, StepResult]:
        stage, step = self._place
        self._act = str(uuid.uuid4())
        for target in targets:
            await self._journal.write(
                TargetStarted(stage=stage, step=step, target=target, attempt=attempt, action=self._act)
            )
        results = await self._submit(targets)
        self._act = ""
        for target, result in results.items():
            await self._journal.write(ended(self._place, target, attempt, result))
        return results

    async def _submit(self, targets: Sequence[Target]) -> dict[Target, StepResult]:
        try:
            operation = await self._make(targets)
            if operation is None:
                return {target: done(target, output="nothing to do") for target in targets}
            plan = self._executor.plan(operation)
            given: bool | str = plan.phrase if plan.confirm == "type" else True
            submitted = asyncio.ensure_future(
                self._executor.submit(
                    plan, self._actor, given=given, act_id=self._act,
                    progress=lambda progress: self._output(self._place, progress),
                )
            )  # fmt: skip
            record = await self._in_time(submitted)
        except KomodoError as error:
            return {target: failed(target, error) for target in targets}
        return _by_target(targets, record.steps)

    async def _in_time(self, submitted: asyncio.Future[Any]) -> Any:
        """The record of the act, which is stopped when the step's time is over."""
        commands = isinstance(self._step, steps.Exec | steps.Run | steps.Script)  # their agents keep the time
        limit = 0.0 if commands else parse_duration(self._step.timeout)
        ready, _ = await asyncio.wait({submitted}, timeout=limit or None)
        if not ready:
            await self._executor.cancel(self._act)
        return await submitted


def _by_target(targets: Sequence[Target], results: Sequence[StepResult]) -> dict[Target, StepResult]:
    """The results of an act, whose steps may be several for one target: a prune's on a server, say."""
    if len(targets) == len(results):
        return dict(zip(targets, results, strict=True))
    found: dict[Target, StepResult] = {}
    for target in targets:
        mine = [result for result in results if result.target.server == target.server]
        bad = next((result for result in mine if not result.ok), None)
        found[target] = bad or done(target, output="\n".join(result.output for result in mine))
    return found


def ended(place: Place, target: Target, attempt: int, result: StepResult) -> TargetEnded:
    """The journal's entry for a result."""
    ends: dict[str, End] = {"done": "success", "failed": "failed", "cancelled": "cancelled"}
    return TargetEnded(
        stage=place[0], step=place[1], target=target, attempt=attempt, end=ends.get(result.end, "interrupted"),
        error=result.error, hint=result.hint, seconds=result.seconds,
        output=result.result.get("output", result.output)[-OUTPUT_KEPT:],
    )  # fmt: skip
