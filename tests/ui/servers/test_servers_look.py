"""Stills of the Servers page and its dialogs, at a small terminal and a large one."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from komodo_tui.domain.settings import Settings
from komodo_tui.fleet.live import Changes
from komodo_tui.ui.pages.servers import ServersPage
from komodo_tui.ui.prompts import QuestionDialog
from tests.ui.servers.lab import app_of, build, happen, no_docker, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen

    from tests.ui.still import StillRuntime

SMALL, LARGE = (80, 24), (200, 50)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
Compare = Any
"""The fixture ``snap_compare``, which has no types."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same times and signs everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def runtime(tmp_path: Path) -> StillRuntime:
    """One server of each kind."""
    return build(tmp_path)


def on(name: str, *keys: str, dialog: bool = False) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Choose a server, press keys, and wait until all is drawn; ``dialog``: each key opens one in place of the last."""

    async def prepare(pilot: Pilot[int]) -> None:
        page = pilot.app.query_one(ServersPage)
        await until(pilot, lambda: page.overview.table.model.view)
        happen(page.runtime.fleet.state)
        if name:
            page.overview.table.choose(name)
        await settle(pilot)  # what lies under a dialog is not laid out any more
        before = pilot.app.screen
        for key in keys:
            await pilot.press(key)
            if dialog:
                await until(pilot, partial(another_screen, pilot, before))
            before = pilot.app.screen
        await settle(pilot)

    return prepare


async def settle(pilot: Pilot[int]) -> None:
    """Dialogs mounted, the past of graphs there and drawn, no cursor that blinks."""
    before = ""
    while before != (now := pilot.app.export_screenshot()):
        before = now
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        for _ in range(3):  # a tick may lay out anew, which the next one draws into
            await painted(pilot)
            pilot.app.query_one(ServersPage).tick(Changes())
        await painted(pilot)


async def painted(pilot: Pilot[int]) -> None:
    """The screen has been laid out and drawn."""
    done = asyncio.Event()
    pilot.app.screen.call_after_refresh(done.set)
    await until(pilot, done.is_set)
    await pilot.pause()


def another_screen(pilot: Pilot[int], before: Screen[object]) -> bool:
    """Whether a dialog is shown that was not there before."""
    return pilot.app.screen is not before and len(pilot.app.screen_stack) > 1


@SIZES
def test_the_fleet(snap_compare: Compare, runtime: StillRuntime, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(runtime), terminal_size=size, run_before=on("web-01"))


def test_the_fleet_on_a_middling_terminal(snap_compare: Compare, runtime: StillRuntime) -> None:
    assert snap_compare(app_of(runtime), terminal_size=(120, 40), run_before=on("edge-03"))


def test_the_fleet_in_ascii(snap_compare: Compare, tmp_path: Path) -> None:
    app = app_of(build(tmp_path, Settings(ascii=True, graphs="ascii")))
    assert snap_compare(app, terminal_size=SMALL, run_before=on("edge-03"))


def test_an_empty_fleet_teaches(snap_compare: Compare, runtime: StillRuntime) -> None:
    for name in list(runtime.fleet.state.servers):
        runtime.fleet.state.forget(name)

    async def prepare(pilot: Pilot[int]) -> None:
        await settle(pilot)

    assert snap_compare(app_of(runtime), terminal_size=SMALL, run_before=prepare)


@SIZES
def test_a_server_from_near(snap_compare: Compare, runtime: StillRuntime, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(runtime), terminal_size=size, run_before=on("web-01", "enter"))


@pytest.mark.parametrize("tab", range(1, 6), ids=["containers", "filesystems", "devices", "processes", "system"])
def test_its_sub_tabs(snap_compare: Compare, runtime: StillRuntime, tab: int) -> None:
    keys = ["enter", *["right_square_bracket"] * tab]
    assert snap_compare(app_of(runtime), terminal_size=SMALL, run_before=on("web-01", *keys))


@pytest.mark.parametrize("name", ["edge-03", "new-01", "bare-01", "gate", "vault"])
def test_a_server_that_is_not_well_from_near(snap_compare: Compare, runtime: StillRuntime, name: str) -> None:
    assert snap_compare(app_of(runtime), terminal_size=SMALL, run_before=on(name, "enter"))


@pytest.mark.parametrize("tab", [0, 1], ids=["graphs", "containers"])
def test_a_server_without_docker_says_what_is_missing(snap_compare: Compare, runtime: StillRuntime, tab: int) -> None:
    no_docker(runtime.fleet.state.servers["web-01"])
    keys = ["enter", *["right_square_bracket"] * tab]
    assert snap_compare(app_of(runtime), terminal_size=SMALL, run_before=on("web-01", *keys))


@SIZES
@pytest.mark.parametrize("name", ["edge-03", "new-01", "bare-01", "gate", "vault", "web-01"])
def test_how_a_server_stands(snap_compare: Compare, runtime: StillRuntime, name: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(runtime), terminal_size=size, run_before=on(name, "p", dialog=True))


@SIZES
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("web-01", "m"), ("web-01", "c"), ("web-01", "N"), ("web-01", "Nb"), ("web-01", "e"), ("vault", "X"),
        ("bare-01", "I"),
    ],
    ids=["menu", "copy", "hosts", "add", "edit", "remove", "install"],
)  # fmt: skip
def test_its_dialogs(snap_compare: Compare, runtime: StillRuntime, name: str, keys: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(runtime), terminal_size=size, run_before=on(name, *keys, dialog=True))


@SIZES
def test_a_question_of_a_server(snap_compare: Compare, runtime: StillRuntime, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[int]) -> None:
        questions = [("Password for ana:", False), ("Code [b]now[/b]:", True)]
        pilot.app.push_screen(QuestionDialog("web-01 asks", "Two factors, please.", questions))
        await settle(pilot)

    assert snap_compare(app_of(runtime), terminal_size=size, run_before=prepare)
