"""How the Actions tab looks on a small and on a large terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from komodo_tui.ui.app import KomodoApp
from tests.ui.actions.lab import Lab, screen_text, until
from tests.ui.fleets import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.pages.actions import ActionsPage

SIZES = pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])


def app_of(lab: Lab) -> KomodoApp:
    """The program on its Actions tab."""
    return KomodoApp(lab.runtime, tab="actions", now=lambda: NOW)


async def ready(pilot: Pilot[Any]) -> ActionsPage:
    """The page, with its rows read and the detail of the cursor's shown where there is room."""
    page = cast("ActionsPage", cast("KomodoApp", pilot.app)._current)
    await until(lambda: page._looked and not page.feed.busy, "the acts")
    if page._detail_shown:
        await until(lambda: "no step has ended yet" in screen_text(pilot.app), "the detail")
    await pilot.pause()
    return page


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.some()
    return lab


@SIZES
def test_the_list(lab: Lab, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await ready(pilot)

    assert snap_compare(app_of(lab), terminal_size=size, run_before=settle)


@SIZES
def test_one_act_from_near(lab: Lab, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        await pilot.press("down", "down", "enter")
        await until(lambda: page.detail.has_focus and "look at its log" in screen_text(pilot.app), "the detail")
        await until(lambda: (line := page.table._line(2)) and line.cursor == "cursor-blur", "the list without focus")
        page.table.recheck()
        await pilot.pause()

    assert snap_compare(app_of(lab), terminal_size=size, run_before=settle)


@SIZES
def test_a_filter_that_finds_nothing(lab: Lab, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await ready(pilot)
        page.pane.set_filter("who:nobody today")
        await until(lambda: page.feed.find and not page.feed.busy and not page.feed.rows, "that nothing is found")
        await until(lambda: "Nothing matches" in screen_text(pilot.app), "what is said then")
        if size[0] > 160:
            await until(lambda: "No act is selected" in screen_text(pilot.app), "the empty detail")
        await pilot.pause()

    assert snap_compare(app_of(lab), terminal_size=size, run_before=settle)


@pytest.mark.parametrize("key", ["question_mark", "colon", "c"], ids=["help", "palette", "copy"])
def test_dialogs(lab: Lab, snap_compare: Any, key: str) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press(key)
        await until(lambda: len(pilot.app.screen_stack) == 2, "the dialog")
        if key != "c":  # what is listed without a word changes with each tab that is added
            await pilot.press(*("zoom" if key == "colon" else "sort"))
        await pilot.pause()

    assert snap_compare(app_of(lab), terminal_size=(80, 24), run_before=settle)
