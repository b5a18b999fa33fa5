"""Writing an act's record: as it begins, and its one outcome."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from komodo_tui.domain.operations import ActionRecord
from komodo_tui.operations.intents import written
from komodo_tui.operations.outcomes import conclude, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import Actor, Plan, StepResult
    from komodo_tui.operations.intents import Intent
    from komodo_tui.store.history import History


async def finish(history: History, act: str, results: Sequence[StepResult], note: str = "") -> ActionRecord:
    """Enter what the steps came to; returns the whole record.

    Raises:
        StoreError: it cannot be written, or has been already.
    """
    outcome, summary = conclude(results)
    text = "; ".join(filter(None, [summary, note]))

    def write() -> ActionRecord:
        history.finish(act, outcome, results, summary=text, after=states(results))
        return history.get(act)

    return await asyncio.to_thread(write)


def new_record(plan: Plan, actor: Actor, intent: Intent, act_id: str) -> ActionRecord:
    """The record of an act that is about to begin; ``act_id`` empty = a new one."""
    return ActionRecord(
        id=act_id or str(uuid.uuid4()),
        seq=0,
        started=time.time(),
        actor=actor,
        act=plan.verb,
        targets=tuple(step.target for step in plan.steps),
        title=plan.title,
        operation=written(plan.operation, intent),
        before=", ".join(f"{step.target.name}: {step.state}" for step in plan.steps if step.state),
    )
