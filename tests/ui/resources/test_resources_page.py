"""The Resources page: what its keys do, and how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, SelectionList

from komodo_agent.wire.feed import ContainersChanged
from komodo_agent.wire.resources import CreateNetwork, PullImage
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.settings import Settings
from komodo_tui.domain.volumes import VolumeOperation
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.report import ReportDialog
from komodo_tui.ui.pages.resources import ResourcesPage
from komodo_tui.ui.resources.prune import PruneDialog
from tests.ui.resources.lab import RESOURCES, ResourceLink, make_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.app import KomodoApp
    from tests.ui.fleets import StillExecutor

    Made = tuple[KomodoApp, StillExecutor, dict[str, ResourceLink]]

SMALL, LARGE = (80, 24), (200, 50)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """App, executor, links."""
    return make_app(tmp_path)


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(400):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def ready(pilot: Pilot[Any]) -> ResourcesPage:
    """The page with the rows of both servers that answer."""
    app = pilot.app
    wanted = sum(len(found) for found in RESOURCES.values())
    await until(pilot, lambda: app.query(ResourcesPage))
    page = app.query_one(ResourcesPage)
    await until(pilot, lambda: len(page.list.table.model.rows) == wanted and page.list.table.has_focus)
    return page


def names(page: ResourcesPage) -> list[str]:
    """What the table shows, top down."""
    model = page.list.table.model
    return [model.rows[key].label for key in model.view]


async def put_cursor(pilot: Pilot[Any], page: ResourcesPage, name: str) -> None:
    """On the row of this name."""
    key = next(row.key for row in page.list.table.model.rows.values() if row.label == name)
    assert page.list.table.choose(key)
    await pilot.pause()


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def done(pilot: Pilot[Any], executor: StillExecutor) -> Any:
    """The operation that was run."""
    await until(pilot, lambda: executor.done)
    return executor.done[-1]


async def test_all_kinds_of_all_servers_and_a_server_that_is_away_is_not_asked(made: Made) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        kinds = [page.list.table.model.rows[key].resource.kind for key in page.list.table.model.view]
        assert kinds == sorted(kinds, key=["image", "volume", "network"].index)
        assert made[2]["edge-03"].agent.asked == []
        assert made[2]["db-01"].agent.asked == ["resources"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kind:vol server:web", {"data", "[bold]old[/]"}),
        ("used:no kind:image !dangling:yes", {"shop/api:1.8", "tools:1"}),
        ("used:pg", {"postgres:16", "pg"}),
        ("tag:*:latest", {"shop/api:1.9"}),
        ("label:team=db", {"tools:1"}),
        ("dangling", {f"{3:064x}"[:12], f"{6:064x}"[:12]}),
    ],
)
async def test_filter_terms(made: Made, text: str, wanted: set[str]) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        assert page.list.pane.set_filter(text) == ""
        assert set(names(page)) == wanted


async def test_remove_shows_the_command_and_names_exactly_what_was_seen(made: Made) -> None:
    app, executor, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.8")
        await pilot.press("X")
        shown = await dialog(pilot, ConfirmDialog)
        assert shown.plan.steps[0].command == "docker image rm shop/api:1.8"
        await pilot.press(*"shop/api:1.8", "enter")  # its server is tagged prod
        operation = await done(pilot, executor)
        assert isinstance(operation, ResourceOperation)
        assert (operation.verb, operation.targets[0].id) == ("remove", f"sha256:{2:064x}")
        await until(pilot, lambda: links["web-01"].agent.asked.count("resources") == 2)  # asked again after it


async def test_a_used_image_goes_by_force_only_and_a_built_in_network_never(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "postgres:16")
        await pilot.press("X")
        await dialog(pilot, MenuDialog)
        await pilot.press("f")
        shown = await dialog(pilot, ConfirmDialog)
        assert "used by pg" in shown.plan.steps[0].warning
        await pilot.press(*"postgres:16", "enter")
        assert (await done(pilot, executor)).force
        executor.done.clear()
        await put_cursor(pilot, page, "bridge")
        await pilot.press("X")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert not executor.done


async def test_prune_measures_shows_and_takes_only_what_is_left_marked(made: Made) -> None:
    app, executor, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.8")
        await pilot.press("P")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-images").value = "unused"
        form.query_one("#field-networks").value = True
        form.query_one("#field-keep", Input).value = "team"
        await pilot.press("ctrl+s")
        preview = await dialog(pilot, PruneDialog)
        assert links["web-01"].agent.asked.count("disk_usage") == 1
        picked = {target.label: target.size for _, target in preview._found}
        assert picked == {"shop/api:1.8": 15 << 20, f"{3:064x}"[:12]: 30 << 20, "left": None}
        lines = preview.query_one(SelectionList)
        lines.deselect(next(n for n, pair in enumerate(preview._found) if pair[1].label == "left"))
        await pilot.press("ctrl+s")
        shown = await dialog(pilot, ConfirmDialog)
        assert "frees 45.0M" in shown.plan.title
        await pilot.press(*shown.plan.phrase, "enter")
        operation = await done(pilot, executor)
        assert isinstance(operation, ResourceOperation)
        assert operation.verb == "prune"
        assert {target.label for target in operation.targets} == {"shop/api:1.8", f"{3:064x}"[:12]}


async def test_prune_never_offers_volumes_unasked(made: Made) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.8")
        await pilot.press("P")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-images").value = "unused"
        await pilot.press("ctrl+s")
        preview = await dialog(pilot, PruneDialog)
        assert {resource.kind for resource, _ in preview._found} == {"image"}


async def test_new_pulls_and_creates_on_the_servers_named(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("n")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-name", Input).value = "inner"
        form.query_one("#field-subnet", Input).value = "10.9.0.0/33"
        form.query_one("#field-servers", Input).value = "web-01 db-01"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is form
        form.query_one("#field-subnet", Input).value = "10.9.0.0/24"
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        operation = await done(pilot, executor)
        assert isinstance(operation, ResourceOperation)
        assert operation.servers == ("web-01", "db-01")
        assert operation.spec == CreateNetwork(name="inner", subnet="10.9.0.0/24")


async def test_pull_again_takes_each_tag(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "postgres:16")
        await pilot.press("B")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        operation = await done(pilot, executor)
        assert (operation.spec, operation.servers) == (PullImage(image="postgres:16"), ("db-01",))


async def test_volume_files_are_gone_into_and_left_again(made: Made, tmp_path: Path) -> None:
    app, executor, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "data")
        await pilot.press("f")
        files = page.detail.files
        await until(pilot, lambda: files.table.model.view and files.table.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: files.current is not None and files.current.name == "deep")
        await pilot.press("W")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-file", Input).value = str(tmp_path / "deep")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: executor.done or isinstance(app.screen, ConfirmDialog))
        if isinstance(app.screen, ConfirmDialog):
            await pilot.press("y")
        operation = await done(pilot, executor)
        assert isinstance(operation, VolumeOperation)
        assert (operation.verb, operation.path, operation.shown) == ("download", b"sub/deep".hex(), "/sub/deep")


async def test_escape_goes_up_before_it_leaves_the_volume(made: Made) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "data")
        await pilot.press("f")
        files = page.detail.files
        await until(pilot, lambda: files.table.model.view and files.table.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: files.current is not None and files.current.name == "deep")
        await pilot.press("escape")
        await until(pilot, lambda: files.current is not None and files.current.name == "sub")
        await pilot.press("escape")
        await until(pilot, lambda: not page.in_detail)


async def test_an_agent_that_may_not_look_says_so(made: Made) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "pg")
        await pilot.press("f")
        await until(pilot, lambda: page.detail.files.settled)
        assert "cannot look into" in page.detail.files._teach().plain


async def test_usage_is_asked_on_demand_and_fills_the_sizes_of_volumes(made: Made) -> None:
    app, _, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        assert "disk_usage" not in links["web-01"].agent.asked
        await put_cursor(pilot, page, "data")
        await pilot.press("u")
        await dialog(pilot, ReportDialog)
        row = next(row for row in page.list.table.model.rows.values() if row.label == "data")
        assert row.size == 7 << 20


async def test_lists_are_asked_again_when_containers_come_and_go(made: Made) -> None:
    app, _, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        links["web-01"].agent.resources_now.append(RESOURCES["db-01"][0])
        page.book.listing("web-01").at -= 60
        app.runtime.fleet.state.apply("web-01", [ContainersChanged(removed=(f"{1:064x}",))])
        await until(pilot, lambda: names(page).count("postgres:16") == 2)


async def test_documents_show_no_secrets_and_a_resource_that_goes_takes_its_detail_with_it(made: Made) -> None:
    app, _, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.8")
        await pilot.press("y")
        await until(pilot, lambda: page.detail.settled and "Env" in page.query_one(DocumentPane).text)
        assert "hunter2" not in page.query_one(DocumentPane).text
        del links["web-01"].agent.resources_now[1]
        await pilot.press("ctrl+r")
        await until(pilot, lambda: not page.in_detail)


async def test_read_only_has_no_acts(tmp_path: Path) -> None:
    app, executor, _ = make_app(tmp_path, Settings(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await put_cursor(pilot, page, "data")
        for key in ("X", "N", "B", "E", "P", "W", "R"):
            await pilot.press(key)
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert not executor.done


@pytest.mark.parametrize("size", [SMALL, (120, 40), LARGE], ids=["80x24", "120x40", "200x50"])
def test_looks_list(made: Made, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.9")
        await pilot.press("space")
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=size, run_before=settle)


@pytest.mark.parametrize("tab", ["overview", "files", "inspect"])
def test_looks_detail(made: Made, snap_compare: Any, tab: str) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "data")
        page.action_open(tab)
        await until(pilot, lambda: page.detail.settled and (tab != "files" or page.detail.files.settled))
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=SMALL, run_before=settle)


def test_looks_prune(made: Made, snap_compare: Any) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await put_cursor(pilot, page, "shop/api:1.8")
        await pilot.press("P")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-images").value = "unused"
        form.query_one("#field-volumes").value = True
        await pilot.press("ctrl+s")
        await dialog(pilot, PruneDialog)
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=SMALL, run_before=settle)
