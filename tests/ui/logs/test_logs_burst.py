"""Keys that come in one burst, as from a slow link, go where the person meant them to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from tests.ui.logs.lab import LogLab, filled, showing
from tests.unit.log_wire import Agent

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {"/": "slash", "\r": "enter"}


def _burst(lab: LogLab, keys: str) -> None:
    for key in keys:
        lab.app.post_message(events.Key(_NAMES.get(key, key), key))


async def test_letters_behind_a_slash_are_the_pattern_and_no_commands(tmp_path: Path) -> None:
    async with showing(tmp_path, {"s0": Agent({"a": filled((2, "quit wrap gft"), (1, "other"))})}) as lab:
        await lab.shows("other")
        _burst(lab, "/quit wrap gft\r")
        await lab.shows("/ quit wrap gft  1 matches")
        assert lab.page.display
        assert not lab.page.console.view.wrap
        assert "FOLLOW" in lab.rows()[0]


async def test_where_no_field_opens_the_keys_are_worked_after_a_moment(tmp_path: Path) -> None:
    async with showing(tmp_path, {"s0": Agent({"a": filled((1, "line"))})}) as lab:
        await lab.press("escape")
        await lab.until(lambda: not lab.page.display, "the page before")
        _burst(lab, "/gl")
        await lab.until(lambda: lab.page.display, "the logs, by their chord")
