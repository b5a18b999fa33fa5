"""Runs a procedure: stages one after another, the steps of a stage side by side, every turn in the journal."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError
from komodo_tui.domain.interpolation import references
from komodo_tui.domain.procedures import expressions, steps
from komodo_tui.domain.procedures.check import stage_title, step_title
from komodo_tui.domain.procedures.facts import run_facts
from komodo_tui.domain.procedures.journal import RunEnded, StageEnded, StageStarted, StepEnded
from komodo_tui.domain.procedures.words import argv
from komodo_tui.operations.procedures.kinds import StepRunner
from komodo_tui.operations.procedures.parts import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.procedures.journal import End, RunOutcome
    from komodo_tui.domain.procedures.model import ProcedureDefinition, Stage
    from komodo_tui.domain.procedures.steps import StepEntry
    from komodo_tui.operations.procedures.journal import Place, RunJournal
    from komodo_tui.operations.procedures.parts import RunParts

_LINE = 300


class Runner:
    """One run of one procedure, from its beginning or from where an earlier process stopped."""

    def __init__(
        self,
        parts: RunParts,
        journal: RunJournal,
        definition: ProcedureDefinition,
        parameters: dict[str, str],
        timeout: str = "",
    ) -> None:
        """``timeout`` of the whole run, instead of the definition's."""
        self._parts = parts
        self._timeout = timeout or definition.timeout
        self._journal = journal
        self._definition = definition
        self._parameters = parameters
        self._values: dict[str, str] = {}
        """What steps saved."""
        self._failed = False
        self._cancelled = False
        self._running: set[StepRunner] = set()

    async def run(self) -> RunEnded:
        """To its end. Raises StoreError when the journal cannot be written: then nothing more is begun."""
        limit = parse_duration(self._timeout)
        stages = asyncio.ensure_future(self._stages())
        try:
            done, _ = await asyncio.wait({stages}, timeout=limit or None)
            if not done:
                await self.cancel()
            problem = await stages
        except asyncio.CancelledError:
            stages.cancel()
            await asyncio.gather(stages, return_exceptions=True)  # then nothing of it writes the journal any more
            raise
        if limit and not done:
            problem = f"it did not end within {self._timeout} and was stopped"
        outcome: RunOutcome = "failed" if limit and not done else "cancelled" if self._cancelled else "success"
        if self._failed and outcome == "success":
            outcome = "failed"
        end = RunEnded(outcome=outcome, summary=problem[:_LINE])
        await self._journal.write(end)
        return end

    async def cancel(self) -> None:
        """Stop what is under way and begin nothing more; :meth:`run` still returns."""
        self._cancelled = True
        await asyncio.gather(*(step.cancel() for step in self._running))

    async def _stages(self) -> str:
        """Run all; returns what went wrong first, or empty."""
        problem = ""
        for number, stage in enumerate(self._definition.stages):
            end = self._journal.stages.get(number)
            if end is None:
                end = await self._stage(number, stage)
            self._take_saved(number, len(stage.steps))
            if end.end in ("failed", "cancelled", "interrupted"):
                problem = problem or f"{stage_title(stage, number + 1)}: {end.summary}"
                self._failed = self._failed or not stage.continue_on_error
        return problem

    def _take_saved(self, number: int, count: int) -> None:
        for step in range(count):
            ended = self._journal.steps.get((number, step))
            if ended is not None:
                self._values |= ended.saved

    async def _stage(self, number: int, stage: Stage) -> StageEnded:
        end = self._skip(stage)
        if end is None:
            await self._journal.write(StageStarted(stage=number))
            end = await self._steps(number, stage)
        ended = msgspec.structs.replace(end, stage=number)
        await self._journal.write(ended)
        return ended

    def _skip(self, stage: Stage) -> StageEnded | None:
        """Why a stage does not run now, if so."""
        wanted = stage.on == "always" or (stage.on == "failure") == self._failed
        if self._cancelled:
            return StageEnded(stage=0, end="cancelled", summary="the run was cancelled before it began")
        if not stage.enabled or not wanted:
            why = "disabled" if not stage.enabled else f"runs on {stage.on} only"
            return StageEnded(stage=0, end="skipped", summary=why)
        try:
            if not expressions.holds(stage.when, self._scope()):
                return StageEnded(stage=0, end="skipped", summary=f"not: {stage.when}")
        except KomodoError as error:
            return StageEnded(stage=0, end="failed", summary=str(error))
        return None

    def _named(self) -> dict[str, str]:
        """Parameters and saved outputs, as commands find them in their environment."""
        return {
            **{f"KOMODO_PARAM_{name.upper()}": value for name, value in self._parameters.items()},
            **{f"KOMODO_OUTPUT_{name.upper()}": value for name, value in self._values.items()},
            "KOMODO_RUN": self._journal.run,
            "KOMODO_PROCEDURE": self._definition.name,
        }

    def _known(self) -> dict[str, str]:
        """What placeholders stand for: facts, parameters before them, outputs before those."""
        return {**facts_of(self._parts, self._definition, self._journal.run), **self._parameters, **self._values}

    def _scope(self) -> dict[str, object]:
        return {**self._known(), "failed": self._failed}

    async def _steps(self, number: int, stage: Stage) -> StageEnded:
        turns = asyncio.Semaphore(stage.parallel or len(stage.steps))

        async def one(index: int, entry: StepEntry) -> StepEnded:
            place = (number, index)
            known = self._journal.steps.get(place)
            if known is not None:
                return known
            async with turns:
                return await self._step(place, entry)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(index, entry)) for index, entry in enumerate(stage.steps)]
        ends = [task.result() for task in tasks]
        bad = [
            (entry, end) for entry, end in zip(stage.steps, ends, strict=True)
            if end.end in ("failed", "cancelled", "interrupted") and not entry.step.continue_on_error
        ]  # fmt: skip
        if not bad:
            return StageEnded(stage=0, end="success")
        entry, first = bad[0]
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        return StageEnded(stage=0, end=first.end, summary=f"{step_title(entry)}: {first.summary}{more}"[:_LINE])

    async def _step(self, place: Place, entry: StepEntry) -> StepEnded:
        began = time.monotonic()
        end: End = "failed"
        saved: dict[str, str] = {}
        try:
            end, summary, saved = await self._do(place, entry)
        except KomodoError as error:
            summary = str(error)
        ended = StepEnded(
            stage=place[0], step=place[1], end=end, summary=" ".join(summary.split())[:_LINE], saved=saved,
            seconds=round(time.monotonic() - began, 3),
        )  # fmt: skip
        await self._journal.write(ended)
        return ended

    async def _do(self, place: Place, entry: StepEntry) -> tuple[End, str, dict[str, str]]:
        step = entry.step
        if self._cancelled:
            return "cancelled", "the run was cancelled before it began", {}
        if not step.enabled:
            return "skipped", "disabled", {}
        if not expressions.holds(step.when, self._scope()):
            return "skipped", f"not: {step.when}", {}
        environment = Environment(self._named(), secret_references(step))
        runner = StepRunner(self._parts, self._journal, place, filled(step, self._known()), environment)
        self._running.add(runner)
        try:
            return await runner.run()
        finally:
            self._running.discard(runner)


