"""Writing the one outcome of an act."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.operations.outcomes import conclude, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord, StepResult
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
