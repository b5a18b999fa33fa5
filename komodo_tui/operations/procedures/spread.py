"""Steps on many targets: picked, gone through in batches, and taken up again where an earlier process stopped."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import ActError, KomodoError, NotFoundError
from komodo_tui.domain.operations import StepResult, Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.journal import StepStarted
from komodo_tui.operations.outcomes import LEFT, interrupted
from komodo_tui.operations.procedures.acts import Attempts, ended, same, together
from komodo_tui.operations.procedures.registry import spread_kind
from komodo_tui.operations.procedures.targets import keep_where, why_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.procedures.journal import End, TargetStarted
    from komodo_tui.operations.procedures.journal import Place, RunJournal
    from komodo_tui.operations.procedures.parts import Environment, RunParts, Work
    from komodo_tui.operations.procedures.targets import Picked

Done = tuple["End", str, dict[str, str]]
"""How it ended, a summary, and what it saved."""

_CLOSING = 30.0
"""Seconds the act of a dead process may take to be closed by its agent's answer."""
_LOOK = 0.2


class SpreadRunner:
    """Does one step, its placeholders filled. Used once."""

    def __init__(
        self, parts: RunParts, journal: RunJournal, place: Place, step: steps.Spread, environment: Environment
    ) -> None:
        self._parts = parts
        self._journal = journal
        self._place = place
        self._step = step
        self._environment = environment
        self._kind = spread_kind(step)
        self._attempts: Attempts | None = None
        self._stop = asyncio.Event()
        self._used: dict[Target, int] = {}
        """Attempts that an earlier process made."""

    async def run(self) -> Done:
        """Do it. Raises KomodoError where it fails as a whole."""
        step = self._step
        begun = self._journal.begun.get(self._place)
        resumed = begun is not None and bool(begun.targets)
        picked = await self._kind.pick(step, self._parts)
        if resumed and begun is not None:
            picked.targets, picked.problem = list(begun.targets), ""  # what it was begun for, not what is there now
        else:
            keep_where(step.where, picked, self._parts.state)
        if picked.problem and not picked.away:
            return self._nothing(picked)
        if not resumed:
            await self._journal.write(
                StepStarted(stage=self._place[0], step=self._place[1], targets=tuple(picked.targets))
            )
        results = await self._known(picked.targets) if resumed else {}
        results |= await self._away(picked)
        results |= await self._batches([target for target in picked.targets if target not in results], results)
        return self._concluded(picked, results)

    async def cancel(self) -> None:
        """Stop it; :meth:`run` still returns."""
        self._stop.set()
        if self._attempts is not None:
            await self._attempts.cancel()

    async def _works(self, targets: Sequence[Target]) -> list[Work]:
        return await self._kind.works(self._step, self._parts, targets, self._environment)

    def _nothing(self, picked: Picked) -> Done:
        policy = getattr(self._step, "none", "fail")
        if policy == "fail":
            away = f"; {picked.left_out[0].name} could not be asked" if picked.left_out else ""
            raise ActError(picked.problem + away, hint="none: warn or none: pass makes that no failure")
        return ("success" if policy == "pass" else "skipped"), picked.problem, {}

    # -- after an earlier process ---------------------------------------------------------------------------------

    async def _known(self, targets: Sequence[Target]) -> dict[Target, StepResult]:
        """What an earlier process left: ends it wrote, and ends that the history tells of attempts it did not close."""
        results: dict[Target, StepResult] = {}
        for target in targets:
            key = (self._place, target)
            before, attempt = self._journal.targets.get(key), self._journal.open.get(key)
            if attempt is not None:
                self._used[target] = attempt.attempt
                result = await self._learned(attempt)
                if result is not None:
                    await self._journal.write(ended(self._place, target, attempt.attempt, result))
            elif before is not None:
                self._used[target] = before.attempt
                result = StepResult(
                    target=target, ok=before.end == "success", end="done" if before.end == "success" else "failed",
                    error=before.error, hint=before.hint, result={"output": before.output},
                )  # fmt: skip
            else:
                result = None
            if result is not None and (result.ok or result.end == "interrupted" or self._spent(target)):
                results[target] = result
        return results

    def _spent(self, target: Target) -> bool:
        """Whether all its attempts were made."""
        return self._used[target] > self._step.retries

    async def _learned(self, attempt: TargetStarted) -> StepResult | None:
        """How an attempt ended whose process is gone; None where it never began, or may well be done again."""
        if not attempt.action:
            return None
        found: list[StepResult] = []
        for number, action in enumerate((attempt.action, *attempt.more)):
            try:
                record = await self._closed(action)
            except NotFoundError:
                if number:
                    found.append(interrupted(attempt.target, "some of it was not begun", hint="look at the server"))
                break
            mine = [result for result in record.steps if same(attempt.target, result.target)]
            if len(attempt.more) == 0 and any(result.result.get(LEFT) for result in mine):
                break  # nothing was done, and what was to follow may not have begun
            unknown = interrupted(attempt.target, "how it ended is not known", hint="look at the server")
            found += mine or [unknown]
            found += await self._rest(attempt.target, record)
        if not found:
            self._used[attempt.target] -= 1  # nothing of it began
            return None
        result = together(attempt.target, found)
        return None if result.end == "interrupted" and steps.idempotent(self._step) else result

    async def _rest(self, target: Target, record: ActionRecord) -> list[StepResult]:
        """Do what was to come after an act; what failed of it."""
        if record.outcome != "success" or self._kind.rest is None:
            return []
        try:
            await self._kind.rest(self._step, record, self._parts, self._journal.run)
        except KomodoError as error:
            return [StepResult(target=target, ok=False, end="failed", error=error.message, hint=error.hint)]
        return []

    async def _closed(self, action: str) -> ActionRecord:
        """An act's record, once it has an outcome: some other process, or our own start, may be about to write it."""
        deadline = time.monotonic() + _CLOSING
        while True:
            record = await asyncio.to_thread(self._parts.runtime.history.get, action)
            late = time.monotonic() >= deadline or self._stop.is_set()
            if record.outcome is not None or (late and not await self._under_way(record)):
                return record
            await self._parts.executor.recover(_CLOSING)
            await asyncio.sleep(_LOOK)

    async def _under_way(self, record: ActionRecord) -> bool:
        """Whether a living process sees it through: a program on a screen that gave the watching to another, say."""
        return not self._stop.is_set() and await asyncio.to_thread(self._parts.executor.under_way, record)

    # -- going through them ---------------------------------------------------------------------------------------

    async def _away(self, picked: Picked) -> dict[Target, StepResult]:
        results: dict[Target, StepResult] = {}
        for live in picked.away:
            message, hint = why_away(live)
            target = Target(server=live.name)
            results[target] = StepResult(target=target, ok=False, end="failed", error=message, hint=hint)
        await self._journal.write(*(ended(self._place, target, 1, result) for target, result in results.items()))
        return results

    async def _batches(self, targets: Sequence[Target], before: dict[Target, StepResult]) -> dict[Target, StepResult]:
        step, results = self._step, dict[Target, StepResult]()
        size = step.batch or max(1, len(targets))
        for start in range(0, len(targets), size):
            bad = sum(not result.ok for result in (*before.values(), *results.values()))
            if step.batch and bad >= max(1, step.stop_after):
                break
            if start and step.pause:
                await self._pause(parse_duration(step.pause))
            if self._stop.is_set():
                break
            self._attempts = Attempts(
                self._parts, self._journal, self._place, step, self._works, in_turn=self._kind.in_turn
            )
            results |= await self._attempts.run(targets[start : start + size], self._used)
        return results

    async def _pause(self, seconds: float) -> None:
        """A pause that a cancel ends."""
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _concluded(self, picked: Picked, results: dict[Target, StepResult]) -> Done:
        bad = [result for result in results.values() if not result.ok]
        undone = [target for target in picked.targets if target not in results]
        saved = {self._step.save: _output(results)} if self._step.save else {}
        left = f"; {', '.join(live.name for live in picked.left_out)} left out" if picked.left_out else ""
        notes = [self._after(target) for target, result in results.items() if result.ok]
        left += "".join(f"; {note}" for note in notes if note)
        if not bad and not undone:
            return "success", f"{len(results)} done{left}", saved
        parts = [f"{len(results) - len(bad)} of {len(picked.targets) + len(picked.away)} done"]
        parts += [f"{len(undone)} not begun"] if undone else []
        parts += [f"{bad[0].target}: {bad[0].error}"] if bad else []
        ends = {result.end for result in bad}
        end: End = "cancelled" if self._stop.is_set() or "cancelled" in ends else "failed"
        return ("interrupted" if ends == {"interrupted"} else end), "; ".join(parts) + left, saved

    def _after(self, target: Target) -> str:
        after = self._kind.after
        if after is None:
            return ""
        try:
            return after(self._step, target)
        except OSError as error:
            return f"old ones of {target} are still there: {error.strerror}"


def _output(results: dict[Target, StepResult]) -> str:
    """What one target wrote; of several, each under its name."""
    texts = {target: result.result.get("output", "").strip() for target, result in results.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"{target}: {text}" for target, text in texts.items())
