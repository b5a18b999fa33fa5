"""How terminals look in the program: the page, its list, the drawer, a shell that could not be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.terminal.deck import drawer_of
from komodo_tui.ui.terminal.manager import TerminalManager, use_manager
from komodo_tui.ui.terminal.open import open_container_shell
from tests.ui.fleets import NOW, fill
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import local_core, script, until
from tests.ui.terminal.test_terminals_in_the_app import LEAVE, Executor, Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

SMALL, LARGE = (80, 24), (200, 50)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KomodoApp:
    """The program on a page without a list, with a fleet whose containers all run one program."""
    monkeypatch.setenv("LANG", "C.UTF-8")
    runtime = still_runtime(tmp_path)
    runtime.fleet = Fleet(script(tmp_path, r"printf '\033[32mready\033[0m to \033[1mwork\033[0m\n$ '; exec cat"))
    runtime.executor = Executor()
    fill(runtime.fleet.state)
    app = KomodoApp(runtime, tab="settings", now=lambda: NOW)
    use_manager(app, TerminalManager(local_core, clock=lambda: NOW))
    return app


async def started(pilot: Pilot[Any], *containers: str) -> TerminalManager:
    """Shells in these containers, each with its picture drawn."""
    from komodo_tui.ui.terminal.manager import manager_of

    app = cast("KomodoApp", pilot.app)
    manager = manager_of(app)
    for name in containers:
        await pilot.pause()
        assert app._current is not None
        before = len(manager.terminals)
        open_container_shell(app._current, "web-01", name, name)
        await until(lambda: len(manager.terminals) > before, "the terminal")  # noqa: B023
        await until(lambda: manager.terminals[-1].state in ("running", "failed"), "its program")
        if manager.terminals[-1].state == "running":
            await until(lambda: manager.terminals[-1].picture._rows.get(1), "its output")
    await pilot.pause()
    return manager


def test_a_terminal_on_a_small_screen(app: KomodoApp, snap_compare: Any) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await started(pilot, "api-1", "worker-2")

    assert snap_compare(app, terminal_size=SMALL, run_before=settle)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
def test_the_list_above_it(app: KomodoApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await started(pilot, "api-1")
        if size == LARGE:
            await pilot.press(LEAVE, "escape", "T")
            await pilot.pause()
        await pilot.press(LEAVE, "escape")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(120, 40), LARGE], ids=["120x40", "200x50"])
def test_the_drawer(app: KomodoApp, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await started(pilot, "api-1")
        await until(lambda: (drawer := drawer_of(pilot.app)) and drawer.deck.pane.has_focus, "the keys")
        await pilot.press(LEAVE)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


def test_a_container_without_a_shell(app: KomodoApp, snap_compare: Any) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await started(pilot, "bare")

    assert snap_compare(app, terminal_size=SMALL, run_before=settle)


def test_quitting(app: KomodoApp, snap_compare: Any) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await started(pilot, "api-1")
        await pilot.press(LEAVE, "ctrl+q")
        await until(lambda: len(pilot.app.screen_stack) == 2, "the question")
        await pilot.pause()

    assert snap_compare(app, terminal_size=SMALL, run_before=settle)
