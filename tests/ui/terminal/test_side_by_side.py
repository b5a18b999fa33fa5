"""Two terminals side by side where there is room, and terminals with names of their own."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from textual.widgets import Input

from komodo_tui.ui.modals.form import FormDialog
from tests.ui.terminal.lab import screen_text, script, until
from tests.ui.terminal.test_terminals_in_the_app import LEAVE, opened, page_id, start

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from komodo_tui.ui.pages.terminals import TerminalsPage
    from komodo_tui.ui.terminal.deck import Deck

WIDE, NARROW = (200, 28), (150, 28)


def shown(deck: Deck) -> list[str]:
    """The names of the terminals that are shown, from left to right."""
    return [pane.terminal.name for pane in deck._panes if pane.display and pane.terminal is not None]


async def test_two_side_by_side_and_the_keys_go_between_them(tmp_path: Path) -> None:
    async with opened(tmp_path, size=WIDE) as (app, manager, pilot):
        await start(app, manager, "one", "two", "three")
        page: TerminalsPage = app._current  # type: ignore[assignment]
        assert page_id(app) == "terminals"
        deck = page.deck
        assert shown(deck) == ["three@web-1"]
        await pilot.press(LEAVE, "vertical_line")
        await pilot.pause()
        assert shown(deck) == ["three@web-1", "one@web-1"]
        left, right = deck._panes
        await until(lambda: manager.terminals[0].size[0] == right.size.width, "the size of the right one")
        assert left.size.width + right.size.width + 1 == WIDE[0]
        await pilot.press("right_square_bracket")  # the next is shown already: the keys go there
        await until(lambda: right.has_focus, "the keys at the right")
        assert manager.current is manager.terminals[0]
        await pilot.press(LEAVE, "right_square_bracket")
        await pilot.pause()
        assert shown(deck) == ["three@web-1", "two@web-1"]
        await pilot.press(LEAVE, "x", "y")
        await until(lambda: len(manager.terminals) == 2, "its end")
        await pilot.pause()
        assert sorted(shown(deck)) == ["one@web-1", "three@web-1"]
        await until(lambda: left.has_focus, "the keys at the left")
        assert left.modes.mode == "PANE", "as after closing any terminal"
        await pilot.press("vertical_line")
        await pilot.pause()
        assert len(shown(deck)) == 1
        assert manager.current is not None
        assert shown(deck) == [manager.current.name]


async def test_where_there_is_no_room_it_says_so_and_a_smaller_window_shows_one(tmp_path: Path) -> None:
    async with opened(tmp_path, size=NARROW) as (app, manager, pilot):
        await start(app, manager, "one", "two")
        page: TerminalsPage = app._current  # type: ignore[assignment]
        await pilot.press(LEAVE, "vertical_line")
        await pilot.pause()
        assert shown(page.deck) == ["two@web-1"]
        assert "160 columns" in manager.terminals[1].notice
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        await pilot.press("vertical_line")
        await pilot.pause()
        assert len(shown(page.deck)) == 2
        await pilot.resize_terminal(*NARROW)
        await until(lambda: shown(page.deck) == ["two@web-1"], "one alone")


async def test_a_name_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, manager, pilot):
        await start(app, manager, "one")
        await pilot.press(LEAVE, "r")
        await until(lambda: isinstance(app.screen, FormDialog), "the form")
        await pilot.press("end", *"-x", "ctrl+s")
        await until(lambda: manager.terminals[0].name == "one@web-1-x", "the name")


async def test_screen_and_history_are_saved_also_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = script(tmp_path, "seq -f line-%g 100; read x; exit 3")
    kept = tmp_path / "kept.txt"

    async def save() -> None:
        await until(lambda: isinstance(app.screen, FormDialog), "the form")
        field = app.screen.query_one(Input)
        field.value = str(kept)
        await pilot.press("ctrl+s")

    async with opened(tmp_path, program=program) as (app, manager, pilot):
        await start(app, manager, "one")
        (terminal,) = manager.terminals
        await pilot.press(LEAVE, "W")
        await save()
        await until(lambda: "100 lines written to" in terminal.notice, "what became of it")
        assert kept.read_text().splitlines() == [f"line-{number}" for number in range(1, 101)]
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        await pilot.press("i", "enter")
        await until(lambda: terminal.state == "ended", "the end")
        await pilot.press("W")
        await save()
        await until(lambda: "exists already" in "\n".join(screen_text(app)), "that nothing is overwritten")
