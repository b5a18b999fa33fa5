"""What each step of a procedure would touch if it ran now, with the exact commands. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.procedures import expressions, steps
from komodo_tui.domain.procedures.check import arguments, stage_title, step_title
from komodo_tui.domain.procedures.words import words
from komodo_tui.operations.procedures.parts import NO_ENVIRONMENT
from komodo_tui.operations.procedures.registry import spread_kind
from komodo_tui.operations.procedures.runner import facts_of, filled
from komodo_tui.operations.procedures.targets import keep_where, why_away

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.operations.procedures.parts import RunParts, Work

_NESTED = 8
"""Levels of procedures in procedures that are written out."""


async def preview(
    definition: ProcedureDefinition, parameters: Mapping[str, str], parts: RunParts, *, depth: int = 0
) -> list[str]:
    """One line for each thing, indented below its step.

    What earlier steps would save is not known: it is written as ``(name)``, and conditions on it are only told.
    """
    values = {**facts_of(parts, definition, "(dry run)"), **parameters}
    unknown: set[str] = set()
    lines: list[str] = []
    for number, stage in enumerate(definition.stages, 1):
        on = f" on {stage.on}" if stage.on != "success" else ""
        skipped = "" if stage.enabled else ", disabled"
        lines.append(f"{stage_title(stage, number)}{on}{skipped}{_when(stage.when, values, unknown)}")
        for entry in stage.steps:
            title = step_title(entry)
            if not (entry.step.enabled and stage.enabled):
                lines.append(f"  {title}: disabled")
                continue
            when = _when(entry.step.when, values, unknown)
            lines += [f"  {title}: {line}{when}" for line in await _step(entry.step, values, parts, depth)]
        for entry in stage.steps:
            saved = [*([entry.step.save] if entry.step.save else []),
                     *(entry.step.values if isinstance(entry.step, steps.Set) else ())]  # fmt: skip
            values |= {name: f"({name})" for name in saved}
            unknown |= set(saved)
    return lines


def _when(condition: str, values: Mapping[str, str], unknown: set[str]) -> str:
    if not condition:
        return ""
    try:
        if expressions.condition_names(condition) & {*unknown, "failed"}:
            return f"  (when {condition})"
        holds = expressions.holds(condition, {**values, "failed": False})
    except KomodoError as error:
        return f"  (when {condition}: {error})"
    return f"  (when {condition}: {'so it is' if holds else 'not now, so left out'})"


async def _step(step: steps.Step, values: Mapping[str, str], parts: RunParts, depth: int) -> list[str]:
    try:
        full = filled(step, values)
        if isinstance(full, steps.Spread) and not (isinstance(full, steps.Wait) and not full.file):
            return await _spread(full, parts)
        return await _alone(full, parts, depth)
    except KomodoError as error:
        return [str(error)]


async def _spread(step: steps.Spread, parts: RunParts) -> list[str]:
    kind = spread_kind(step)
    picked = await kind.pick(step, parts)
    keep_where(step.where, picked, parts.state)
    away = [f"{live.name} is away: {why_away(live)[0]}" for live in picked.away]
    away += [f"{live.name} is away and left out" for live in picked.left_out]
    if not picked.targets:
        policy = getattr(step, "none", "fail")
        return away or [f"{picked.problem} ({'a failure' if policy == 'fail' else 'no failure'})"]
    try:
        works = await kind.works(step, parts, picked.targets, NO_ENVIRONMENT)
        lines = [line for work in works for line in _planned(work, parts)]
    except KomodoError as error:
        return [*(f"{target}: cannot be planned now: {error}" for target in picked.targets), *away]
    busy = {target for work in works for target in work.targets}
    idle = [f"{target}: nothing to do" for target in picked.targets if target not in busy]
    return [*lines, *idle, *_rolling(step, len(picked.targets)), *away]


def _planned(work: Work, parts: RunParts) -> list[str]:
    plan = parts.executor.plan(work.operation)
    lines = []
    for step in plan.steps:
        what = step.command or step.text
        details = [f"{step.target}:   {detail}" for detail in step.details]
        lines += [f"{step.target}: {what}" + (f"  ! {step.warning}" if step.warning else ""), *details]
    return lines


def _rolling(step: steps.Spread, count: int) -> list[str]:
    if not step.batch or count <= step.batch:
        return []
    pause = f", {step.pause} between them" if step.pause else ""
    return [f"{step.batch} at a time{pause}, no further after {step.stop_after} failed"]


async def _alone(step: steps.Step, parts: RunParts, depth: int) -> list[str]:
    if isinstance(step, steps.Procedure):
        return await _nested(step, parts, depth)
    if isinstance(step, steps.Sleep):
        return [f"for {step.seconds}"]
    if isinstance(step, steps.Wait):
        what = step.tcp or step.http or " ".join(words(step.healthy)) or f"{' '.join(words(step.containers))}"
        return [f"until {what} {f'writes {step.log!r}' if step.log else 'is well'}, at most {step.timeout or '2m'}"]
    if isinstance(step, steps.Set):
        return [f"{name} = {value}" for name, value in step.values.items()]
    if isinstance(step, steps.CheckUpdates):
        return [
            f"ask the registries of {' '.join(words(step.match))} on {' '.join(words(step.servers)) or 'all servers'}"
        ]
    if isinstance(step, steps.Notify):
        return [f"{' '.join(words(step.alerters)) or 'all alerters'}: {step.message}"]
    if isinstance(step, steps.Approve):
        return [f"ask a person: {step.message or 'go on?'} (at most {step.timeout})"]
    return [type(step).__name__]


async def _nested(step: steps.Procedure, parts: RunParts, depth: int) -> list[str]:

    inner = parts.find(step.procedure)
    if inner is None:
        return [f"there is no procedure {step.procedure!r}"]
    if depth >= _NESTED:
        return [f"{step.procedure}, and what it does"]
    lines = await preview(inner, arguments(inner, step.parameters), parts, depth=depth + 1)
    return [step.procedure, *(f"  {line}" for line in lines)]
