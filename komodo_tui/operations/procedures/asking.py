"""Runs that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import NotFoundError, RefusedError
from komodo_tui.domain.procedures.journal import RunEnded, StepEnded, StepStarted

if TYPE_CHECKING:
    from komodo_tui.store.runs import RunStore


class Asking(NamedTuple):
    """A step that asks."""

    run: str
    stage: int
    step: int
    question: str
    until: float
    """Unix time at which no answer counts as a no."""


def asks_now(store: RunStore, run: str) -> Asking:
    """What a run, or a run within it, asks now; the start of its id will do. Blocks.

    Raises:
        NotFoundError: there is no such run, or it asks nothing.
        RefusedError: it has ended.
    """
    summary = store.get(run)
    if summary.ended is not None:
        raise RefusedError(f"run {summary.run} has ended: {summary.outcome}")
    for one in (summary.run, *store.within(summary.run)):
        found = _asked(store, one)
        if found is not None:
            return found
    raise NotFoundError(f"run {summary.run} asks nothing now", hint=f"komodo-tui procedure log {summary.run}")


def _asked(store: RunStore, run: str) -> Asking | None:
    open_steps: dict[tuple[int, int], StepStarted] = {}
    for _, _, entry in store.entries(run):
        if isinstance(entry, StepStarted) and entry.asks:
            open_steps[entry.stage, entry.step] = entry
        elif isinstance(entry, StepEnded):
            open_steps.pop((entry.stage, entry.step), None)
        elif isinstance(entry, RunEnded):
            return None
    for (stage, step), entry in open_steps.items():
        if store.answered(run, stage, step) is None:
            return Asking(run, stage, step, entry.asks, entry.until)
    return None
