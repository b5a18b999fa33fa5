"""What is wrong with a procedure before it runs, and the parameters of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures import expressions, facts, steps
from komodo_tui.domain.procedures.figures import schedule_of
from komodo_tui.domain.procedures.step_checks import RESERVED, check_name, check_span, check_step, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from komodo_tui.domain.procedures.model import ProcedureDefinition, Stage
    from komodo_tui.domain.procedures.steps import StepEntry

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check(definition: ProcedureDefinition, find: Callable[[str], ProcedureDefinition | None]) -> None:
    """Whether it can run as it is written; ``find`` gives other procedures by name.

    Raises:
        UsageError: the first thing that is wrong, with stage and step.
    """
    if not _NAME.fullmatch(definition.name):
        raise UsageError(
            f"procedure {definition.name!r}: the name cannot be used", hint="letters, digits, dots, dashes, underscores"
        )
    _parameters(definition)
    if not definition.stages:
        raise UsageError(f"procedure {definition.name}: it has no stages", hint="give it one with a step")
    check_span(definition.timeout, f"procedure {definition.name}: timeout")
    if definition.schedule:
        _scheduled(definition)
    known = {*definition.parameters, *facts.RUN}
    for number, stage in enumerate(definition.stages, 1):
        known |= _stage(definition, stage, f"procedure {definition.name}, {stage_title(stage, number)}", known)
    _no_cycle(definition, find, (definition.name,))


def arguments(definition: ProcedureDefinition, given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter of a run.

    Raises:
        UsageError: one is unknown, missing, or not among its choices.
    """
    for name in given:
        if name not in definition.parameters:
            known = ", ".join(definition.parameters) or "it has none"
            raise UsageError(f"procedure {definition.name} has no parameter {name}", hint=f"its parameters: {known}")
    values: dict[str, str] = {}
    for name in definition.parameters:
        parameter = definition.parameter(name)
        value = given.get(name, parameter.default)
        if value is None:
            raise UsageError(
                f"procedure {definition.name}: the parameter {name} has no value", hint=f"give it with --param {name}=…"
            )
        if parameter.choices and value not in parameter.choices:
            raise UsageError(
                f"procedure {definition.name}: {name} is {value!r}", hint=f"one of: {', '.join(parameter.choices)}"
            )
        values[name] = value
    return values


def stage_title(stage: Stage, number: int) -> str:
    """What a stage is called."""
    return f"stage {stage.name}" if stage.name else f"stage {number}"


def step_title(entry: StepEntry) -> str:
    """What a step is called."""
    return entry.step.name or entry.kind


def every_step(definition: ProcedureDefinition) -> Iterator[StepEntry]:
    """All steps, in order."""
    for stage in definition.stages:
        yield from stage.steps


def runs_of(definition: ProcedureDefinition) -> list[str]:
    """The procedures that it runs, as far as their names are not parameters."""
    return [
        entry.step.procedure
        for entry in every_step(definition)
        if isinstance(entry.step, steps.Procedure) and not expressions.names_in(entry.step.procedure)
    ]


def _parameters(definition: ProcedureDefinition) -> None:
    for name in definition.parameters:
        if not expressions.NAME.fullmatch(name) or name in RESERVED:
            raise UsageError(
                f"procedure {definition.name}: {name!r} cannot be a parameter's name",
                hint="lower-case letters, digits and underscores",
            )


def _scheduled(definition: ProcedureDefinition) -> None:
    wrapped(lambda: schedule_of(definition), f"procedure {definition.name}")
    for name in definition.parameters:
        if definition.parameter(name).default is None:
            raise UsageError(
                f"procedure {definition.name}: it has a schedule, and nobody is there to give {name}",
                hint="give the parameter a default",
            )


def _stage(definition: ProcedureDefinition, stage: Stage, where: str, known: set[str]) -> set[str]:
    """Check it; returns the names that its steps save."""
    _condition(stage.when, where, known)
    if not stage.steps:
        raise UsageError(f"{where}: it has no steps")
    if stage.parallel < 0:
        raise UsageError(f"{where}: parallel is {stage.parallel}", hint="0 for all at once, or a number")
    saved: set[str] = set()
    for number, entry in enumerate(stage.steps, 1):
        if len(entry.found) != 1:
            kinds = ", ".join(kind for kind, _ in entry.found) or "none"
            raise UsageError(f"{where}, step {number}: it must be of one kind, found {kinds}")
        place = f"{where}, step {number} ({step_title(entry)})"
        _step(definition, entry, place, known)
        if isinstance(entry.step, steps.Set):
            saved |= set(entry.step.values)
        if entry.step.save:
            saved.add(entry.step.save)
    for name in saved:
        check_name(name, where)
    return saved


def _step(definition: ProcedureDefinition, entry: StepEntry, where: str, known: set[str]) -> None:
    step = entry.step
    _condition(step.when, where, known)
    if steps.dangerous(step) and not definition.allow_dangerous:
        raise UsageError(
            f"{where}: this kind of step can do anything to a server",
            hint="say so with allow_dangerous: true in the procedure",
        )
    plain = msgspec.to_builtins(step)
    plain.pop("script", None)  # a script's own braces are its own
    for text in expressions.texts_in(plain):
        missing = expressions.names_in(text) - known
        if missing:
            name = sorted(missing)[0]
            raise UsageError(
                f"{where}: {{{name}}} is neither a parameter nor an output saved before",
                hint=f"known here: {', '.join(sorted(known))}",
            )
    check_step(step, where)


def _condition(text: str, where: str, known: set[str]) -> None:
    missing = wrapped(lambda: expressions.condition_names(text), where) - known - {"failed"}
    if missing:
        raise UsageError(
            f"{where}: the condition asks for {sorted(missing)[0]}, which nothing gives",
            hint=f"known here: failed, {', '.join(sorted(known))}",
        )


def _no_cycle(
    definition: ProcedureDefinition, find: Callable[[str], ProcedureDefinition | None], above: tuple[str, ...]
) -> None:
    for entry in every_step(definition):
        step = entry.step
        if not isinstance(step, steps.Procedure) or expressions.names_in(step.procedure):
            continue
        if step.procedure in above:
            raise UsageError(
                f"procedure {above[0]}: it would run itself: {' > '.join((*above, step.procedure))}",
                hint="take one of these steps out",
            )
        inner = find(step.procedure)
        if inner is None:
            raise UsageError(f"procedure {definition.name}: there is no procedure {step.procedure!r} to run")
        _no_cycle(inner, find, (*above, step.procedure))
