"""The Variables & secrets page: what its keys do, and how it looks. The stores and the executor are the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from komodo_agent.wire.models import Engine
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.values import ValueOperation
from komodo_tui.operations.login_checks import LoginCheck
from komodo_tui.store.secrets import Secret
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.variables import VariablesPage
from komodo_tui.wiring import Runtime, build_runtime
from tests.ui.fleets import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

SMALL, LARGE = (80, 24), (200, 50)
PASSWORD = "correct horse"


def make_runtime(folder: Path, *, read_only: bool = False) -> Runtime:
    """A real runtime that connects to nothing, with some values in its stores."""
    runtime = build_runtime(home=folder, read_only=read_only)

    async def start() -> None:
        """Nothing is connected."""

    runtime.start = start  # type: ignore[method-assign,assignment]
    for kind, scope, name, value in (
        ("variable", "", "TAG", "1.9"), ("variable", "server:edge-3", "TAG", "[red]2.0[/]"),
        ("secret", "", "DB_PASSWORD", PASSWORD), ("secret", "stack:shop", "TOKEN", "abc"),
    ):  # fmt: skip
        token = runtime.values.hand_in(Secret(value))
        runtime.values.change(
            ValueOperation(verb="set", kind=kind, scope=scope, name=name, token=token)  # type: ignore[arg-type]
        )
    return runtime


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[KomodoApp, Runtime]]:
    """App and runtime."""
    runtime = make_runtime(tmp_path)
    yield KomodoApp(runtime, tab="variables", now=lambda: NOW), runtime
    await runtime.close()


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(5000):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def ready(pilot: Pilot[Any]) -> VariablesPage:
    """The page with its rows."""
    await until(pilot, lambda: pilot.app.query(VariablesPage))
    page = pilot.app.query_one(VariablesPage)
    await until(pilot, lambda: page.table.model.view and page.table.has_focus)
    return page


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


def texts(page: VariablesPage) -> list[tuple[str, str, str]]:
    """Scope, name and value shown."""
    return [(row.scope, row.name, row.value) for row in (page.table.model.rows[key] for key in page.table.model.view)]


async def test_lists_both_kinds_by_scope_and_no_secret(made: tuple[KomodoApp, Runtime]) -> None:
    async with made[0].run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        assert texts(page) == [
            ("", "DB_PASSWORD", ""), ("", "TAG", "1.9"), ("server:edge-3", "TAG", "[red]2.0[/]"),
            ("stack:shop", "TOKEN", ""),
        ]  # fmt: skip
        page.pane.set_filter(PASSWORD)
        assert texts(page) == []


async def test_a_secret_set_here_is_found_by_a_stack_and_in_no_file(
    made: tuple[KomodoApp, Runtime], tmp_path: Path
) -> None:
    app, runtime = made
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("s")
        form = await dialog(pilot, FormDialog)
        for field, value in (("name", "API_KEY"), ("scope", "stack:shop"), ("value", "tr0ub4dor"), ("again", "x")):
            form.query_one(f"#field-{field}", Input).value = value
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is form
        form.query_one("#field-again", Input).value = "tr0ub4dor"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: ("stack:shop", "API_KEY", "") in texts(page))
        found = runtime.values.lookup("shop", "web-1")("API_KEY")
        assert found is not None
        assert (found.text, found.secret) == ("tr0ub4dor", True)
        assert runtime.values.lookup("other", "web-1")("API_KEY") is None
        record = next(iter(runtime.history.unfinished()), None)
        assert record is None
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"tr0ub4dor" not in file.read_bytes(), file


async def test_a_variable_gets_another_value(made: tuple[KomodoApp, Runtime]) -> None:
    app, runtime = made
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        assert page.table.choose(("variable", "", "TAG"))
        await pilot.press("enter")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-value", Input).value = "2.1"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: ("", "TAG", "2.1") in texts(page))
        lookup = runtime.values.lookup("shop", "edge-3")
        assert lookup("TAG") == ("[red]2.0[/]", False)  # the server's own goes before the global one
        assert runtime.values.lookup("shop", "web-1")("TAG") == ("2.1", False)


async def test_remove_asks_first(made: tuple[KomodoApp, Runtime]) -> None:
    app, _ = made
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        assert page.table.choose(("secret", "stack:shop", "TOKEN"))
        await pilot.press("X")
        shown = await dialog(pilot, ConfirmDialog)
        assert shown.plan.steps[0].command == "komodo-tui secret rm TOKEN --scope stack:shop"
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
        assert ("stack:shop", "TOKEN", "") in texts(page)
        await pilot.press("X")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: ("stack:shop", "TOKEN", "") not in texts(page))


async def test_a_name_of_the_other_kind_is_refused(made: tuple[KomodoApp, Runtime]) -> None:
    app, runtime = made
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("v")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-name", Input).value = "DB_PASSWORD"
        form.query_one("#field-value", Input).value = "plain"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is not form and len(app.screen_stack) == 2)
        assert runtime.values.kind_of("DB_PASSWORD") == "secret"


async def test_a_registry_login_is_kept_and_its_password_is_not_shown(made: tuple[KomodoApp, Runtime]) -> None:
    app, runtime = made
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("r")
        form = await dialog(pilot, FormDialog)
        for field, value in (("host", "ghcr.io"), ("username", "ana"), ("password", "tr0ub4dor")):
            form.query_one(f"#field-{field}", Input).value = value
        await pilot.press("ctrl+s")
        await until(pilot, lambda: ("", "ghcr.io", "ana") in texts(page))
        assert runtime.values.registry_auth("ghcr.io/a/b")


async def test_a_login_that_is_not_taken_is_told_with_the_server(
    made: tuple[KomodoApp, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, runtime = made
    live = runtime.fleet.state.define(ServerDefinition(name="web-1", address="web-1"))
    live.status, live.engine = "up", Engine(status="up")
    login = Secret('{"username": "ana", "password": "tr0ub4dor"}')
    runtime.values.change(
        ValueOperation(verb="set", kind="registry", name="ghcr.io", token=runtime.values.hand_in(login))
    )

    async def check(*given: object) -> tuple[LoginCheck, ...]:
        assert given[2:] == ("ghcr.io", ["web-1"])
        return (LoginCheck("web-1", accepted=False, why="unauthorized"),)

    monkeypatch.setattr("komodo_tui.ui.variables.flows.check_login", check)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        await pilot.press("v")
        await pilot.pause()
        assert len(app.screen_stack) == 1  # a variable is no login
        row = next(key for key in page.table.model.view if page.table.model.rows[key].kind == "registry")
        page.table.choose(row)
        await pilot.press("v")
        shown = await dialog(pilot, ErrorDialog)
        assert "from web-1: unauthorized" in str(shown.message)


async def test_read_only_has_no_acts(tmp_path: Path) -> None:
    runtime = make_runtime(tmp_path, read_only=True)
    app = KomodoApp(runtime, tab="variables", now=lambda: NOW)
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        for key in ("N", "E", "X", "enter"):
            await pilot.press(key)
        await pilot.pause()
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
def test_looks_list(tmp_path: Path, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await ready(pilot)

    app = KomodoApp(make_runtime(tmp_path), tab="variables", now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=settle)
