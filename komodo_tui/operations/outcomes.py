"""What became of a step, and what the steps of an act come to together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from komodo_agent.wire.jobs import INTERRUPTED
from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.operations import StepResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.jobs import Job
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.operations import ActionRecord, Outcome, StepEnd, Target

_LINE = 300
_SKIPPED = "skipped"
_TOUCHING = frozenset({"up", "health", "post-deploy"})
LEFT = "left"
"""In a job's result: what it takes and was not sent, so that nothing was done."""
_LEFT = "what it had changed was left as it is: deploy again, or roll back"
_WORST: tuple[Literal["rollback_failed", "cancelled", "interrupted", "rolled_back"], ...] = (
    "rollback_failed", "cancelled", "interrupted", "rolled_back",
)  # fmt: skip


def done(target: Target, **result: str) -> StepResult:
    """It worked."""
    return StepResult(target=target, ok=True, result=result)


def failed(target: Target, error: KomodoError) -> StepResult:
    """It did not."""
    return StepResult(
        target=target, ok=False, end="failed", error=error.message, hint=error.hint, exit_code=int(error.exit_code)
    )


def cancelled(target: Target) -> StepResult:
    """It was stopped on demand before it began."""
    return StepResult(
        target=target, ok=False, end="cancelled", error="cancelled before it began", exit_code=ExitCode.INTERRUPTED
    )


def skipped(target: Target, why: str) -> StepResult:
    """It was not begun because of what went before; the act's outcome is that of what went before."""
    return StepResult(
        target=target, ok=False, end="cancelled", error=why, exit_code=ExitCode.FAILED, result={_SKIPPED: "yes"}
    )


def interrupted(target: Target, why: str, hint: str = "") -> StepResult:
    """A program in between ended; ``why`` says what is known."""
    return StepResult(target=target, ok=False, end="interrupted", error=why, hint=hint, exit_code=ExitCode.FAILED)


def of_job(target: Target, job: Job) -> StepResult:
    """A job that has ended."""
    if job.status == "succeeded":
        return StepResult(target=target, ok=True, commands=job.commands, result=job.result)
    end: StepEnd = "cancelled" if job.status == "cancelled" else "failed"
    if job.error.startswith(INTERRUPTED):
        end = "interrupted"
    elif end == "failed" and job.result.get("outcome") in ("rolled_back", "rollback_failed"):
        end = "rolled_back" if job.result["outcome"] == "rolled_back" else "rollback_failed"
    return StepResult(
        target=target,
        ok=False,
        end=end,
        error=_cancelled_words(job) if end == "cancelled" else job.error or "it failed without saying why",
        hint=_LEFT if end == "cancelled" and job.result.get("step") in _TOUCHING else "",
        commands=job.commands,
        result=job.result,
        exit_code=_code(end, job),
    )


def _cancelled_words(job: Job) -> str:
    step = job.result.get("step", "")
    return f"cancelled at: {step}" if step else "cancelled"


def _code(end: StepEnd, job: Job) -> ExitCode:
    if end == "cancelled":
        return ExitCode.INTERRUPTED
    return ExitCode.REFUSED if job.result.get("refused") else ExitCode.FAILED


def conclude(results: Sequence[StepResult]) -> tuple[Outcome, str]:
    """The act's outcome, and one line that says why or what came of it."""
    bad = [result for result in results if not result.ok]
    if not bad:
        return "success", _gain(results)
    ends = {result.end for result in bad if _SKIPPED not in result.result}
    outcome: Outcome = next((end for end in _WORST if end in ends), "failed")
    if outcome == "rolled_back" and "failed" in ends:
        outcome = "failed"
    if len(results) == 1:
        return outcome, _one_line(bad[0].error)
    stopped = sum(result.end == "cancelled" for result in bad if _SKIPPED not in result.result)
    passed_over = sum(_SKIPPED in result.result for result in bad)
    failures = [result for result in bad if result.end != "cancelled"]
    parts = [f"{len(results) - len(bad)} of {len(results)} done"]
    parts += [f"{stopped} cancelled"] if stopped else []
    parts += [f"{passed_over} not begun"] if passed_over else []
    parts += [f"{failures[0].target}: {failures[0].error}"] if failures else []
    parts += [f"{len(failures) - 1} more failed"] if len(failures) > 1 else []
    return outcome, _one_line("; ".join(parts))


def exit_code(record: ActionRecord) -> ExitCode:
    """What the process tells its caller of this act."""
    if record.outcome == "success":
        return ExitCode.DONE
    if record.outcome == "cancelled":
        return ExitCode.INTERRUPTED
    if any(step.ok for step in record.steps):
        return ExitCode.PARTLY_FAILED
    codes = {step.exit_code for step in record.steps}
    return ExitCode(codes.pop()) if len(codes) == 1 and codes <= set(ExitCode) else ExitCode.FAILED


def states(steps: Sequence[StepResult]) -> str:
    """How the targets were found to be afterwards: ``web: running, db: exited``."""
    return ", ".join(f"{step.target.name}: {step.result['state']}" for step in steps if step.result.get("state"))


def _gain(results: Sequence[StepResult]) -> str:
    if len(results) > 1:
        return f"{len(results)} done"
    made = results[0].result.get("container", "") if results and not results[0].target.id else ""
    return f"container {made[:12]}" if made else ""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"
