"""Deployments of one container on the Deployments page: the form, the definition, and where they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Input, TextArea

from komodo_agent.wire.models import ContainerDetail
from komodo_tui.domain.single import DefineDeploymentOperation, DeploymentDefinition
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.pages.stacks import StacksPage
from komodo_tui.ui.stacks.editing import StackEditor
from tests.ui.stacks.lab import make_app
from tests.ui.stacks.piloting import LARGE, SMALL, deployments, dialog, done, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

CACHE = DeploymentDefinition(name="memo", image="redis:7", servers=("web-01",), ports=("6379:6379",))


async def _filled_in(pilot: Pilot[Any], **values: str) -> FormDialog:
    await pilot.press("N")
    await dialog(pilot, MenuDialog)
    await pilot.press("f")
    form: FormDialog = await dialog(pilot, FormDialog)
    for name, value in values.items():
        field = form.query_one(f"#field-{name}")
        if isinstance(field, TextArea):
            field.text = value
        else:
            assert isinstance(field, Input)
            field.value = value
    await pilot.pause()  # what was typed is looked at first
    await pilot.press("ctrl+s")
    await pilot.pause()
    return form


async def test_a_form_makes_one(tmp_path: Path) -> None:
    app, executor, _ = make_app(tmp_path, "deployments")
    async with app.run_test(size=SMALL) as pilot:
        await deployments(pilot)
        await _filled_in(
            pilot, image="nginx:1", name="front", command="nginx -g 'daemon off;'", ports="8080:80 9000:90/udp",
            volumes="data:/data\n/srv:/srv:ro", environment="A=[[B]]", memory="64m", cpus="0.5", health="curl x",
        )  # fmt: skip
        operation = await done(pilot, executor)
        assert isinstance(operation, DefineDeploymentOperation)
        assert operation.definition is not None
        found = operation.definition
        assert (found.name, found.servers, found.command) == ("front", ("web-01",), ("nginx", "-g", "daemon off;"))
        assert (found.ports, found.volumes) == (("8080:80", "9000:90/udp"), ("data:/data", "/srv:/srv:ro"))
        assert (found.limits.memory, found.limits.cpus, found.health_check.command) == ("64m", 0.5, "curl x")


async def test_what_a_form_cannot_be_is_told_at_its_field(tmp_path: Path) -> None:
    app, executor, _ = make_app(tmp_path, "deployments")
    async with app.run_test(size=LARGE) as pilot:
        await deployments(pilot)
        form = await _filled_in(pilot, image="nginx:1", name="shop", memory="")
        await until(pilot, lambda: "there is a stack" in str(form.query_one("#help-name").render()))
        form.query_one("#field-memory", Input).value = "much"
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "cannot be read" in str(form.query_one("#help-memory").render()))
        assert executor.done == []


async def test_one_is_shown_edited_and_forgotten(tmp_path: Path) -> None:
    app, executor, _ = make_app(tmp_path, "deployments")
    app.runtime.definitions = app.runtime.deployments._store  # type: ignore[misc]
    app.runtime.deployments._store.put("deployment", "memo", CACHE, None)
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot, project="memo")
        assert page.table.model.rows["web-01", "memo"].deployment.state == "down"
        await pilot.press("e")
        editor = await dialog(pilot, StackEditor)
        area = editor.query_one(TextArea)
        assert "image: redis:7" in area.text
        area.text = area.text.replace("redis:7", "redis:8")
        await pilot.press("ctrl+s")
        operation = await done(pilot, executor)
        assert (operation.verb, operation.definition.image, operation.rev) == ("edit", "redis:8", 1)
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("m")
        await dialog(pilot, MenuDialog)
        await pilot.press("f")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        operation = await done(pilot, executor, 2)
        assert (operation.verb, operation.name) == ("remove", "memo")


async def test_a_stack_is_edited_where_stacks_are(tmp_path: Path) -> None:
    app, _, _ = make_app(tmp_path, "deployments")
    async with app.run_test(size=LARGE) as pilot:
        await deployments(pilot)
        await pilot.press("e")
        await until(pilot, lambda: app.query(StacksPage) and app.query_one(StacksPage).display)
        page = app.query_one(StacksPage)
        await until(pilot, lambda: page.table.cursor == "shop")


async def test_one_is_begun_with_what_a_container_is(tmp_path: Path) -> None:
    app, _, links = make_app(tmp_path, "deployments")

    async def container(container_id: str) -> ContainerDetail:
        found = app.runtime.fleet.state.servers["db-01"].containers[container_id]
        config = {"Image": "postgres:16", "Env": ["POSTGRES_PASSWORD=hunter2", "TZ=UTC"]}
        return ContainerDetail(container=found, inspect={"Name": "/pg", "Config": config, "HostConfig": {}})

    links["db-01"].agent.container = container  # type: ignore[method-assign]
    async with app.run_test(size=LARGE) as pilot:
        await deployments(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("c")
        picking = await dialog(pilot, PickDialog)
        await pilot.press("p", "g", "@")
        await until(pilot, lambda: [entry.label for entry in picking.found] == ["pg@db-01"])
        await pilot.press("enter")
        text = (await dialog(pilot, StackEditor)).query_one(TextArea).text
        assert "image: postgres:16" in text
        assert "hunter2" not in text
        assert "[[POSTGRES_PASSWORD]]" in text
