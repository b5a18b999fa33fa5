"""The program on the screen that watches by itself: after a question, while no ``watch`` does, and never read-only."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.syncs import SyncDefinition
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.paths import StateDirectory
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.quit import QuitDialog
from komodo_tui.ui.modals.watch_here import WatchHereDialog
from komodo_tui.ui.pages.schedules import SchedulesPage
from komodo_tui.ui.watching import watching_of
from komodo_tui.ui.widgets.footer import HintFooter
from komodo_tui.ui.widgets.header import FleetLine
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.watch import follow, holding, host
from komodo_tui.watch.ahead import Ahead
from komodo_tui.watch.turn import WatchTurn, holder_of
from komodo_tui.wiring import build_runtime
from tests.ui.fleets import NOW, furnish
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

SMALL, LARGE = (80, 24), (200, 50)
NIGHTLY = {
    "name": "nightly", "schedule": "every day at 03:00", "timezone": "UTC", "catch_up": "last",
    "stages": [{"name": "a", "steps": [{"sleep": {"seconds": "1"}}]}],
}  # fmt: skip


def define(root: Path, *, repo: bool = False) -> DefinitionStore:
    """A procedure with a schedule, and a sync of a folder."""
    store = DefinitionStore(StateDirectory(root, root, root).definitions)
    store.put("procedure", "nightly", msgspec.convert(NIGHTLY, ProcedureDefinition), None)
    files = root / "files"
    files.mkdir()
    (files / "fleet.yaml").write_text("variables: [{name: LIMIT, value: '7'}]")
    sync = SyncDefinition(name="fleet", folder=str(files), automatic=True, every="10s")
    store.put("sync", "fleet", sync, None)
    if repo:
        store.put("repo", "shop", RepoDefinition(name="shop", url="git@example.org:shop.git", poll="1m"), None)
    return store


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(60):
        while not reached():
            await pilot.pause()
            await asyncio.sleep(0.01)


def header(pilot: Pilot[Any]) -> str:
    """The right end of the second line."""
    return "".join(text for text, _ in pilot.app.screen_stack[0].query_one(FleetLine)._right)


def foot(pilot: Pilot[Any]) -> str:
    """What the page says of who watches."""
    lines = pilot.app.screen_stack[0].query_one("#watched", Lines)._lines
    return "\n".join("".join(text for text, _ in line) for line in lines)


def limit(root: Path) -> str:
    """What the sync has brought."""
    tables = json.loads((root / "definitions.json").read_text())
    return str(tables.get("variables", {}).get("LIMIT", {}).get("value", ""))


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without an engine, and looks follow each other at once."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    for module in (follow, host, holding):
        monkeypatch.setattr(module, "LOOK", 0.05)


@pytest.mark.usefixtures("no_engine")
async def test_servers_that_others_add_change_and_remove_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    app = KomodoApp(build_runtime(root), tab="servers")
    async with app.run_test(size=SMALL) as pilot:
        servers = app.runtime.fleet.state.servers
        await until(pilot, lambda: "local" in servers)
        others = DefinitionStore(StateDirectory(root, root, root).definitions)
        rev = others.put("server", "web-1", ServerDefinition(name="web-1", address="127.0.0.1:1"), None)
        await until(pilot, lambda: list(servers) == ["web-1"])
        rev = others.put("server", "web-1", ServerDefinition(name="web-1", address="127.0.0.1:2"), rev)
        await until(pilot, lambda: servers["web-1"].definition.address == "127.0.0.1:2")
        others.delete("server", "web-1", rev)
        await until(pilot, lambda: list(servers) == ["local"])
        others.close()


@pytest.mark.usefixtures("no_engine")
async def test_after_a_yes_it_watches_gives_way_and_stops_when_told(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    define(root).close()
    app = KomodoApp(build_runtime(root), tab="schedules")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "nobody watches" in header(pilot) and "would be missed" in foot(pilot))
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, WatchHereDialog) and app.screen.is_mounted)
        assert isinstance(app.screen, WatchHereDialog)
        lines = [line for line, _ in app.screen._lines()]
        assert [line.partition(" ")[0] for line in lines] == ["runs", "looks"], "no alerter is there to be told"
        await pilot.press("n")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert (limit(root), holder_of(root)) == ("", None)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, WatchHereDialog) and app.screen.is_mounted)
        await pilot.press("y")
        await until(pilot, lambda: limit(root) == "7" and "watching" in header(pilot))
        await until(pilot, lambda: "this program watches" in foot(pilot) and "fleet: applied" in foot(pilot))
        holder = holder_of(root)
        assert holder is not None
        assert (holder.program, holder.pid) == ("tui", os.getpid())
        assert "watch_here: true" in (root / "config.yaml").read_text().splitlines()
        # leaving it while it acts on a push is asked about
        watching = watching_of(app)
        assert watching is not None
        watching.ahead = Ahead(acting=1)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, QuitDialog) and app.screen.is_mounted)
        await pilot.press("n")
        await until(pilot, lambda: len(app.screen_stack) == 1)

        watch = WatchTurn(root, "watch", "ana")
        await watch.take_over()
        await until(pilot, lambda: "watched by" in foot(pilot) and "watching" not in header(pilot))
        watch.release()
        await until(pilot, lambda: "this program watches" in foot(pilot))

        await pilot.press("S")
        await until(pilot, lambda: holder_of(root) is None and "nobody watches" in header(pilot))
        assert "watch_here: false" in (root / "config.yaml").read_text().splitlines()
        (root / "config.yaml").write_text("watch_here: true\n")  # by hand, while it is open
        await until(pilot, lambda: "watching" in header(pilot))
    assert holder_of(root) is None


@pytest.mark.usefixtures("no_engine")
async def test_read_only_it_watches_nothing_whatever_the_settings_say(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    define(root).close()
    (root / "config.yaml").write_text("watch_here: true\n")
    app = KomodoApp(build_runtime(root, read_only=True), tab="schedules")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "nobody watches" in header(pilot) and "nobody watches" in foot(pilot))
        await pilot.press("S")
        await until(pilot, lambda: "read-only" in str(app.query_one(HintFooter)._message))
        assert (limit(root), holder_of(root)) == ("", None)


async def settle(pilot: Pilot[Any], *, dialog: bool) -> None:
    """What is read is there."""
    page = pilot.app.query_one(SchedulesPage)
    await until(pilot, lambda: page.table.model.view and page.table.has_focus and "nobody watches" in foot(pilot))
    if dialog:
        await pilot.press("U")
        await until(pilot, lambda: isinstance(pilot.app.screen, WatchHereDialog) and pilot.app.screen.is_mounted)
    await pilot.pause()


@pytest.mark.parametrize("dialog", [False, True])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_looks(snap_compare: Any, tmp_path: Path, size: tuple[int, int], dialog: bool) -> None:
    runtime = still_runtime(tmp_path)
    executor = furnish(runtime)
    runtime.alerts = executor.alerts = AlertStore(tmp_path / "alerts.db")
    lock = runtime.alerts.evaluator_lock()
    assert lock.try_acquire()  # whoever evaluates already: this program then only reads
    runtime.definitions = define(tmp_path, repo=True)
    app = KomodoApp(runtime, tab="schedules", now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=partial(settle, dialog=dialog))
    lock.release()
