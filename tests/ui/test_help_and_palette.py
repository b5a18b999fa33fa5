"""``?`` and ``:``: what they list, how they find, and that what they name works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from komodo_tui.domain.operations import ContainerOperation
from komodo_tui.domain.settings import Settings
from komodo_tui.store.history import History
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.finder import Entry, find
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.pages import PAGES
from tests.ui.fleets import NOW, furnish
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import screen_text, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.pilot import Pilot


def make_app(folder: Path, tab: str = "containers", settings: Settings | None = None) -> KomodoApp:
    """The program before a small fleet."""
    runtime = still_runtime(folder, settings)
    executor: Any = furnish(runtime)
    executor.under_way = lambda record: False
    runtime.history = History(folder / "history")
    return KomodoApp(runtime, tab=tab, now=lambda: NOW)


async def opened(app: KomodoApp, pilot: Pilot[Any], key: str, typed: str = "") -> PickDialog:
    """The dialog of a key, with this typed into it."""
    await pilot.pause()
    await pilot.press(key)
    await until(lambda: isinstance(app.screen, PickDialog) and bool(app.screen.query(Input)), "the dialog")
    dialog = app.screen
    assert isinstance(dialog, PickDialog)
    dialog.query_one(Input).value = typed
    await pilot.pause()
    return dialog


def labels(entries: Sequence[Entry]) -> list[str]:
    """What is listed."""
    return [entry.label for entry in entries]


def test_the_best_come_first() -> None:
    names = ("web-1@edge", "edge", "knowledge", "ledger", "api-edge-2", "e-d-g-e-x")
    entries = [Entry(name) for name in names] + [Entry("settings", aliases=("edge-of",)), Entry("x", help="on edge")]
    assert labels(find("edge", entries, 9)) == ["edge", "web-1@edge", "api-edge-2", "ledger", "knowledge", "x"]
    assert labels(find("edge-of", entries, 9))[0] == "settings"
    assert labels(find("egx", entries, 9)) == ["e-d-g-e-x"], "letters in their order, where nothing better is there"
    assert labels(find("edge 2", entries, 9)) == ["api-edge-2"]
    assert labels(find("", entries, 2)) == ["web-1@edge", "edge"]
    assert find("nothing", entries, 9) == []


async def test_help_lists_the_keys_of_the_focused_pane_and_all_around_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "question_mark")
        ids = {entry.kind for entry in dialog.found}
        assert {"table.mark", "list.filter", "container.restart", "app.palette", "tab.actions", "go to"} <= ids
        assert not any(kind.startswith(("logs.", "terminal.", "servers.")) for kind in ids), "what works now alone"
        down = next(entry for entry in dialog.found if entry.kind == "table.down")
        assert down.key == "↓ j"


async def test_help_is_searched_by_word_key_and_id_and_does_what_the_key_does(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "question_mark", "container.restart")
        assert labels(dialog.found) == ["restart"]
        dialog.query_one(Input).value = "filter"
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: app.query("FilterBar.-open"), "the filter")


async def test_help_in_a_dialog_lists_its_keys_alone(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("o")
        await until(lambda: len(app.screen_stack) == 2, "the menu")
        app.action_help()
        await until(lambda: isinstance(app.screen, PickDialog), "help")
        assert isinstance(app.screen, PickDialog)
        await pilot.pause()
        ids = {entry.kind for entry in app.screen.found}
        assert "menu.down" in ids
        assert not ids & {"table.mark", "go to", "container.restart"}


@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.id)
async def test_the_palette_goes_to_every_view(tmp_path: Path, spec: Any) -> None:
    app = make_app(tmp_path, tab="builds")
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "colon", spec.title.lower())
        assert (dialog.found[0].label, dialog.found[0].kind) == (spec.title, "view")


async def test_the_palette_goes_to_a_container_by_its_name(tmp_path: Path) -> None:
    app = make_app(tmp_path, tab="builds")
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "ctrl+p", "api-1")
        assert dialog.found[0].label == "api-1@web-01"
        await pilot.press("enter")
        await until(lambda: app._page_id(app._current) == "containers" if app._current else False, "the page")
        await until(lambda: getattr(app._current, "in_detail", False), "its detail")


async def test_the_palette_goes_to_a_server(tmp_path: Path) -> None:
    app = make_app(tmp_path, tab="builds")
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "colon", "db-01")
        assert (dialog.found[0].label, dialog.found[0].kind) == ("db-01", "server")


async def test_the_palette_acts_on_a_container_that_is_not_on_screen(tmp_path: Path) -> None:
    app = make_app(tmp_path, tab="builds")
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "colon", "restart api-1")
        assert dialog.found[0].label == "restart api-1@web-01"
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmDialog), "the plan")
        assert isinstance(app.screen, ConfirmDialog)
        operation = app.screen.plan.operation
        assert isinstance(operation, ContainerOperation)
        assert (operation.verb, str(operation.targets[0])) == ("restart", "api-1@web-01")


async def test_read_only_offers_no_acts(tmp_path: Path) -> None:
    app = make_app(tmp_path, tab="builds", settings=Settings(read_only=True))
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "colon", "restart api-1")
        assert not any(entry.kind == "act" for entry in dialog.found)


async def test_q_in_the_palette_quits(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot, "colon", "q")
        await pilot.press("enter")
        await until(lambda: not app.is_running, "the end")


async def test_no_cursor_blinks_in_a_dialog(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        dialog = await opened(app, pilot, "colon")
        assert not dialog.query_one(Input).cursor_blink
        await pilot.press("escape", "N")
        await until(lambda: len(app.screen_stack) == 2, "the form of a new container")
        await pilot.pause()
        fields = app.screen.query(Input)
        assert fields
        assert not any(field.cursor_blink for field in fields)


async def test_names_are_text_and_no_markup(tmp_path: Path) -> None:
    dialog = PickDialog("[b]x", lambda query, limit: [Entry("[red]web[/red]", "server", "[link=x]y")])
    app = make_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.push_screen(dialog)
        await until(lambda: "[red]web[/red]" in "\n".join(screen_text(app)), "the name as it is")


@pytest.mark.parametrize("tab", ["servers", "containers", "actions", "terminals", "builds"])
async def test_every_key_the_footer_names_does_something(tmp_path: Path, tab: str) -> None:
    """Each hint stands for a binding whose action is there; a name without one would do nothing, silently."""
    app = make_app(tmp_path, tab=tab)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        for active in app.screen.active_bindings.values():
            name = active.binding.action.partition("(")[0]
            node: Any = active.node
            if "." in name:
                scope, _, name = name.partition(".")
                node = {"app": app, "screen": app.screen}[scope]
            assert hasattr(node, f"action_{name}") or hasattr(node, f"_action_{name}"), active.binding
