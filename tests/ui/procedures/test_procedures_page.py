"""The Procedures page: its levels, its editor, and how a run looks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.widgets import Static, TextArea

from komodo_tui.domain.operations import Actor, DefineProcedureOperation, Target
from komodo_tui.domain.procedures import journal as j
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.procedures.progress import RunLine, RunProgress
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.runs import RunStore
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.yaml_editor import YamlEditor
from komodo_tui.ui.pages.procedures import ProceduresPage
from komodo_tui.ui.procedures.columns import line_columns
from komodo_tui.ui.procedures.flows import _parameters
from komodo_tui.ui.render.glyphs import UNICODE
from tests.ui.fleets import NOW, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

SMALL, LARGE = (80, 24), (200, 50)
RUN = "20260528-202640-a1b2c3"
DEFINITION = msgspec.convert(
    {
        "name": "nightly", "description": "restart [bold]all[/bold] of it", "schedule": "0 3 * * *",
        "parameters": {
            "pattern": "api*", "env": {"choices": ["test", "prod"], "description": "where", "default": "test"},
        },
        "stages": [
            {
                "name": "restart",
                "steps": [{"restart_containers": {"match": "{pattern}"}}, {"sleep": {"seconds": "1s"}}],
            },
            {"name": "migrate", "steps": [{"exec": {"container": "redis", "command": "./migrate"}}]},
            {"name": "rescue", "on": "failure", "steps": [{"sleep": {"seconds": "5s"}}]},
        ],
    },
    ProcedureDefinition,
)  # fmt: skip


def write_run(store: RunStore) -> None:
    """A run whose second stage failed."""
    actor, api, redis = (
        Actor(name="ana"),
        Target(server="web-01", name="api-1", id="a"),
        Target(server="db-01", name="redis"),
    )
    store.begin(j.RunStarted(run=RUN, procedure="nightly", definition=msgspec.to_builtins(DEFINITION),
                             parameters={"pattern": "api*", "env": "prod"}, actor=actor, pid=1))  # fmt: skip
    for entry in (
        j.StageStarted(stage=0),
        j.StepStarted(stage=0, step=0, targets=(api,)),
        j.TargetStarted(stage=0, step=0, target=api, attempt=1),
        j.TargetEnded(stage=0, step=0, target=api, attempt=1, end="success", seconds=1.5),
        j.StepEnded(stage=0, step=0, end="success", summary="1 done"),
        j.StepEnded(stage=0, step=1, end="success", summary="1 s"),
        j.StageEnded(stage=0, end="success"),
        j.StageStarted(stage=1),
        j.StepStarted(stage=1, step=0, targets=(redis,)),
        j.TargetStarted(stage=1, step=0, target=redis, attempt=1),
        j.TargetEnded(stage=1, step=0, target=redis, attempt=1, end="failed", seconds=2.0,
                      error="status 3: [red]no[/red]", output="line one\n[bold]line two[/bold]\n"),
        j.StepEnded(stage=1, step=0, end="failed", summary="0 of 1 done; redis@db-01: it ended with status 3"),
        j.StageEnded(stage=1, end="failed", summary="exec: 0 of 1 done"),
        j.RunEnded(outcome="failed", summary="stage migrate: exec: 0 of 1 done"),
    ):  # fmt: skip
        store.append(RUN, entry)


@pytest.fixture
def app(tmp_path: Path) -> KomodoApp:
    """On the Procedures tab, with one procedure that ran once."""
    runtime = still_runtime(tmp_path)
    furnish(runtime)
    definitions = DefinitionStore(tmp_path / "definitions.json")
    definitions.put("procedure", "nightly", DEFINITION, None)
    procedures = ProcedureDefinitions(definitions)
    runtime.procedures = lambda: procedures
    runtime.executor.procedures = runtime.procedures
    runtime.deployables = SimpleNamespace(known=dict)
    write_run(RunStore(runtime.state_dir.runs, clock=lambda: NOW - 3600))
    return KomodoApp(runtime, tab="procedures", now=lambda: NOW)


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(2000):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def ready(pilot: Pilot[Any]) -> ProceduresPage:
    """The page with its rows."""
    await until(pilot, lambda: pilot.app.query(ProceduresPage))
    page = pilot.app.query_one(ProceduresPage)
    await until(pilot, lambda: page.table.model.view)
    return page


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def test_enter_goes_in_and_escape_goes_out(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: page.level == "detail" and page.detail.table.model.view)
        await pilot.press("enter")
        await until(pilot, lambda: page.level == "run" and page.run_view.progress.ended)
        titles = [line.title for _, line in sorted(page.run_view.progress.lines.items())]
        assert titles == ["stage restart", "restart_containers", "api-1@web-01", "sleep", "stage migrate", "exec",
                          "redis@db-01", "stage rescue", "sleep"]  # fmt: skip
        await pilot.press("escape")
        assert page.level == "detail"
        await pilot.press("escape")
        assert page.level == "list"


async def test_running_asks_for_parameters_and_shows_what_it_would_touch(app: KomodoApp) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("B")
        await dialog(pilot, FormDialog)
        await pilot.press("ctrl+s")
        shown = await dialog(pilot, ConfirmDialog)
        texts = [step.text for step in shown.plan.steps]
        assert "  restart_containers: api-1@web-01: docker restart api-1" in texts
        assert "  exec: redis@db-01: docker exec redis ./migrate" in texts
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)


def test_after_the_end_nothing_waits() -> None:
    progress = RunProgress()
    (end,) = (column for column in line_columns(UNICODE, lambda: NOW, lambda: progress) if column.id == "end")
    assert end.cell(RunLine(1, "sleep"))[0][0] == "waiting"
    progress.ended = j.RunEnded(outcome="failed")
    assert end.cell(RunLine(1, "sleep"))[0][0] == "not begun"


async def test_a_parameter_that_has_to_be_given_is_asked_for(app: KomodoApp) -> None:
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        definition = ProcedureDefinition(name="needy", parameters={"first": "a", "second": None})
        asked = app.run_worker(_parameters(page.shell, definition))
        form = await dialog(pilot, FormDialog)
        await pilot.press("ctrl+s")
        told = form.query_one("#help-second", Static)
        await until(pilot, lambda: told.has_class("-wrong"))
        await pilot.press("b", "ctrl+s")
        assert await asked.wait() == {"first": "a", "second": "b"}


async def test_the_editor_says_what_is_wrong_and_saves_what_could_run(app: KomodoApp) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("e")
        editor = await dialog(pilot, YamlEditor)
        area = editor.query_one(TextArea)
        good = area.text
        area.text = good.replace("restart_containers", "restart_container")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is editor
        area.text = good.replace("1s", "2s")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.runtime.executor.done)  # type: ignore[attr-defined]
        operation = app.runtime.executor.done[0]  # type: ignore[attr-defined]
        assert isinstance(operation, DefineProcedureOperation)
        assert (operation.verb, operation.name, operation.rev) == ("edit", "nightly", 1)


async def test_an_edited_text_is_not_thrown_away_at_once(app: KomodoApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("e")
        editor = await dialog(pilot, YamlEditor)
        await pilot.press("ctrl+t", "x", "escape")
        await pilot.pause()
        assert app.screen is editor
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("level", ["list", "detail", "run"])
def test_looks(app: KomodoApp, snap_compare: Any, size: tuple[int, int], level: str) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        if level != "list":
            await pilot.press("enter")
            await until(pilot, lambda: page.level == "detail" and page.detail.table.model.view)
        if level == "run":
            await pilot.press("enter")
            await until(pilot, lambda: page.level == "run" and page.run_view.progress.ended)
            page.run_view.table.choose((1, 0, 0))
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize(("key", "kind"), [("N", MenuDialog), ("e", YamlEditor), ("B", FormDialog)])
def test_looks_of_dialogs(app: KomodoApp, snap_compare: Any, key: str, kind: type[Any]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press(key)
        await dialog(pilot, kind)

    assert snap_compare(app, terminal_size=SMALL, run_before=settle)
