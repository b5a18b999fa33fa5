"""An act under way: its steps, a few at a time on each server, and the wish to stop."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from komodo_tui.operations.job_steps import OutcomeUnknownError
from komodo_tui.operations.outcomes import interrupted, skipped
from komodo_tui.operations.progress import StepProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord, StepResult, Target
    from komodo_tui.operations.job_steps import Report
    from komodo_tui.operations.progress import Progress, StepStatus


class Step(Protocol):
    """One step, used once."""

    @property
    def target(self) -> Target:
        """What it touches."""
        ...

    async def run(self) -> StepResult:
        """Do it; raises OutcomeUnknownError when it began and its end cannot be learned now."""
        ...

    async def cancel(self) -> None:
        """Ask it to stop, or not to begin; :meth:`run` still returns."""
        ...


class Act:
    """One act of this process."""

    def __init__(self, record: ActionRecord, progress: Progress | None, at_once: int, limit: int = 0) -> None:
        """``at_once``: how many steps may run on one server at the same time; ``limit``: on all together, 0 = any."""
        self.record = record
        self._progress = progress
        self._at_once = at_once
        self._limit = limit
        self._steps: Sequence[Step] = ()
        self._cancelled = False

    def report(self, index: int, target: Target) -> Report:
        """The voice of one step."""
        began: float | None = None

        def tell(status: StepStatus, text: str = "", *, done: float | None = None, output: str = "") -> None:
            nonlocal began
            began = time.monotonic() if began is None else began
            if self._progress is not None:
                self._progress(
                    StepProgress(
                        act=self.record.id,
                        index=index,
                        target=target,
                        status=status,
                        text=text,
                        done=done,
                        output=output,
                        seconds=time.monotonic() - began,
                    )
                )

        return tell

    async def run(self, steps: Sequence[Step], *, rolling: bool = False) -> list[StepResult]:
        """Run the steps to their ends.

        ``rolling``: one after the other, and none after one that did not end well.

        Raises:
            OutcomeUnknownError: the end of at least one cannot be learned now; all others have ended, see its
                ``results``.
        """
        self._steps = steps
        if self._cancelled:
            await self.cancel()
        if rolling:
            return await self._one_by_one(steps)
        turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self._at_once))

        everywhere = asyncio.Semaphore(self._limit or max(1, len(steps)))

        async def one(step: Step) -> StepResult | OutcomeUnknownError:
            async with turns[step.target.server], everywhere:
                try:
                    return await step.run()
                except OutcomeUnknownError as error:
                    return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(step)) for step in steps]
        ends = [task.result() for task in tasks]
        unknown = next((end for end in ends if isinstance(end, OutcomeUnknownError)), None)
        results = [
            interrupted(step.target, end.message, end.hint) if isinstance(end, OutcomeUnknownError) else end
            for step, end in zip(steps, ends, strict=True)
        ]
        if unknown is not None:
            unknown.results = tuple(results)
            raise unknown
        return results

    async def _one_by_one(self, steps: Sequence[Step]) -> list[StepResult]:
        results: list[StepResult] = []
        for step in steps:
            bad = next((result for result in results if not result.ok), None)
            if bad is None:
                results.append(await step.run())
            else:
                results.append(skipped(step.target, f"not begun, since {bad.target} did not end well"))
        return results

    async def cancel(self) -> None:
        """Let steps that wait not begin, and ask those under way to stop."""
        self._cancelled = True
        await asyncio.gather(*(step.cancel() for step in self._steps))
