"""The line a filter is typed in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import Input

from komodo_tui.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Busy(Vertical):
    """Something around the line that does not get to its messages for a while."""

    def __init__(self, *children: Any) -> None:
        super().__init__(*children)
        self.held = asyncio.Event()

    async def on_key(self, event: Key) -> None:
        await self.held.wait()


class BusyApp(App[None]):
    """A filter line in it."""

    def compose(self) -> ComposeResult:
        yield Busy(FilterBar())


async def test_a_letter_does_not_overtake_a_backspace() -> None:
    async with BusyApp().run_test() as pilot:
        field = pilot.app.query_one(Input)
        pilot.app.query_one(FilterBar).open("a")
        while not field.has_focus:
            await pilot.pause()
        for key in ("backspace", "b"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        while "b" not in field.value:
            await pilot.pause()
        pilot.app.query_one(Busy).held.set()
        await pilot.pause()
        assert field.value == "b"