def facts_of(parts: RunParts, definition: ProcedureDefinition, run: str) -> dict[str, str]:
    """The facts of a run as they are now."""
    servers = parts.state.servers.values()
    found = run_facts(str(parts.actor), len(servers), sum(live.live for live in servers), time.time())
    return {**found, "run": run, "procedure": definition.name}


def secret_references(step: steps.Step) -> dict[str, str]:
    """The variables of a step that refer to ``[[NAME]]``, as its definition has them."""
    if not isinstance(step, steps.Exec | steps.Run | steps.Script):
        return {}
    return {name: text for name, text in step.environment.items() if references(text)}


def filled(step: steps.Step, values: Mapping[str, str]) -> steps.Step:
    """The step with its placeholders filled.

    A command is split into words before, so that a value is never more than its word; a script is not touched: it
    finds the values in its environment. Variables that refer to ``[[NAME]]`` are left out, see
    :func:`secret_references`.

    Raises:
        ActError: with a value the step makes no sense.
        UsageError: a name has no value.
    """
    plain: dict[str, Any] = msgspec.to_builtins(step)
    script = plain.pop("script", None)
    if isinstance(step, steps.Exec | steps.Run):
        plain["command"] = list(argv(step.command))
    for name in secret_references(step):
        plain["environment"].pop(name)
    full = expressions.fill_all(plain, values)
    if script is not None:
        full["script"] = script
    try:
        return msgspec.convert(full, type(step))
    except msgspec.ValidationError as error:
        raise ActError(f"with its values filled in, the step does not fit: {error}") from error
