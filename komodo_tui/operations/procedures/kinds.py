"""How each kind of step is done."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, NotFoundError
from komodo_tui.domain.operations import StepResult, Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.check import arguments
from komodo_tui.domain.procedures.journal import RunStarted, StepStarted, TargetStarted
from komodo_tui.operations.outcomes import interrupted
from komodo_tui.operations.procedures.acts import Attempts, ended, operation_for
from komodo_tui.operations.procedures.journal import RunJournal
from komodo_tui.operations.procedures.prepared import pick_repo, pick_stack, prepared
from komodo_tui.operations.procedures.targets import (
    container_words,
    pick_containers,
    pick_for_servers,
    why_away,
)
from komodo_tui.operations.procedures.waits import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord, Operation
    from komodo_tui.domain.procedures.journal import End
    from komodo_tui.operations.procedures.journal import Place
    from komodo_tui.operations.procedures.parts import RunParts
    from komodo_tui.operations.procedures.targets import Picked

Done = tuple["End", str, dict[str, str]]
"""How it ended, a summary, and what it saved."""


_CLOSING = 30.0
"""Seconds the act of a dead process may take to be closed by its agent's answer."""
_LOOK = 0.2


class StepRunner:
    """Does one step, its placeholders filled. Used once."""

    def __init__(
        self, parts: RunParts, journal: RunJournal, place: Place, step: steps.AnyStep, environment: dict[str, str]
    ) -> None:
        self._parts = parts
        self._journal = journal
        self._place = place
        self._step = step
        self._environment = environment
        self._attempts: Attempts | None = None
        self._inner: asyncio.Task[Done] | None = None
        self._cancelled = False

    async def run(self) -> Done:
        """Do it. Raises KomodoError where it fails as a whole."""
        step = self._step
        if isinstance(step, steps.Set):
            return "success", ", ".join(f"{name} = {value}" for name, value in step.values.items()), step.values
        if isinstance(step, steps.Spread) and not isinstance(step, steps.Wait):
            return await self._spread(step)
        self._inner = asyncio.ensure_future(self._alone(step))
        try:
            return await self._inner
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            return "cancelled", "cancelled", {}

    async def cancel(self) -> None:
        """Stop it; :meth:`run` still returns."""
        self._cancelled = True
        if self._attempts is not None:
            await self._attempts.cancel()
        if self._inner is not None:
            self._inner.cancel()

    async def _alone(self, step: steps.AnyStep) -> Done:
        if isinstance(step, steps.Sleep):
            seconds = parse_duration(step.seconds)
            await asyncio.sleep(seconds)
            return "success", f"{seconds:g} s", {}
        if isinstance(step, steps.Wait):
            match = steps.RestartContainers(match=step.healthy, servers=step.servers)
            return "success", await wait_for(step, self._parts.fleet, lambda: match), {}
        assert isinstance(step, steps.Procedure)
        return await self._nested(step)

    async def _nested(self, step: steps.Procedure) -> Done:
        from komodo_tui.operations.procedures.runner import Runner  # a runner runs steps, and a step may be a run

        definition = self._parts.find(step.procedure)
        if definition is None:
            raise NotFoundError(f"there is no procedure {step.procedure!r}")
        run = f"{self._journal.run}.{self._place[0] + 1}.{self._place[1] + 1}"
        journal = RunJournal(self._parts.runs, run, self._parts.tell)
        parameters = arguments(definition, step.parameters)
        try:
            await journal.load()
        except NotFoundError:
            await journal.begin(
                RunStarted(
                    run=run, procedure=definition.name, definition=msgspec.to_builtins(definition),
                    parameters=parameters, actor=self._parts.actor, pid=0,
                )
            )  # fmt: skip
        inner = Runner(self._parts, journal, definition, parameters)
        try:
            end = journal.ended or await inner.run()
        except asyncio.CancelledError:
            await inner.cancel()
            raise
        ends: dict[str, End] = {"success": "success", "cancelled": "cancelled", "interrupted": "interrupted"}
        return ends.get(end.outcome, "failed"), end.summary or f"run {run}", {}

    # -- steps on many targets ------------------------------------------------------------------------------------

    async def _spread(self, step: steps.Spread) -> Done:
        begun = self._journal.begun.get(self._place)
        resumed = begun is not None and bool(begun.targets)
        picked = self._pick(step)
        if resumed and begun is not None:
            picked.targets, picked.problem = list(begun.targets), ""  # what it was begun for, not what is there now
        if picked.problem and not picked.away:
            return self._nothing(step, picked)
        if not resumed:
            await self._journal.write(
                StepStarted(stage=self._place[0], step=self._place[1], targets=tuple(picked.targets))
            )
        results = await self._known(picked.targets) if resumed else {}
        results |= await self._away(picked)
        results |= await self._batches(step, [target for target in picked.targets if target not in results], results)
        return self._concluded(step, picked, results)

    def _pick(self, step: steps.Spread) -> Picked:
        state = self._parts.fleet.state
        if isinstance(step, steps.OnContainers):
            return pick_containers(step, container_words(step), state)
        if isinstance(step, steps.OnStack):
            return pick_stack(step, self._parts)
        if isinstance(step, steps.OnRepo):
            return pick_repo(step, self._parts)
        return pick_for_servers(step, state)

    async def _operation(self, targets: Sequence[Target]) -> Operation | None:
        step = self._step
        assert isinstance(step, steps.Spread)
        if isinstance(step, steps.OnStack | steps.OnRepo | steps.Prune):
            return await prepared(step, self._parts, tuple(target.server for target in targets))
        return operation_for(step, targets, self._environment)

    def _nothing(self, step: steps.Spread, picked: Picked) -> Done:
        policy = step.none if isinstance(step, steps.OnContainers) else "fail"
        if policy == "fail":
            away = f"; {picked.left_out[0].name} could not be asked" if picked.left_out else ""
            raise ActError(picked.problem + away, hint="none: warn or none: pass makes that no failure")
        return ("success" if policy == "pass" else "skipped"), picked.problem, {}

    async def _known(self, targets: Sequence[Target]) -> dict[Target, StepResult]:
        """What an earlier process left: ends it wrote, and ends that the history tells of attempts it did not close."""
        results: dict[Target, StepResult] = {}
        for target in targets:
            key = (self._place, target)
            done = self._journal.targets.get(key)
            if done is not None and done.end == "success":
                results[target] = StepResult(target=target, ok=True, result={"output": done.output})
            elif key in self._journal.open:
                result = await self._learned(self._journal.open[key])
                if result is not None:
                    await self._journal.write(ended(self._place, target, self._journal.open[key].attempt, result))
                    results[target] = result
        return results

    async def _learned(self, attempt: TargetStarted) -> StepResult | None:
        """How an attempt ended whose process is gone; None where it never began."""
        try:
            record = await self._closed(attempt.action)
        except NotFoundError:
            return None
        found = next((step for step in record.steps if _same(step.target, attempt.target)), None)
        return found or interrupted(attempt.target, "how it ended is not known", hint="look at the server")

    async def _closed(self, action: str) -> ActionRecord:
        """An act's record, once it has an outcome: some other process, or our own start, may be about to write it."""
        deadline = time.monotonic() + _CLOSING
        while True:
            record = await asyncio.to_thread(self._parts.history.get, action)
            if record.outcome is not None or time.monotonic() >= deadline:
                return record
            await self._parts.executor.recover(_CLOSING)
            await asyncio.sleep(_LOOK)

    async def _away(self, picked: Picked) -> dict[Target, StepResult]:
        results: dict[Target, StepResult] = {}
        for live in picked.away:
            message, hint = why_away(live)
            target = Target(server=live.name)
            results[target] = StepResult(target=target, ok=False, end="failed", error=message, hint=hint)
            await self._journal.write(ended(self._place, target, 1, results[target]))
        return results

    async def _batches(
        self, step: steps.Spread, targets: Sequence[Target], before: dict[Target, StepResult]
    ) -> dict[Target, StepResult]:
        results: dict[Target, StepResult] = {}
        size = step.batch or max(1, len(targets))
        for start in range(0, len(targets), size):
            bad = sum(not result.ok for result in (*before.values(), *results.values()))
            if self._cancelled or (step.batch and bad >= max(1, step.stop_after)):
                break
            if start and step.pause:
                await asyncio.sleep(parse_duration(step.pause))
            self._attempts = Attempts(
                self._parts.executor, self._parts.actor, self._journal, self._place, step, self._operation,
                lambda place, progress: self._parts.output(self._journal.run, place, progress),
            )  # fmt: skip
            results |= await self._attempts.run(targets[start : start + size])
        return results

    def _concluded(self, step: steps.Spread, picked: Picked, results: dict[Target, StepResult]) -> Done:
        bad = [result for result in results.values() if not result.ok]
        undone = [target for target in picked.targets if target not in results]
        saved = {step.save: _output(results)} if step.save else {}
        left = f"; {', '.join(live.name for live in picked.left_out)} left out" if picked.left_out else ""
        if not bad and not undone:
            return "success", f"{len(results)} done{left}", saved
        parts = [f"{len(results) - len(bad)} of {len(picked.targets) + len(picked.away)} done"]
        parts += [f"{len(undone)} not begun"] if undone else []
        parts += [f"{bad[0].target}: {bad[0].error}"] if bad else []
        ends = {result.end for result in bad}
        end: End = "cancelled" if self._cancelled or "cancelled" in ends else "failed"
        return ("interrupted" if ends == {"interrupted"} else end), "; ".join(parts) + left, saved


def _same(one: Target, other: Target) -> bool:
    return (one.server, one.id) == (other.server, other.id)


def _output(results: dict[Target, StepResult]) -> str:
    """What one target wrote; of several, each under its name."""
    texts = {target: result.result.get("output", "").strip() for target, result in results.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"{target}: {text}" for target, text in texts.items())
