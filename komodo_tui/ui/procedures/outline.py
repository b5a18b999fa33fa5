"""A procedure as an outline: its lines, and what can be done to each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from komodo_tui.domain.procedures.check import stage_title
from komodo_tui.domain.procedures.words import words
from komodo_tui.ui.procedures.step_forms import LEADING, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.procedures.model import Parameter, ProcedureDefinition, Stage
    from komodo_tui.domain.procedures.steps import StepEntry

T = TypeVar("T")

Key = tuple[str, int, int]
"""``procedure``, ``parameter``, ``stage``, ``step``, or ``add-…`` of the last three; which stage or parameter, and
which step."""


class OutlineLine(NamedTuple):
    """One line."""

    key: Key
    depth: int
    what: str
    says: str = ""
    """What else there is to it, dimmed."""


def lines_of(definition: ProcedureDefinition) -> list[OutlineLine]:
    """All lines, with one at the end of each list that adds to it."""
    found = [OutlineLine(("procedure", 0, 0), 0, definition.name, _about(definition))]
    for number, name in enumerate(definition.parameters):
        parameter = definition.parameter(name)
        value = "has to be given" if parameter.default is None else parameter.default
        found.append(OutlineLine(("parameter", number, 0), 1, f"parameter {name}", f"{value}  {parameter.description}"))
    found.append(OutlineLine(("add-parameter", 0, 0), 1, "+ a parameter"))
    for number, stage in enumerate(definition.stages):
        found.append(OutlineLine(("stage", number, 0), 0, stage_title(stage, number + 1), _how(stage)))
        for index, entry in enumerate(stage.steps):
            found.append(OutlineLine(("step", number, index), 1, _called(entry), _does(entry)))
        found.append(OutlineLine(("add-step", number, 0), 1, "+ a step"))
    found.append(OutlineLine(("add-stage", 0, 0), 0, "+ a stage"))
    return found


def _about(definition: ProcedureDefinition) -> str:
    parts = [definition.description, definition.schedule and f"runs {definition.schedule}",
             "dangerous steps allowed" if definition.allow_dangerous else ""]  # fmt: skip
    return "  ".join(filter(None, parts))


def _how(stage: Stage) -> str:
    parts = [f"on {stage.on}" if stage.on != "success" else "", f"when {stage.when}" if stage.when else "",
             f"{stage.parallel} at once" if stage.parallel else "", "" if stage.enabled else "disabled"]  # fmt: skip
    return "  ".join(filter(None, parts))


def _called(entry: StepEntry) -> str:
    kinds = [kind for kind, _ in entry.found] or ["?"]
    name = entry.step.name if entry.found else ""
    return f"{name} ({kinds[0]})" if name else kinds[0]


def _does(entry: StepEntry) -> str:
    if not entry.found:
        return "no kind"
    step = entry.step
    said = [as_text(getattr(step, field)) for field in LEADING[:-1] if getattr(step, field, None)]
    where = " ".join(words(getattr(step, "servers", ())))
    parts = [*said[:2], f"on {where}" if where else "", f"when {step.when}" if step.when else "",
             "" if step.enabled else "disabled"]  # fmt: skip
    return "  ".join(filter(None, parts))


def with_parameter(definition: ProcedureDefinition, at: int | None, name: str, given: Parameter) -> ProcedureDefinition:
    """The parameter in the place of the one at ``at``, or a new one (None)."""
    pairs = list(definition.parameters.items())
    short = given.default if not given.description and not given.choices else given
    if at is None:
        pairs.append((name, short))
    else:
        pairs[at] = (name, short)
    return replace(definition, parameters=dict(pairs))


def with_stage(definition: ProcedureDefinition, at: int | None, stage: Stage) -> ProcedureDefinition:
    """The stage in its place, or a new last one (None)."""
    stages = list(definition.stages)
    stages[len(stages) if at is None else at : len(stages) if at is None else at + 1] = [stage]
    return replace(definition, stages=tuple(stages))


def with_step(definition: ProcedureDefinition, stage: int, at: int | None, entry: StepEntry) -> ProcedureDefinition:
    """The step in its place, or a new last one of the stage (None)."""
    steps = list(definition.stages[stage].steps)
    steps[len(steps) if at is None else at : len(steps) if at is None else at + 1] = [entry]
    return with_stage(definition, stage, replace(definition.stages[stage], steps=tuple(steps)))


def without(definition: ProcedureDefinition, key: Key) -> ProcedureDefinition | None:
    """The procedure without what a line stands for; None where that cannot go."""
    what, first, second = key
    if what == "parameter":
        return replace(definition, parameters=dict(_less(list(definition.parameters.items()), first)))
    if what == "stage":
        return replace(definition, stages=tuple(_less(definition.stages, first)))
    if what == "step":
        stage = definition.stages[first]
        return with_stage(definition, first, replace(stage, steps=tuple(_less(stage.steps, second))))
    return None


def moved(definition: ProcedureDefinition, key: Key, by: int) -> tuple[ProcedureDefinition, Key] | None:
    """A stage or a step one place up (-1) or down (1), a step also into the stage beside; None where it is the last."""
    what, first, second = key
    if what == "stage" and 0 <= first + by < len(definition.stages):
        return replace(definition, stages=tuple(_swapped(definition.stages, first, by))), (what, first + by, 0)
    if what == "parameter" and 0 <= first + by < len(definition.parameters):
        pairs = _swapped(list(definition.parameters.items()), first, by)
        return replace(definition, parameters=dict(pairs)), (what, first + by, 0)
    if what != "step":
        return None
    stage = definition.stages[first]
    if 0 <= second + by < len(stage.steps):
        steps = tuple(_swapped(stage.steps, second, by))
        return with_stage(definition, first, replace(stage, steps=steps)), (what, first, second + by)
    if not 0 <= first + by < len(definition.stages):
        return None
    entry, other = stage.steps[second], definition.stages[first + by]
    less = with_stage(definition, first, replace(stage, steps=tuple(_less(stage.steps, second))))
    steps = (*other.steps, entry) if by < 0 else (entry, *other.steps)
    place = len(other.steps) if by < 0 else 0
    return with_stage(less, first + by, replace(other, steps=steps)), (what, first + by, place)


def _less(items: Sequence[T], at: int) -> list[T]:
    return [item for index, item in enumerate(items) if index != at]


def _swapped(items: Sequence[T], at: int, by: int) -> list[T]:
    changed = list(items)
    changed[at], changed[at + by] = changed[at + by], changed[at]
    return changed
