"""Commands of config.yaml in the menus of containers and servers, and one typed for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.operations import Target
from komodo_tui.domain.settings import Command, Settings
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.terminal.own import own_items, run_own
from tests.ui.terminal.lab import until
from tests.ui.terminal.test_terminals_in_the_app import opened

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(
    commands=(
        Command(name="psql", command=("psql", "-U", "shop"), tags=("db",)),
        Command(name="console", command=("rails", "console"), confirm=True),
        Command(name="wipe", command=("wipe", "all things"), dangerous=True),
        Command(name="disks", command=("df", "-h"), on="server"),
    )
)
API = Target(server="web-1", name="api", id="api")


def labels(target: Target | None, *tags: str, settings: Settings = SETTINGS) -> list[str]:
    return [item.label for item in own_items(settings, target, tags)]


def test_they_are_offered_where_they_fit() -> None:
    assert labels(API) == ["console", "wipe", "run…", "run in a new one…"]
    assert labels(API, "prod", "db") == ["psql", "console", "wipe", "run…", "run in a new one…"]
    assert labels(Target(server="web-1"), "db") == ["disks", "run…"]
    assert labels(API, settings=Settings()) == ["run…", "run in a new one…"]


def test_in_a_container_that_does_not_run_only_a_new_one_can_run_something() -> None:
    items = own_items(SETTINGS, API, (), runs=False)
    assert [item.label for item in items if not item.disabled] == ["run in a new one…"]


def test_read_only_mode_shows_why_they_are_not_to_be_had() -> None:
    items = own_items(Settings(read_only=True, commands=SETTINGS.commands), API, ())
    assert {item.disabled for item in items} == {"read-only mode is on"}


def picked(label: str, *tags: str) -> str:
    """The id of an item."""
    return next(item.id for item in own_items(SETTINGS, API, tags) if item.label == label)


@pytest.mark.parametrize(("label", "keys"), [("psql", ()), ("console", ("y",)), ("wipe", ("a", "p", "i", "enter"))])
async def test_they_run_in_a_terminal_once_what_is_asked_was_given(
    tmp_path: Path, label: str, keys: tuple[str, ...]
) -> None:
    async with opened(tmp_path, settings=SETTINGS) as (app, manager, pilot):
        assert app._current is not None
        app.work(run_own(app._current, picked(label, "db"), API))
        if keys:
            await until(lambda: isinstance(app.screen, ConfirmDialog), "the question")
            assert not manager.terminals
            await pilot.press(*keys)
        await until(lambda: manager.terminals and manager.terminals[0].state == "running", "the program")
        asked = app.runtime.fleet.agent.requests[0].command  # type: ignore[attr-defined]
        assert asked == next(command.command for command in SETTINGS.commands if command.name == label)


async def test_what_is_not_confirmed_is_not_run(tmp_path: Path) -> None:
    async with opened(tmp_path, settings=SETTINGS) as (app, manager, pilot):
        assert app._current is not None
        app.work(run_own(app._current, picked("console"), API))
        await until(lambda: isinstance(app.screen, ConfirmDialog), "the question")
        await pilot.press("n")
        await until(lambda: not isinstance(app.screen, ConfirmDialog), "its end")
        assert not manager.terminals


async def test_one_command_typed_for_once(tmp_path: Path) -> None:
    async with opened(tmp_path, settings=SETTINGS) as (app, manager, pilot):
        assert app._current is not None
        app.work(run_own(app._current, picked("run…"), API))
        await until(lambda: isinstance(app.screen, FormDialog), "the form")
        await pilot.press(*"ls '/a b'", "ctrl+s")
        await until(lambda: manager.terminals and manager.terminals[0].state == "running", "the program")
        assert app.runtime.fleet.agent.requests[0].command == ("ls", "/a b")  # type: ignore[attr-defined]
