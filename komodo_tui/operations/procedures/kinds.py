"""One step of a run, of whatever kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError, UsageError
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.check import arguments
from komodo_tui.domain.procedures.journal import RunStarted, StepStarted
from komodo_tui.operations.procedures.alone import alone
from komodo_tui.operations.procedures.journal import RunJournal
from komodo_tui.operations.procedures.spread import SpreadRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.procedures.journal import End, RunEnded
    from komodo_tui.operations.procedures.journal import Place
    from komodo_tui.operations.procedures.parts import Environment, RunParts
    from komodo_tui.operations.procedures.runner import Runner
    from komodo_tui.operations.procedures.spread import Done


class StepRunner:
    """Does one step, its placeholders filled. Used once."""

    def __init__(
        self, parts: RunParts, journal: RunJournal, place: Place, step: steps.Step, environment: Environment
    ) -> None:
        self._parts = parts
        self._journal = journal
        self._place = place
        self._step = step
        self._spread: SpreadRunner | None = None
        if isinstance(step, steps.Spread) and not (isinstance(step, steps.Wait) and not step.file):
            self._spread = SpreadRunner(parts, journal, place, step, environment)
        self._inner: asyncio.Task[Done] | None = None
        self._again = 0
        self._cancelled = False

    async def run(self) -> Done:
        """Do it. Raises KomodoError where it fails as a whole."""
        if self._spread is not None:
            return await self._spread.run()
        if not isinstance(self._step, steps.Approve) and self._place not in self._journal.begun:
            await self._journal.write(StepStarted(stage=self._place[0], step=self._place[1]))
        self._inner = asyncio.ensure_future(self._tries())
        if self._cancelled:
            self._inner.cancel()
        try:
            return await self._inner
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            return "cancelled", "cancelled", {}

    async def cancel(self) -> None:
        """Stop it; :meth:`run` still returns."""
        self._cancelled = True
        if self._spread is not None:
            await self._spread.cancel()
        if self._inner is not None:
            self._inner.cancel()

    async def _tries(self) -> Done:
        """Once, and again as often as the step says. What was written under way, as of a nested run, stays."""
        pause = parse_duration(self._step.backoff)
        for _ in range(self._step.retries):
            try:
                found = await self._once()
            except KomodoError:
                found = None
            if found is not None and found[0] != "failed":
                return found
            await asyncio.sleep(pause)
            pause *= 2
            self._again += 1
        return await self._once()

    async def _once(self) -> Done:
        step = self._step
        if isinstance(step, steps.Wait | steps.Approve):  # they keep their time themselves
            return await alone(step)(step, self._parts, self._journal, self._place)
        limit = parse_duration(step.timeout) or None
        try:
            async with asyncio.timeout(limit) as time:
                if isinstance(step, steps.Procedure):
                    return await self._nested(step, lambda: self._cancelled or time.expired())
                return await alone(step)(step, self._parts, self._journal, self._place)
        except TimeoutError:
            raise ActError(f"it did not end within {step.timeout} and was stopped") from None

    async def _nested(self, step: steps.Procedure, stopped: Callable[[], bool]) -> Done:
        """As a run of its own. ``stopped``: where it is cancelled, whether that is meant for the run."""
        from komodo_tui.operations.procedures.runner import Runner  # late: a runner runs steps, a step may be a run

        definition = self._parts.find(step.procedure)
        if definition is None:
            raise NotFoundError(f"there is no procedure {step.procedure!r}")
        if definition.name in self._journal.above:
            way = " > ".join((*self._journal.above, definition.name))
            raise UsageError(f"the procedure would run itself: {way}", hint="take one of these steps out")
        again = f"r{self._again}" if self._again else ""
        run = f"{self._journal.run}.{self._place[0] + 1}.{self._place[1] + 1}{again}"
        journal = RunJournal(self._parts.runs, run, self._parts.tell, above=self._journal.above)
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
        end = journal.ended or await _to_its_end(Runner(self._parts, journal, definition, parameters), stopped)
        ends: dict[str, End] = {"success": "success", "cancelled": "cancelled", "interrupted": "interrupted"}
        return ends.get(end.outcome, "failed"), end.summary or f"run {run}", {}


async def _to_its_end(runner: Runner, stopped: Callable[[], bool]) -> RunEnded:
    """Run it. Where it is stopped, its journal is closed; where whoever runs it ends, somebody else goes on with it."""
    task = asyncio.ensure_future(runner.run())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if stopped():
            await runner.cancel()
            await task
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        raise
