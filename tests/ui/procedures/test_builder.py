"""The editor of procedures: an outline with forms, and the YAML of the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import OptionList, Static, TextArea

from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.procedures.builder import ProcedureBuilder
from komodo_tui.ui.procedures.outline import lines_of
from komodo_tui.ui.procedures.step_forms import blamed
from tests.ui.procedures.test_procedures_page import SMALL, app, ready, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.ui.app import KomodoApp

__all__ = ["app"]


async def opened(pilot: Pilot[Any]) -> ProcedureBuilder:
    """A new, empty procedure in the editor."""
    await ready(pilot)
    await pilot.press("N", "e")
    await until(pilot, lambda: isinstance(pilot.app.screen, ProcedureBuilder))
    builder = pilot.app.screen
    assert isinstance(builder, ProcedureBuilder)
    await until(pilot, lambda: builder.focused is builder.query_one(OptionList))
    return builder


def shown(builder: ProcedureBuilder) -> ProcedureDefinition:
    """The definition that the editor has now."""
    definition = builder._definition()
    assert definition is not None
    return definition


def go_to(builder: ProcedureBuilder, what: str) -> None:
    """The cursor onto the first line that begins so."""
    lines = [line.what for line in lines_of(shown(builder))]
    builder.query_one(OptionList).highlighted = next(n for n, line in enumerate(lines) if line.startswith(what))


def said(builder: ProcedureBuilder) -> str:
    """The line that says whether it could run."""
    return str(builder.query_one("#editor-problem", Static).content)


async def add_step(pilot: Pilot[Any], builder: ProcedureBuilder, kind: str, *keys: str) -> None:
    """As a person adds one: the plus line, the kind, its first fields, taken."""
    go_to(builder, "+ a step")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PickDialog))
    await pilot.press(*kind)
    await until(pilot, lambda: [e.label for e in pilot.app.screen.found][:1] == [kind])  # type: ignore[attr-defined]
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, FormDialog))
    await until(pilot, lambda: pilot.app.screen.query("#field-name"))
    await pilot.press(*keys, "ctrl+s")


async def test_a_first_procedure_of_three_steps_without_any_yaml(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        builder = await opened(pilot)
        go_to(builder, "restart_containers")
        await pilot.press("x")
        await until(pilot, lambda: "it has no steps" in said(builder))
        await add_step(pilot, builder, "stop_containers", *"api-1")
        await until(pilot, lambda: pilot.app.screen is builder)
        await add_step(pilot, builder, "clear_logs", *"api-1")
        await until(pilot, lambda: pilot.app.screen is builder)
        await add_step(pilot, builder, "start_containers", "ctrl+s")
        await until(
            pilot, lambda: "which containers?" in str(pilot.app.screen.query_one("#help-match", Static).content)
        )
        await pilot.press(*"api-1", "ctrl+s")
        await until(pilot, lambda: pilot.app.screen is builder)
        kinds = [entry.kind for entry in shown(builder).stages[0].steps]
        assert kinds == ["stop_containers", "clear_logs", "start_containers"]
        assert "could run: 3 steps" in said(builder)
        await pilot.press("K")
        assert [entry.kind for entry in shown(builder).stages[0].steps][1] == "start_containers"
        await pilot.press("J", "ctrl+s")
        await until(pilot, lambda: app.runtime.executor.done)  # type: ignore[attr-defined]
        assert app.runtime.executor.done[0].name == "my-procedure"  # type: ignore[attr-defined]


async def test_the_text_is_the_same_thing(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        builder = await opened(pilot)
        await pilot.press("ctrl+t")
        area = builder.query_one(TextArea)
        await until(pilot, lambda: builder.focused is area)
        area.text = area.text.replace("name: first", "name: second")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: builder.has_class("-form"))
        assert [line.what for line in lines_of(shown(builder))][3] == "stage second"
        await pilot.press("ctrl+t")
        area.text = "procedures: ["
        await pilot.press("ctrl+t")
        assert not builder.has_class("-form")  # what cannot be read has no outline
        area.text = "procedures: [{name: a, stages: [{steps: [{restrat_containers: {match: x}}]}]}]"
        await until(pilot, lambda: "did you mean restart_containers" in said(builder))


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_dangerous_steps_are_asked_for(app: KomodoApp, answer: str) -> None:
    async with app.run_test(size=SMALL) as pilot:
        builder = await opened(pilot)
        go_to(builder, "+ a step")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickDialog))
        await pilot.press(*"run")
        await until(pilot, lambda: [e.label for e in pilot.app.screen.found][:1] == ["run"])  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query("OptionList") and not pilot.app.screen.query("Input"))
        await pilot.press(answer)
        await until(pilot, lambda: isinstance(pilot.app.screen, FormDialog))
        await until(pilot, lambda: pilot.app.screen.query("#field-command"))
        await pilot.press(*"true", "ctrl+s")
        await until(pilot, lambda: pilot.app.screen is builder)
        assert shown(builder).allow_dangerous is (answer == "y")
        assert ("could run" in said(builder)) is (answer == "y")


@pytest.mark.parametrize(
    ("told", "field"),
    [("command: a list is needed", "command"), ("the command is empty", "command"), ("nothing to do", "match")],
)
def test_a_message_stands_at_the_field_it_is_about(told: str, field: str) -> None:
    assert blamed(["match", "container", "command"], told) == field
