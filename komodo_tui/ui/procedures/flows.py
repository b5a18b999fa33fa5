"""From a key to a run: what has to be asked, shown and confirmed before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ReadOnlyError, UsageError
from komodo_tui.domain.operations import DefineProcedureOperation, Plan, PlanStep, Target
from komodo_tui.domain.procedures.check import arguments, check
from komodo_tui.domain.procedures.journal import Answer
from komodo_tui.operations.procedures.asking import asks_now
from komodo_tui.operations.procedures.launch import launch
from komodo_tui.operations.procedures.parts import RunParts
from komodo_tui.operations.procedures.preview import preview
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.procedures.step_forms import blamed

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.store.runs import RunStore
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 15.0
"""Seconds the servers may take to say what would be touched."""
_NEEDED = "has to be given"
_LINES = 12
"""Lines of a preview that the confirmation shows."""


async def run_procedure(runtime: Runtime, shell: Shell, store: RunStore, definition: ProcedureDefinition) -> str | None:
    """Ask for parameters, show what each step would touch, and start it; returns the run's id.

    Raises:
        KomodoError: it cannot run as it is written, or did not begin.
    """
    if runtime.settings.read_only:
        raise ReadOnlyError(f"procedure {definition.name}: refused, read-only mode is on")
    check(definition, runtime.procedures().find)
    parameters = await _parameters(shell, definition)
    if parameters is None:
        return None
    shell.flash("looking what each step would touch", "busy")
    if not await shell.ask(ConfirmDialog(await _plan(runtime, store, definition, parameters))):
        return None
    shell.flash(f"starting {definition.name}", "busy")
    return await launch(runtime.state_dir, store, definition.name, parameters)


def _given(text: str) -> str:
    return "" if text else _NEEDED


async def _parameters(shell: Shell, definition: ProcedureDefinition) -> dict[str, str] | None:
    if not definition.parameters:
        return {}
    fields = []
    for name in definition.parameters:
        parameter = definition.parameter(name)
        needed = parameter.default is None and not parameter.choices
        fields.append(
            Field(name, name, "choice" if parameter.choices else "text",
                  value=parameter.default if parameter.default is not None else next(iter(parameter.choices), ""),
                  help=parameter.description or (_NEEDED if needed else ""), check=_given if needed else None,
                  choices=tuple((choice, choice) for choice in parameter.choices))
        )  # fmt: skip

    def wrong(values: dict[str, object]) -> dict[str, str]:
        try:
            arguments(definition, {name: str(value) for name, value in values.items()})
        except UsageError as error:
            return {blamed(list(definition.parameters), str(error)): str(error)}
        return {}

    values = await shell.ask(FormDialog(f"Run {definition.name}", fields, verb="next", check=wrong))
    return None if values is None else {name: str(value) for name, value in values.items()}


async def _plan(runtime: Runtime, store: RunStore, definition: ProcedureDefinition, parameters: dict[str, str]) -> Plan:
    """What it would touch now, in the form that confirmations show. Raises KomodoError."""
    try:
        async with asyncio.timeout(_PATIENCE):
            lines = await preview(definition, arguments(definition, parameters), RunParts(runtime, store))
    except TimeoutError:
        lines = [f"the servers did not say within {_PATIENCE:g} s what each step would touch"]
    shown = lines if len(lines) <= _LINES else [*lines[:_LINES], f"and {len(lines) - _LINES} more lines"]
    steps = tuple(PlanStep(target=Target(server="", name=line), text=line) for line in shown)
    return Plan(
        operation=DefineProcedureOperation(verb="edit", name=definition.name), title=f"Run procedure {definition.name}",
        verb="run", steps=steps, confirm="yes",
        undo="each step says what it did in Actions; X stops the run after what is under way",
    )  # fmt: skip


async def answer_run(runtime: Runtime, shell: Shell, store: RunStore, run: str) -> None:
    """Ask the person what a run asks, and keep the answer.

    Raises:
        KomodoError: it asks no more, or somebody was faster.
    """
    asking = await asyncio.to_thread(asks_now, store, run)
    fields = [
        Field("answer", "answer", "choice", value="yes", choices=(("yes", "yes, go on"), ("no", "no, the step fails"))),
        Field("note", "note", help="kept with the answer"),
    ]
    values = await shell.ask(FormDialog(asking.question, fields, verb="answer"))
    if values is None:
        return
    said = Answer(
        stage=asking.stage, step=asking.step, yes=values["answer"] == "yes", who=str(runtime.actor), at=shell.now(),
        note=str(values["note"]),
    )  # fmt: skip
    await asyncio.to_thread(store.answer, asking.run, said)
    shell.flash("approved" if said.yes else "refused", "ok" if said.yes else "warn")
