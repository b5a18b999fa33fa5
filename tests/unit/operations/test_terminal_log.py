"""Opening and closing a terminal in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import ActError, ReadOnlyError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.settings import Settings
from komodo_tui.operations.terminals import TerminalNote
from tests.unit.operations.lab import ACTOR

if TYPE_CHECKING:
    from tests.unit.operations.lab import Lab

OPEN = TerminalNote(verb="open", target=Target(server="web-1", name="api", id="1" * 64), command="shell")


async def test_it_is_under_way_while_it_is_done_and_then_has_its_outcome(lab: Lab) -> None:
    async def effect() -> str:
        (row,) = lab.history.query()
        assert row.outcome is None
        return "session"

    assert await lab.process().terminals.act(OPEN, ACTOR, effect) == "session"
    (row,) = lab.history.query()
    assert (row.act, row.outcome, str(row.targets[0])) == ("open terminal", "success", "api@web-1")
    assert row.title == "Open a terminal in api@web-1: shell"
    assert lab.history.verify().rows == 2


async def test_why_it_could_not_be_opened_is_kept(lab: Lab) -> None:
    async def effect() -> None:
        raise ActError("api has no shell")

    with pytest.raises(ActError):
        await lab.process().terminals.act(OPEN, ACTOR, effect)
    (row,) = lab.history.query()
    assert (row.outcome, row.summary) == ("failed", "api has no shell")


async def test_read_only_refuses_to_open_and_notes_nothing(lab: Lab) -> None:
    async def effect() -> None:
        raise AssertionError("nothing may be done")

    with pytest.raises(ReadOnlyError):
        await lab.process(settings=Settings(read_only=True)).terminals.act(OPEN, ACTOR, effect)
    assert lab.history.query() == []
