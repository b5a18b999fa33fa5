"""Steps that are acts: each attempt is an act of the executor, or a few, on all targets that are left."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError
from komodo_tui.domain.operations import StepResult
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.journal import TargetEnded, TargetMoved, TargetStarted
from komodo_tui.operations.job_steps import OutcomeUnknownError
from komodo_tui.operations.outcomes import done, failed, interrupted
from komodo_tui.operations.procedures.waits import until_healthy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from komodo_tui.domain.operations import ActionRecord, Plan, Target
    from komodo_tui.domain.procedures.journal import End
    from komodo_tui.operations.procedures.journal import Place, RunJournal
    from komodo_tui.operations.procedures.parts import RunParts, Work
    from komodo_tui.operations.progress import StepProgress

OUTPUT_KEPT = 16 << 10
"""Characters of a target's output that the journal keeps; the history has the same, the agent all of it."""
_TELL_EVERY = 0.5
"""Seconds between entries that tell those who watch how targets stand."""
_TOLD = ("reconnecting", "done", "failed", "cancelled")


class Attempts:
    """Does one step on targets, again on those that failed, and writes each attempt into the journal."""

    def __init__(
        self,
        parts: RunParts,
        journal: RunJournal,
        place: Place,
        step: steps.Spread,
        make: Callable[[Sequence[Target]], Awaitable[list[Work]]],
        *,
        in_turn: bool = False,
    ) -> None:
        """``make`` gives the acts on some targets; ``in_turn``: one of them after the other."""
        self._parts = parts
        self._journal = journal
        self._place = place
        self._step = step
        self._make = make
        self._in_turn = in_turn
        self._acts: set[str] = set()
        self._cancelled = False
        self._moved: dict[Target, TargetMoved] = {}

    async def run(self, targets: Sequence[Target], used: Mapping[Target, int]) -> dict[Target, StepResult]:
        """Do it on these, with retries; how each ended. ``used``: attempts made before, by an earlier process."""
        results: dict[Target, StepResult] = {}
        left, pause = list(targets), parse_duration(self._step.backoff)
        counts = {target: used.get(target, 0) for target in targets}
        while left:
            for target in left:
                counts[target] += 1
            results |= await self._attempt(left, counts)
            left = [t for t in left if results[t].end == "failed" and counts[t] <= self._step.retries]
            if not left or self._cancelled:
                break
            await asyncio.sleep(pause)
            pause *= 2
        return results

    async def cancel(self) -> None:
        """Stop the attempt under way and make no other."""
        self._cancelled = True
        await asyncio.gather(*map(self._stop, self._acts))

    async def _attempt(self, targets: Sequence[Target], counts: Mapping[Target, int]) -> dict[Target, StepResult]:
        try:
            works, problem = await self._make(targets), None
        except KomodoError as error:
            works, problem = [], error
        acts = [(str(uuid.uuid4()), work) for work in works]
        mine = {target: [act for act, work in acts if target in work.targets] for target in targets}
        stage, step = self._place
        await self._journal.write(
            *(
                TargetStarted(stage=stage, step=step, target=target, attempt=counts[target],
                              action=mine[target][0] if mine[target] else "", more=tuple(mine[target][1:]))
                for target in targets
            )
        )  # fmt: skip
        if problem is not None:
            found = {target: failed(target, problem) for target in targets}
        else:
            found = {target: done(target, output="nothing to do") for target in targets if not mine[target]}
            found |= await self._works(acts)
            found |= await self._not_well(found)
        await self._journal.write(
            *(ended(self._place, target, counts[target], result) for target, result in found.items())
        )
        return found

    async def _not_well(self, found: Mapping[Target, StepResult]) -> dict[Target, StepResult]:
        """Containers that went well and do not come to be well in the time the step gives them."""
        within = parse_duration(getattr(self._step, "healthy_within", ""))
        good = [target for target, result in found.items() if result.ok]
        if not within or not good or self._cancelled:
            return {}
        missing = await until_healthy(good, self._parts, within)
        hint = "look at its log"
        return {target: failed(target, ActError(why, hint=hint)) for target, why in missing.items()}

    async def _works(self, acts: Sequence[tuple[str, Work]]) -> dict[Target, StepResult]:
        telling = asyncio.create_task(self._tell())
        found: dict[Target, StepResult] = {}
        try:
            if self._in_turn:
                for act, work in acts:
                    if work.needs_all and any(target in found and not found[target].ok for target in work.targets):
                        continue
                    found = _merged(found, await self._work(act, work))
            else:
                turns = asyncio.Semaphore(self._step.parallel or max(1, len(acts)))

                async def one(act: str, work: Work) -> dict[Target, StepResult]:
                    async with turns:
                        return await self._work(act, work)

                for results in await asyncio.gather(*(one(act, work) for act, work in acts)):
                    found = _merged(found, results)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return found

    async def _work(self, act: str, work: Work) -> dict[Target, StepResult]:
        if self._cancelled:
            return {target: _not_begun(target) for target in work.targets}
        self._acts.add(act)
        try:
            plan = self._parts.executor.plan(work.operation)
            given: bool | str = plan.phrase if plan.confirm == "type" else True
            submitted = asyncio.ensure_future(
                self._parts.executor.submit(
                    plan, self._parts.actor, given=given, act_id=act, progress=lambda p: self._progress(work, p),
                    run=self._journal.run, at_once=self._step.parallel,
                )
            )  # fmt: skip
            record = await self._in_time(act, submitted)
            if work.then is not None:
                await work.then(record, partial(self._more, work))
        except OutcomeUnknownError as error:
            lost = {target: interrupted(target, error.message, error.hint) for target in work.targets}
            return lost | by_target(work.targets, error.results)
        except KomodoError as error:
            return {target: failed(target, error) for target in work.targets}
        finally:
            self._acts.discard(act)
        return by_target(work.targets, record.steps)

    async def _more(self, work: Work, plan: Plan, act_id: str = "") -> ActionRecord:
        """One more act, as part of a work."""
        if self._cancelled:
            raise ActError("not begun, since the step was stopped")
        act = act_id or str(uuid.uuid4())
        self._acts.add(act)
        try:
            return await self._parts.executor.submit(
                plan, self._parts.actor, given=plan.phrase or True, act_id=act,
                progress=lambda p: self._progress(work, p), run=self._journal.run,
            )  # fmt: skip
        finally:
            self._acts.discard(act)

    async def _in_time(self, act: str, submitted: asyncio.Future[Any]) -> Any:
        """The record of the act, which is stopped when the step's time is over."""
        # the time of commands is kept by their agents
        commands = isinstance(self._step, steps.Exec | steps.Run | steps.Script | steps.Wait)
        limit = 0.0 if commands else parse_duration(self._step.timeout)
        ready, _ = await asyncio.wait({submitted}, timeout=limit or None)
        if not ready:
            await self._stop(act)
        return await submitted

    async def _stop(self, act: str) -> None:
        with suppress(KomodoError):  # a server that cannot be asked to stop it is waited for all the same
            await self._parts.executor.cancel(act)

    def _progress(self, work: Work, progress: StepProgress) -> None:
        self._parts.output(self._journal.run, self._place, progress)
        if progress.status not in _TOLD or len(work.targets) < 2:
            return
        target = next((t for t in work.targets if same(t, progress.target)), None)
        if target is not None:
            stage, step = self._place
            self._moved[target] = TargetMoved(
                stage=stage, step=step, target=target, status=progress.status, text=progress.text[:300]
            )

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY)
            moved, self._moved = self._moved, {}
            await self._journal.write(*moved.values())


