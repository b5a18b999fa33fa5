"""The keymap of the settings: what is used of it, what is told, and that every binding can be named in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from komodo_tui.domain.settings import Settings
from komodo_tui.ui import keymap
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.keymap import Known, checked, known_bindings
from komodo_tui.ui.modals.pick import PickDialog
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import until

if TYPE_CHECKING:
    from pathlib import Path

EVERYWHERE = frozenset({keymap.EVERYWHERE})
KNOWN = {
    known.id: known
    for known in (
        Known("app.help", frozenset({"question_mark", "f1"}), EVERYWHERE),
        Known("table.down", frozenset({"down", "j"}), EVERYWHERE),
        Known("container.stop", frozenset({"S"}), frozenset({"containers"})),
        Known("container.restart", frozenset({"R"}), frozenset({"containers"})),
        Known("logs.follow", frozenset({"f"}), frozenset({"logs"})),
        Known("quit.yes", frozenset({"y"}), frozenset({"dialog QuitDialog"})),
    )
}


@pytest.mark.parametrize(
    "lines",
    [
        {"container.restart": "f5"},
        {"container.restart": "R,f5"},
        {"container.restart": "f"},  # logs.follow is on another page
        {"quit.yes": "j"},  # nothing else works in a dialog
        {"container.restart": "S", "container.stop": "R"},
        {"container.stop": "f5", "container.restart": "S"},
        {"table.down": "ctrl+n"},
        {"app.help": "?"},
    ],
)
def test_lines_that_can_be_used(lines: dict[str, str]) -> None:
    good, wrong = checked(lines, KNOWN)
    assert wrong == []
    assert good.keys() == lines.keys()


@pytest.mark.parametrize(
    ("name", "keys", "why"),
    [
        ("container.restart", "S", "S is container.stop"),
        ("container.restart", "f9,j", "j is table.down"),
        ("app.help", "f", "f is logs.follow"),
        ("table.down", "g", "go-to"),
        ("table.down", "ctrl+foo", "ctrl+foo is no key"),
        ("table.down", "", "no key is given"),
        ("container.restrat", "f5", "did you mean container.restart"),
    ],
)
def test_a_wrong_line_is_told_and_left_out_alone(name: str, keys: str, why: str) -> None:
    good, wrong = checked({name: keys, "quit.yes": "f8"}, KNOWN)
    assert good == {"quit.yes": "f8"}
    (text,) = wrong
    assert name in text
    assert why in text


def test_of_two_lines_for_one_key_the_first_gets_it() -> None:
    good, wrong = checked({"container.stop": "f5", "container.restart": "f5"}, KNOWN)
    assert good == {"container.stop": "f5"}
    assert len(wrong) == 1


def test_every_binding_has_an_id_and_a_word() -> None:
    known_bindings()
    for node in set(keymap._ours(DOMNode)):
        for binding in node.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding), node
            assert binding.id, (node, binding)


def test_no_page_has_two_bindings_of_its_own_for_one_key() -> None:
    for node in set(keymap._ours(DOMNode)):
        keys = [binding.key for binding in Binding.make_bindings(node.__dict__.get("BINDINGS", ()))]
        assert len(keys) == len(set(keys)), node


async def test_the_program_uses_the_good_lines_and_tells_the_others(tmp_path: Path) -> None:
    settings = Settings(keymap={"app.help": "f2", "app.palette": "minus"})
    app = KomodoApp(still_runtime(tmp_path, settings), tab="builds")
    async with app.run_test() as pilot:
        await until(lambda: len(app._notifications) == 1, "the notice")
        (notice,) = app._notifications
        assert "minus is app.last" in notice.message
        await pilot.press("question_mark", "f1")
        assert len(app.screen_stack) == 1
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, PickDialog), "help at its new key")
        await pilot.press("escape", "colon")
        await until(lambda: isinstance(app.screen, PickDialog), "the palette at its old one")
