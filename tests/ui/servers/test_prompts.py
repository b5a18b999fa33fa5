"""Questions of servers, asked in dialogs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, Static

from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.prompts import QuestionDialog, ShellPrompter
from tests.ui.servers.lab import app_of, build, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[int]]:
    """The app."""
    async with app_of(build(tmp_path)).run_test(size=(80, 24)) as found:
        yield found


async def shown(pilot: Pilot[int]) -> QuestionDialog:
    """The dialog once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, QuestionDialog) and pilot.app.screen.query(Input))
    assert isinstance(pilot.app.screen, QuestionDialog)
    return pilot.app.screen


def prompter(pilot: Pilot[int]) -> ShellPrompter:
    """Asks in this app."""
    assert isinstance(pilot.app, KomodoApp)
    return ShellPrompter(pilot.app)


async def test_a_passphrase_is_asked_hidden_and_given_back(pilot: Pilot[int]) -> None:
    asked = asyncio.create_task(prompter(pilot).passphrase("web-01", "/home/ana/.ssh/id"))
    dialog = await shown(pilot)
    assert dialog.query_one(Input).password
    await pilot.press(*"pa [x]", "enter")
    assert await asked == "pa [x]"
    assert not isinstance(pilot.app.screen, QuestionDialog)


async def test_a_wrong_passphrase_is_said_to_be_wrong(pilot: Pilot[int]) -> None:
    ask = prompter(pilot)
    for expected in ("This key is locked", "It was not that one"):
        asked = asyncio.create_task(ask.passphrase("web-01", "/k"))
        dialog = await shown(pilot)
        assert any(expected in str(line.render()) for line in dialog.query(Static))
        await pilot.press("x", "enter")
        await asked


async def test_leaving_is_no_answer(pilot: Pilot[int]) -> None:
    asked = asyncio.create_task(prompter(pilot).passphrase("web-01", "/k"))
    await shown(pilot)
    await pilot.press("escape")
    assert await asked is None


async def test_several_questions_each_in_its_field_and_shown_only_where_it_may_be(pilot: Pilot[int]) -> None:
    questions = [("User [b]code[/b]:", True), ("Password:", False)]
    asked = asyncio.create_task(prompter(pilot).answers("db", "Two factors", "from the token", questions))
    dialog = await shown(pilot)
    assert [field.password for field in dialog.query(Input)] == [False, True]
    await pilot.press(*"12", "enter", *"pw", "enter")
    assert await asked == ["12", "pw"]


async def test_what_a_server_only_says_is_not_waited_for(pilot: Pilot[int]) -> None:
    assert await prompter(pilot).answers("db", "", "welcome", []) == []


async def test_two_servers_ask_one_after_the_other(pilot: Pilot[int]) -> None:
    ask = prompter(pilot)
    first = asyncio.create_task(ask.passphrase("one", "/k"))
    second = asyncio.create_task(ask.passphrase("two", "/k"))
    await shown(pilot)
    assert sum(isinstance(screen, QuestionDialog) for screen in pilot.app.screen_stack) == 1
    await pilot.press("1", "enter")
    assert await first == "1"
    await shown(pilot)
    await pilot.press("2", "enter")
    assert await second == "2"


async def test_a_login_given_up_takes_its_dialog_away(pilot: Pilot[int]) -> None:
    asked = asyncio.create_task(prompter(pilot).passphrase("web-01", "/k"))
    await shown(pilot)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await pilot.pause()
    assert len(pilot.app.screen_stack) == 1


async def test_the_app_is_who_answers(tmp_path: Path) -> None:
    runtime = build(tmp_path)
    async with app_of(runtime).run_test(size=(80, 24)) as pilot:
        assert runtime.questions.prompter is not None
        asked = asyncio.create_task(runtime.questions.prompter().passphrase("web-01", "/k"))
        await shown(pilot)
        await pilot.press("x", "enter")
        assert await asked == "x"


async def test_a_question_does_not_take_the_keys_of_somebody_who_types(tmp_path: Path) -> None:
    runtime = build(tmp_path)
    async with app_of(runtime).run_test(size=(80, 24)) as pilot:
        assert runtime.questions.prompter is not None
        pilot.app.push_screen(FormDialog("A form", [Field("name", "name")]))
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        asked = asyncio.create_task(runtime.questions.prompter().passphrase("web-01", "/k"))
        await pilot.press("a", "b")
        assert isinstance(pilot.app.screen, FormDialog)
        assert pilot.app.screen.values() == {"name": "ab"}
        await pilot.press("escape")
        await shown(pilot)
        await pilot.press("x", "enter")
        assert await asked == "x"
