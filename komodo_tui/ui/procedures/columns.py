"""The columns of procedures, of runs, and of what a run does. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.procedures.figures import well_text
from komodo_tui.domain.units import duration_text, long_duration_text, time_text
from komodo_tui.ui.render.columns import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.procedures.journal import RunSummary
    from komodo_tui.domain.procedures.progress import RunLine, RunProgress
    from komodo_tui.ui.procedures.book import Recipe
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.render.glyphs import Glyphs

_SIGNS = 60
"""Targets of a step that are shown beside it, one sign each."""
_TONES = {
    "success": "ok", "failed": "bad", "interrupted": "bad", "cancelled": "warn", "running": "busy", "asking": "warn",
}  # fmt: skip


def result_sign(result: str, glyphs: Glyphs) -> tuple[str, str]:
    """Glyph and tone of an end, or of none yet."""
    signs = {
        "success": glyphs.done, "failed": glyphs.fail, "interrupted": glyphs.fail, "cancelled": glyphs.stopped,
        "running": glyphs.busy, "asking": glyphs.unknown, "skipped": glyphs.dot,
    }  # fmt: skip
    return signs.get(result, glyphs.dot), _TONES.get(result, "dim")


def _result(result: str, glyphs: Glyphs) -> Cell:
    sign, tone = result_sign(result, glyphs)
    return ((f"{sign} {result}", tone),) if result else (("never ran", "dim"),)


def recipe_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[Recipe], ...]:
    """A procedure in a row."""

    def last(recipe: Recipe) -> str:
        return recipe.result(recipe.last) if recipe.last else ""

    return (
        Column("name", "PROCEDURE", 16, lambda r: r.definition.name, key=lambda r: r.definition.name, grow=2, most=40),
        Column("result", "LAST RUN", 13, lambda r: _result(last(r), glyphs), key=last),
        Column("ago", "AGO", 5, lambda r: duration_text(now() - r.last.started) if r.last else "-",
               key=lambda r: -r.last.started if r.last else None, right=True),
        Column("took", "TOOK", 8, lambda r: _took(r.last) if r.last else "-", priority=2, right=True),
        Column("rate", "WELL", 6, lambda r: well_text(r.runs), priority=3, right=True),
        Column("next", "NEXT", 6, lambda r: duration_text(r.following - now()) if r.following else "", priority=3,
               key=lambda r: r.following, right=True),
        Column("stages", "STAGES", 6, lambda r: str(len(r.definition.stages)), priority=5, right=True),
        Column("schedule", "SCHEDULE", 12, lambda r: r.definition.schedule, priority=4, grow=1, most=24),
        Column("description", "DESCRIPTION", 16, lambda r: ((r.definition.description, "dim"),), priority=1, grow=3),
    )  # fmt: skip


def _took(run: RunSummary) -> str:
    return long_duration_text(run.ended - run.started) if run.ended else ""


def run_columns(glyphs: Glyphs, result: Callable[[RunSummary], str]) -> tuple[Column[RunSummary], ...]:
    """A run in a row."""
    return (
        Column("started", "STARTED", 19, lambda r: time_text(r.started), key=lambda r: r.started, descending=True),
        Column("result", "RESULT", 13, lambda r: _result(result(r), glyphs), key=result),
        Column("took", "TOOK", 8, _took, key=lambda r: (r.ended or r.started) - r.started, right=True, priority=1,
               descending=True),
        Column("who", "WHO", 10, lambda r: r.who, key=lambda r: r.who, priority=3, grow=1, most=30),
        Column("parameters", "PARAMETERS", 12,
               lambda r: " ".join(f"{k}={v}" for k, v in r.parameters.items()), priority=4, grow=1),
        Column("why", "WHY", 12, lambda r: ((r.summary, "dim"),), priority=2, grow=3),
        Column("run", "RUN", 22, lambda r: ((r.run, "dim"),), key=lambda r: r.run, priority=5),
    )  # fmt: skip


def line_columns(
    glyphs: Glyphs, now: Callable[[], float], progress: Callable[[], RunProgress]
) -> tuple[Column[RunLine], ...]:
    """A stage, a step or a target of a run in a row."""

    def what(line: RunLine) -> Cell:
        sign, tone = result_sign(line.end, glyphs)
        title = "title bold" if line.depth == 0 else ""
        return ("  " * line.depth, ""), (f"{sign} ", tone), (line.title, title)

    def where(line: RunLine) -> Cell:
        """The targets of a step, one sign each."""
        if line.depth != 1 or not line.numbers:
            return ()
        return tuple(result_sign(target.end, glyphs) for target in progress().targets(line)[:_SIGNS])

    def end(line: RunLine) -> Cell:
        """What the run ended before does not wait any more."""
        never = line.end == "waiting" and progress().ended is not None
        return (("not begun" if never else line.end, result_sign(line.end, glyphs)[1]),)

    return (
        Column("what", "STAGE / STEP / TARGET", 30, what, grow=3, most=70),
        Column("end", "RESULT", 11, end),
        Column("took", "TOOK", 8, lambda line: line.took(now()), right=True),
        Column("targets", "TARGETS", 8, where, priority=2, grow=2, most=_SIGNS, live=True),
        Column("summary", "", 16, lambda line: ((line.summary, "dim"),), priority=1, grow=4),
    )  # fmt: skip
