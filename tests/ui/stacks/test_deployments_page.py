"""The Deployments page: what its keys do, and how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeAct
from komodo_agent.wire.feed import ContainersChanged
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.containers import ContainersPage
from komodo_tui.ui.stacks.planning import DeployDialog
from tests.ui.fleets import NOW
from tests.ui.stacks.lab import make_app
from tests.ui.stacks.piloting import LARGE, SMALL, deployments, dialog, done, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.app import KomodoApp
    from tests.ui.stacks.lab import StackExecutor, StackLink

    Made = tuple[KomodoApp, StackExecutor, dict[str, StackLink]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """App, executor, links."""
    return make_app(tmp_path, "deployments")


async def test_defined_discovered_gone_and_away_are_all_there(made: Made) -> None:
    async with made[0].run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        found = {key: (row.deployment.state, row.deployment.stack) for key, row in page.table.model.rows.items()}
        assert found == {
            ("web-01", "shop"): ("running", "shop"), ("db-01", "shop"): ("down", "shop"),
            ("db-01", "cache"): ("unhealthy", ""), ("web-01", "gone"): ("down", ""),
            ("edge-03", "edge"): ("unknown", "edge"),
        }  # fmt: skip
        assert page.table.model.view[0] == ("db-01", "cache")
        assert page.table.model.rows["web-01", "shop"].drift == {"worker": "its configuration is another one"}


async def test_what_containers_do_is_seen_without_asking(made: Made) -> None:
    app = made[0]
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        state = app.runtime.fleet.state
        worker = state.servers["web-01"].containers[f"{2:064x}"]
        ended = msgspec.structs.replace(worker, state="exited", exit_code=3, finished=NOW)
        state.apply("web-01", [ContainersChanged(changed=(ended,))])
        key = ("web-01", "shop")
        await until(pilot, lambda: page.table.model.rows[key].deployment.state == "partly running")
        assert page.table.model.rows[key].deployment.why == "worker-2 ended with code 3"
        state.apply("web-01", [ContainersChanged(removed=tuple(state.servers["web-01"].containers))])
        await until(pilot, lambda: page.table.model.rows[key].deployment.state == "down")


async def test_a_service_is_stopped_alone_and_the_whole_from_the_list(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        await pilot.press("S")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        spec = (await done(pilot, executor)).targets[0].spec
        assert (spec.verb, spec.services) == ("stop", ())
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and page.detail.pane.table.has_focus)
        page.detail.pane.table.choose(("web-01", "shop", "worker"))
        await pilot.press("S")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        target = (await done(pilot, executor, 2)).targets[0]
        assert isinstance(target.spec, ComposeAct)
        assert (target.server, target.spec.services, target.spec.fingerprint) == ("web-01", ("worker",), "f1")


async def test_destroy_asks_for_volumes_and_keeps_them_by_default(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        await deployments(pilot)
        await pilot.press("X")
        await dialog(pilot, MenuDialog)
        await pilot.press("k")
        confirm = await dialog(pilot, ConfirmDialog)
        assert confirm.plan.steps[0].details[-1] == "volume shop_data: kept"
        await pilot.press(*confirm.plan.phrase, "enter")
        spec = (await done(pilot, executor)).targets[0].spec
        assert (spec.verb, spec.volumes) == ("down", False)


async def test_what_runs_already_is_adopted_and_what_has_a_stack_is_not(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        await pilot.press("A")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        page.table.choose(("db-01", "cache"))
        await pilot.press("A")
        await dialog(pilot, FormDialog)
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        definition = await done(pilot, executor, 2)
        assert executor.done[0].verb == "adopt"  # type: ignore[union-attr]
        assert isinstance(definition, DefineStackOperation)
        assert definition.definition is not None
        assert (definition.name, definition.definition.folder) == ("cache", "/srv/cache")


async def test_a_deploy_from_here_is_for_this_server_alone(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        await deployments(pilot, "db-01", "shop")
        await pilot.press("D")
        await dialog(pilot, DeployDialog)
        await pilot.press("y")
        assert [target.server for target in (await done(pilot, executor)).targets] == ["db-01"]


async def test_the_logs_of_the_whole_deployment(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("komodo_tui.ui.pages.deployments.open_logs", lambda page, targets: asked.append(targets))
    async with made[0].run_test(size=SMALL) as pilot:
        page = await deployments(pilot)
        await pilot.press("l")
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and page.detail.pane.table.has_focus)
        page.detail.pane.table.choose(("web-01", "shop", "worker"))
        await pilot.press("l", "L")
        assert [[target.name for target in targets] for targets in asked] == [
            ["api-1", "migrate", "worker-2"], ["worker-2"], ["api-1", "migrate", "worker-2"]
        ]  # fmt: skip


async def test_enter_on_a_service_goes_to_its_container(made: Made) -> None:
    app = made[0]
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        assert page.detail.pane.table.model.view  # beside the list there is room for it
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and page.detail.pane.table.has_focus)
        page.detail.pane.table.choose(("web-01", "shop", "worker"))
        await pilot.press("enter")
        await until(pilot, lambda: app.query(ContainersPage) and app.query_one(ContainersPage).in_detail)
        current = app.query_one(ContainersPage).current
        assert current is not None
        assert current.container.name == "worker-2"


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("view", ["list", "detail"])
def test_looks(made: Made, snap_compare: Any, size: tuple[int, int], view: str) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await deployments(pilot)
        if view == "detail":
            await pilot.press("enter")
            await until(pilot, lambda: page.in_detail and page.detail.pane.table.model.view)
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=size, run_before=settle)
