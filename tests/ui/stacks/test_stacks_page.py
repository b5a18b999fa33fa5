"""The Stacks page: what its keys do, and how it looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.widgets import Static, TextArea

from komodo_agent.wire.compose import ComposeDeploy, ComposeRollback
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.settings import ConfirmPolicy, ConfirmRule, Settings
from komodo_tui.domain.stack_print import definition_print
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.progress import ProgressDialog
from komodo_tui.ui.render.cells import text_of
from komodo_tui.ui.stacks.editing import StackEditor, read_stack, stack_text
from komodo_tui.ui.stacks.examples import EXAMPLES, example_text
from komodo_tui.ui.stacks.planning import DeployDialog
from komodo_tui.ui.stacks.reading import TextDialog
from komodo_tui.ui.widgets.footer import HintFooter
from tests.ui.stacks.lab import PREVIEW, PROJECTS, REVISIONS, SHOP, STACKS, make_app
from tests.ui.stacks.piloting import LARGE, SMALL, dialog, done, stacks, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.app import KomodoApp
    from tests.ui.stacks.lab import StackExecutor, StackLink

    Made = tuple[KomodoApp, StackExecutor, dict[str, StackLink]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """App, executor, links."""
    return make_app(tmp_path, "stacks")


def plain(dialog: DeployDialog) -> str:
    """What it says."""
    return str(dialog.query_one("#plan-text", Static).render())


async def test_each_stack_says_how_it_stands_where_it_runs(made: Made) -> None:
    async with made[0].run_test(size=LARGE) as pilot:
        page = await stacks(pilot)
        column = page.table.column("state")
        said = {name: text_of(column.cell(row)) for name, row in page.table.model.rows.items()}
        assert said["shop"].split() == ["○", "1", "down", "●", "1", "running"]
        assert said["edge"] == "? unknown"
        assert said["lost"].startswith("✖ there is no server 'moon'")


@pytest.mark.parametrize("edited", [False, True])
async def test_the_list_tells_what_was_edited_since_it_was_deployed(
    made: Made, edited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = msgspec.structs.replace(SHOP, compose="services: {}") if edited else SHOP
    good = msgspec.structs.replace(REVISIONS[1], definition=definition_print(deployed, "web-01"))
    project = msgspec.structs.replace(PROJECTS["web-01"]["shop"], revisions=(REVISIONS[0], good))
    monkeypatch.setitem(PROJECTS["web-01"], "shop", project)
    async with made[0].run_test(size=LARGE) as pilot:
        page = await stacks(pilot)
        row = page.table.model.rows["shop"]
        assert row.edited == (("web-01",) if edited else ())
        assert text_of(page.table.column("drift").cell(row)) == ("≠ 1 edited" if edited else "≠ 1")


async def test_a_deploy_is_shown_before_anything_happens_and_then_is_what_was_shown(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        await stacks(pilot)
        await pilot.press("D")
        shown = plain(await dialog(pilot, DeployDialog))
        for words in ("create db; recreate api; keep 1", "postgres:16 (to be pulled)", "volume shop_db: new",
                      "environment: DB_PASSWORD changed", "-    image: shop/api:1.8",
                      "+    labels: ['[bold]x[/]']"):  # fmt: skip
            assert words in shown
        assert "hunter2" not in shown
        assert shown.index("web-01") < shown.index("db-01")  # in the order in which it will be done
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert not executor.done
        await pilot.press("D")
        await dialog(pilot, DeployDialog)
        await pilot.press("y")
        operation = await done(pilot, executor)
        assert isinstance(operation, StackOperation)
        assert [target.server for target in operation.targets] == ["web-01", "db-01"]
        spec = operation.targets[0].spec
        assert isinstance(spec, ComposeDeploy)
        assert (spec.fingerprint, spec.source.environment["TAG"]) == ("p1", "1.9")


async def test_where_the_policy_wants_a_phrase_it_is_typed_below_the_plan(tmp_path: Path) -> None:
    policy = ConfirmPolicy(tags={"prod": ConfirmRule(change="type")})
    app, executor, _ = make_app(tmp_path, "stacks", Settings(confirm=policy))
    async with app.run_test(size=SMALL) as pilot:
        await stacks(pilot)
        await pilot.press("D")
        shown = await dialog(pilot, DeployDialog)
        assert "create db" in plain(shown)
        phrase = shown.plan.phrase
        await pilot.press("y", "enter")
        await pilot.pause()
        assert app.screen is shown
        await pilot.press("backspace", *phrase, "enter")
        assert (await done(pilot, executor)).verb == "deploy"


async def test_what_is_in_the_way_is_told_and_there_is_no_yes_to_it(made: Made) -> None:
    app, executor, links = made
    links["db-01"].agent.preview = msgspec.structs.replace(PREVIEW, conflicts=("port 8080/tcp is [red]taken",))
    async with app.run_test(size=SMALL) as pilot:
        await stacks(pilot)
        await pilot.press("D")
        shown = await dialog(pilot, DeployDialog)
        assert "port 8080/tcp is [red]taken" in plain(shown)
        assert not shown.query("#yes")
        await pilot.press("y")
        await pilot.pause()
        assert app.screen is shown
        assert not executor.done


async def test_a_value_that_is_not_set_is_named_and_no_server_is_asked(made: Made) -> None:
    app, executor, links = made
    async with app.run_test(size=SMALL) as pilot:
        page = await stacks(pilot)
        page.book.definitions["shop"] = msgspec.structs.replace(SHOP, environment={"X": "[[NOWHERE]]"})
        page.told()
        await pilot.press("D")
        error = await dialog(pilot, ErrorDialog)
        assert "NOWHERE" in str(error.message)
        assert not links["web-01"].agent.asked
        assert not executor.done


async def test_a_dialog_that_was_left_does_not_end_the_program_when_its_act_ends(made: Made) -> None:
    app, executor, _ = made
    go_on = asyncio.Event()
    submit = executor.submit

    async def wait(*args: Any, **named: Any) -> Any:
        await go_on.wait()
        return await submit(*args, **named)

    executor.submit = wait  # type: ignore[method-assign]
    async with app.run_test(size=SMALL) as pilot:
        await stacks(pilot)
        await pilot.press("D")
        await dialog(pilot, DeployDialog)
        await pilot.press("y")
        await dialog(pilot, ProgressDialog)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        go_on.set()
        await done(pilot, executor)
        await until(pilot, lambda: app.acts.under_way == 0)
        await pilot.pause()
        assert app.is_running


async def test_a_new_stack_begins_from_an_example_and_bad_input_is_not_taken(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        await stacks(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("1")
        editor = await dialog(pilot, StackEditor)
        area = editor.query_one(TextArea)
        good = area.text
        for bad, words in ((good.replace("compose:", "compos:"), "compos"), (good + "  x: [", "line"),
                           (good.replace("image:", "[image:"), "column"), ("stacks: []", "0 stacks")):  # fmt: skip
            area.text = bad
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert app.screen is editor
            assert words in str(editor.query_one("#editor-problem", Static).render())
        area.text = good
        await pilot.press("ctrl+s")
        operation = await done(pilot, executor)
        assert isinstance(operation, DefineStackOperation)
        assert (operation.verb, operation.name) == ("add", "apache")


async def test_what_is_typed_is_tried_on_the_servers_and_not_saved(made: Made) -> None:
    app, executor, links = made
    async with app.run_test(size=LARGE) as pilot:
        await stacks(pilot)
        await pilot.press("e")
        editor = await dialog(pilot, StackEditor)
        area = editor.query_one(TextArea)
        area.text = area.text.replace("8080", "9090").replace("  - db-01\n", "")
        await pilot.press("ctrl+t")
        text = (await dialog(pilot, TextDialog)).text_shown.plain
        assert text.startswith("web-01  create db; recreate api; keep 1")
        assert links["web-01"].agent.asked[-1].source.environment["HTTP_PORT"] == "9090"
        assert not links["db-01"].agent.asked
        assert not executor.done


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_what_the_editor_shows_is_the_definition(stack: Any) -> None:
    assert read_stack(stack_text(stack), {}).value == stack


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_example_could_be_saved(example: Any) -> None:
    checked = read_stack(example_text(example.id, "web-1"), {})
    assert checked.value.servers == ("web-1",)
    assert "there is no server 'web-1'" in checked.warning


def test_two_stacks_in_one_text_are_refused() -> None:
    with pytest.raises(UsageError, match="2 stacks"):
        read_stack("stacks: [{name: a, folder: /a}, {name: b, folder: /b}]", {})


async def test_revisions_are_read_compared_and_returned_to(made: Made) -> None:
    app, executor, _ = made
    async with app.run_test(size=LARGE) as pilot:
        page = await stacks(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail)
        page.action_open_detail("revisions")
        await until(pilot, lambda: page.detail.revisions)
        table: Any = page.detail.query_one("#stack-revisions-table")
        # the last good one before the one that runs
        await until(pilot, lambda: [one.number for _, one in page.detail.revisions] == [5])
        table.choose(("web-01", 6))
        await pilot.press("enter")
        text = (await dialog(pilot, TextDialog)).text_shown.plain
        assert "shop/api:1.9" in text
        assert "hunter2" not in text
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("space")
        table.choose(("web-01", 5))
        await pilot.press("space", "enter")
        text = (await dialog(pilot, TextDialog)).text_shown.plain
        assert "-    image: shop/api:1.8\n+    image: shop/api:1.9" in text
        assert "environment: DB_PASSWORD changed" in text
        assert "HTTP_PORT" not in text
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("escape")
        table.choose(("web-01", 7))
        await pilot.press("Z")
        shown = plain(await dialog(pilot, DeployDialog))
        assert "to revision 7" in shown
        assert "revision 7 was no good one: rolled back" in shown
        await pilot.press("y")
        operation = await done(pilot, executor)
        spec = operation.targets[0].spec
        assert isinstance(spec, ComposeRollback)
        assert (spec.revision, len(operation.targets)) == (REVISIONS[0].number, 1)


async def test_read_only_changes_nothing(tmp_path: Path) -> None:
    app, executor, _ = make_app(tmp_path, "stacks", Settings(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        await stacks(pilot)
        for key in ("D", "Z", "N", "e", "X"):
            await pilot.press(key)
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert not executor.done


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("view", ["list", "overview", "diff", "plan"])
def test_looks(made: Made, snap_compare: Any, size: tuple[int, int], view: str) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await stacks(pilot)
        if view in ("overview", "diff"):
            page.action_open_detail(view)
            await until(pilot, lambda: page.detail._pane() is not None)
        if view == "diff":
            await until(pilot, lambda: len(page.detail.previews.answers) == 2)
        if view == "plan":
            await pilot.press("D")
            await dialog(pilot, DeployDialog)
            pilot.app.screen_stack[0].query_one(HintFooter)._clear()
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=size, run_before=settle)
