"""The Containers page: what its keys do, and how it looks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from textual.widgets import Input

from komodo_agent.wire.feed import ContainersChanged
from komodo_tui.domain.operations import ContainerOperation, CreateOperation
from komodo_tui.domain.settings import Settings
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.containers.preview import Preview
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.containers import ContainersPage
from komodo_tui.ui.widgets.footer import HintFooter
from komodo_tui.ui.widgets.graph import Graph
from tests.ui.fleets import CONTAINERS, NOW, StillExecutor, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

SMALL, LARGE = (80, 24), (200, 50)


def make_app(folder: Path, settings: Settings | None = None) -> tuple[KomodoApp, StillExecutor]:
    """The app on the Containers tab."""
    runtime = still_runtime(folder, settings)
    executor = furnish(runtime)
    return KomodoApp(runtime, tab="containers", now=lambda: NOW), executor


@pytest.fixture
def made(tmp_path: Path) -> tuple[KomodoApp, StillExecutor]:
    """App and executor."""
    return make_app(tmp_path)


def page_of(app: KomodoApp) -> ContainersPage:
    """The page."""
    return app.query_one(ContainersPage)


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(400):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def ready(pilot: Pilot[Any]) -> ContainersPage:
    """The page with its rows."""
    app = pilot.app
    assert isinstance(app, KomodoApp)
    await until(pilot, lambda: app.query(ContainersPage) and page_of(app).list.table.model.view)
    return page_of(app)


def names(page: ContainersPage) -> list[str]:
    """What the table shows, top down."""
    model = page.list.table.model
    return [model.rows[key].container.name for key in model.view]


async def put_cursor(pilot: Pilot[Any], page: ContainersPage, name: str) -> None:
    """On the row of this name."""
    key = next(row.key for row in page.list.table.model.rows.values() if row.container.name == name)
    assert page.list.table.choose(key)
    await pilot.pause()


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def test_all_containers_of_all_servers_running_ones_first(made: tuple[KomodoApp, StillExecutor]) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        assert len(names(page)) == sum(len(found) for found in CONTAINERS.values())
        assert set(names(page)[-2:]) == {"migrate", "backup"}


async def test_filter_terms_narrow_and_escape_widens(made: tuple[KomodoApp, StillExecutor]) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.press("slash", *"server:db !state:exited", "enter")
        await pilot.pause()
        assert sorted(names(page)) == ["pg", "redis"]
        await pilot.press("escape")
        assert len(names(page)) == 8


async def test_restart_shows_its_plan_and_runs_after_yes(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press("R")
        shown = await dialog(pilot, ConfirmDialog)
        assert shown.plan.steps[0].command == "docker restart api-1"
        assert not executor.done
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert (operation.verb, operation.targets[0].id) == ("restart", f"{1:064x}")


async def test_no_leaves_everything_as_it_is(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("S")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
        assert not executor.done


async def test_marked_rows_are_acted_on_together_and_then_unmarked(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.press("slash", *"stack:shop state:running", "enter", "asterisk")
        await pilot.press("S")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert {target.name for target in operation.targets} == {"api-1", "worker-2"}
        await until(pilot, lambda: not page.list.table.model.marks)


async def test_start_goes_on_with_a_paused_one(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "pg")
        await pilot.press("U")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert operation.verb == "unpause"


async def test_an_act_that_does_not_fit_says_so(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "migrate")
        await pilot.press("P")
        await pilot.pause()
        assert not executor.done
        assert not isinstance(app.screen, ConfirmDialog)


async def test_remove_keeps_volumes_unless_told_otherwise(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "migrate")
        await pilot.press("X")
        await dialog(pilot, MenuDialog)
        await pilot.press("r")
        assert (await dialog(pilot, ConfirmDialog)).plan.phrase == "migrate"  # its server is tagged prod
        await pilot.press(*"migrate", "enter")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert (operation.verb, operation.force, operation.volumes) == ("remove", False, False)


async def test_a_running_one_cannot_be_removed_without_force(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press("X")
        menu = await dialog(pilot, MenuDialog)
        await pilot.press("r")
        await pilot.pause()
        assert app.screen is menu
        await pilot.press("f")
        await dialog(pilot, ConfirmDialog)
        await pilot.press(*"api-1", "enter")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert operation.force


async def test_rename_refuses_a_name_that_is_taken(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press("E")
        form = await dialog(pilot, FormDialog)
        form.query_one(Input).value = "worker-2"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is form
        form.query_one(Input).value = "api-2"
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ContainerOperation)
        assert operation.new_name == "api-2"


async def test_create_reads_the_form_in_docker_runs_notation(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        form = await dialog(pilot, FormDialog)
        for name, value in (("image", "redis:7"), ("name", "cache-2"), ("servers", "web-01 db-01"),
                            ("ports", "6380:6379"), ("command", "redis-server --save ''")):  # fmt: skip
            form.query_one(f"#field-{name}", Input).value = value
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, CreateOperation)
        assert operation.servers == ("web-01", "db-01")
        assert operation.container.command == ("redis-server", "--save", "")
        assert operation.container.ports[0].public == 6380


async def test_create_names_the_field_that_is_wrong(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-image", Input).value = "redis:7"
        form.query_one("#field-ports", Input).value = "80:99999"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is form
        assert form.query_one("#help-ports").has_class("-wrong")
        assert not executor.done


async def test_read_only_has_no_acts(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path, Settings(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        footer = app.query_one(HintFooter)
        for key, word in (("S", "stop"), ("R", "restart"), ("X", "remove…"), ("N", "new"), ("s", "shell")):
            await pilot.press(key)
            await until(pilot, lambda: footer.render_line(0).text.strip() == f"{word}: not in read-only mode")  # noqa: B023
        assert len(app.screen_stack) == 1
        assert not executor.done


async def test_secrets_are_masked_until_asked_for(made: tuple[KomodoApp, StillExecutor]) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press("y")
        await until(pilot, lambda: page.query(DocumentPane) and "Config" in page.query_one(DocumentPane).text)
        document = page.query_one(DocumentPane)
        assert "hunter2" not in document.text
        await pilot.press("u")
        await until(pilot, lambda: "hunter2" in document.text)
        page.open_detail(("db-01", f"{5:064x}"), "inspect")
        await until(pilot, lambda: f"{5:064x}" in document.text)
        assert "hunter2" not in document.text


async def test_the_list_follows_what_happens_also_under_a_dialog(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.press("R")
        await dialog(pilot, ConfirmDialog)
        state = app.runtime.fleet.state
        gone = f"{1:064x}"
        new = msgspec.structs.replace(CONTAINERS["db-01"][0], id=f"{99:064x}", name="new")
        state.apply("web-01", [ContainersChanged(removed=(gone,))])
        state.apply("db-01", [ContainersChanged(changed=(new,))])
        await until(pilot, lambda: "new" in names(page))
        assert "api-1" not in names(page)


async def test_a_container_that_goes_takes_its_detail_with_it(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "redis")
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail)
        app.runtime.fleet.state.apply("db-01", [ContainersChanged(removed=(f"{5:064x}",))])
        await until(pilot, lambda: not page.in_detail)


@pytest.mark.parametrize("size", [SMALL, (120, 40), LARGE], ids=["80x24", "120x40", "200x50"])
def test_looks_list(made: tuple[KomodoApp, StillExecutor], snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press("space")
        graph = page.list.preview.query_one("#graph-cpu", Graph)
        await until(pilot, lambda: size == SMALL or (graph._data and graph._data.values.count(None) < 9))

    assert snap_compare(made[0], terminal_size=size, run_before=settle)


@pytest.mark.parametrize("tab", ["overview", "graphs", "environment", "health", "processes", "inspect"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
def test_looks_detail(
    made: tuple[KomodoApp, StillExecutor], snap_compare: Any, size: tuple[int, int], tab: str
) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        page.open_detail(("web-01", f"{1:064x}"), tab)
        await until(pilot, lambda: page.detail.settled)
        page.detail.tick()  # what came in is drawn with the next frame
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=size, run_before=settle)


@pytest.mark.parametrize("key", ["X", "m", "c", "N", "R", "K"])
def test_looks_dialogs(
    made: tuple[KomodoApp, StillExecutor], snap_compare: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("komodo_tui.operations.container_plans.time", SimpleNamespace(time=lambda: NOW))

    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "api-1")
        await pilot.press(key)
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=SMALL, run_before=settle)


async def test_a_page_left_while_it_is_made_is_no_crash(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    preview = Preview(app.runtime, app, cast("Any", None))
    preview.rest()
    assert not preview.children
