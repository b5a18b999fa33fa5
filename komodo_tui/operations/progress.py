"""What an act tells those who watch it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from komodo_tui.domain.operations import Target

StepStatus = Literal["waiting", "running", "reconnecting", "done", "failed", "cancelled"]


class StepProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One step moved. Text is cleaned: it may be shown as it is, but never as markup."""

    act: str
    """UUID of the act, as :meth:`Executor.cancel` takes it."""
    index: int
    """Which step of the plan, from 0."""
    target: Target
    status: StepStatus
    text: str = ""
    """What it does now, or why it failed."""
    done: float | None = None
    """0-1, or None when unknown."""
    output: str = ""
    """New lines of the job's log since the last report, each ended by a line feed."""
    seconds: float = 0.0
    """Since the step began."""


Progress = Callable[[StepProgress], None]
"""Called on the event loop; must not block or raise."""