def same(one: Target, other: Target) -> bool:
    """Whether a step's target is the one of an act's step, which may say more of it."""
    return one.server == other.server and (not one.id or not other.id or one.id == other.id)


def _merged(found: dict[Target, StepResult], more: dict[Target, StepResult]) -> dict[Target, StepResult]:
    """Of several acts on one target the worst end counts, and all that they wrote."""
    merged = dict(found)
    for target, result in more.items():
        before = merged.get(target)
        merged[target] = result if before is None else together(target, [before, result])
    return merged


def together(target: Target, results: Sequence[StepResult]) -> StepResult:
    """One result of several."""
    if len(results) == 1:
        return results[0]
    bad = next((result for result in results if not result.ok), None)
    output = "\n".join(filter(None, (output_of(result).strip() for result in results)))
    seconds = sum(result.seconds for result in results)
    if bad is None:
        whole = done(target, output=output)
        return StepResult(target=target, ok=True, result=whole.result, seconds=round(seconds, 3))
    return bad


def by_target(targets: Sequence[Target], results: Sequence[StepResult]) -> dict[Target, StepResult]:
    """The results of an act, whose steps may be several for one target: a prune's on a server, say."""
    if len(targets) == len(results) and all(map(same, targets, (result.target for result in results))):
        return dict(zip(targets, results, strict=True))
    if len(targets) == 1 and results:  # an act for one target is all of that one, whatever its steps are called
        return {targets[0]: together(targets[0], results)}
    found = {target: [result for result in results if same(target, result.target)] for target in targets}
    return {target: together(target, mine) for target, mine in found.items() if mine}


def output_of(result: StepResult) -> str:
    """What a target wrote, or what came of it."""
    return result.result.get("output", result.output)


def _not_begun(target: Target) -> StepResult:
    return StepResult(target=target, ok=False, end="cancelled", error="cancelled before it began")


def ended(place: Place, target: Target, attempt: int, result: StepResult) -> TargetEnded:
    """The journal's entry for a result."""
    ends: dict[str, End] = {"done": "success", "failed": "failed", "cancelled": "cancelled"}
    return TargetEnded(
        stage=place[0], step=place[1], target=target, attempt=attempt, end=ends.get(result.end, "interrupted"),
        error=result.error, hint=result.hint, seconds=result.seconds, output=output_of(result)[-OUTPUT_KEPT:],
    )  # fmt: skip
