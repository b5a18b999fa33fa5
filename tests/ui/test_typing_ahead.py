"""Keys that come faster than the screen takes them: what acts on a field sees all that was typed before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.widgets import Static

from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.finder import Entry
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.pick import PickDialog
from komodo_tui.ui.modals.yaml_editor import Checked, YamlEditor
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.screen import ModalScreen

ENTRIES = [Entry(name) for name in ("alpha", "beta", "betamax")]


def search(query: str, most: int) -> Sequence[Entry]:
    return [entry for entry in ENTRIES if query in entry.label][:most]


async def result_of(tmp_path: Path, dialog: ModalScreen[Any], *keys: str) -> list[Any]:
    """What a dialog ends with when all keys arrive at once."""
    got: list[Any] = []
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    async with app.run_test() as pilot:
        app.push_screen(dialog, got.append)
        await pilot.pause()
        for key in keys:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: bool(got), "a result")
    return got


async def test_a_form_is_saved_with_the_last_letters(tmp_path: Path) -> None:
    form = FormDialog("form", [Field("name", "name")])
    assert await result_of(tmp_path, form, *"sleep", "ctrl+s") == [{"name": "sleep"}]


async def test_a_definition_is_saved_with_the_last_letters(tmp_path: Path) -> None:
    editor = YamlEditor("editor", "", lambda text: Checked(text, "fine"))
    assert await result_of(tmp_path, editor, *"kind", "ctrl+s") == ["kind"]


async def test_what_is_typed_wrong_and_mended_in_one_burst(tmp_path: Path) -> None:
    keys = (*"kix", "backspace", *"nd", "left", "x", "backspace", "end", "ctrl+s")
    editor = YamlEditor("editor", "", lambda text: Checked(text, "fine"))
    assert await result_of(tmp_path, editor, *keys) == ["kind"]
    form = FormDialog("form", [Field("name", "name")])
    assert await result_of(tmp_path, form, *keys) == [{"name": "kind"}]


@pytest.mark.parametrize(("keys", "wanted"), [((), "beta"), (("down",), "betamax")])
async def test_what_is_picked_is_what_was_typed(keys: tuple[str, ...], wanted: str, tmp_path: Path) -> None:
    (found,) = await result_of(tmp_path, PickDialog("pick", search), *"bet", *keys, "enter")
    assert found.label == wanted


FIELDS = [Field("name", "name"), Field("quick", "quick", "bool", value=False), Field("port", "port", value="80")]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ((*"web", "tab", "tab", *"99"), {"name": "web", "quick": False, "port": "99"}),
        ((*"web", "tab", "space", "tab", *"99"), {"name": "web", "quick": True, "port": "99"}),
        ((*"x", "tab", "tab", *"99", "shift+tab", "shift+tab", *"web"), {"name": "web", "quick": False, "port": "99"}),
        (("tab", "tab", "tab", "tab", "tab", *"web"), {"name": "web", "quick": False, "port": "80"}),  # round
        ((*"web", "enter", "space", "tab", *"99"), {"name": "web", "quick": True, "port": "99"}),
    ],
)  # fmt: skip
async def test_what_is_typed_behind_a_tab_goes_to_the_next_field(
    keys: tuple[str, ...], wanted: dict[str, Any], tmp_path: Path
) -> None:
    assert await result_of(tmp_path, FormDialog("form", FIELDS), *keys, "ctrl+s") == [wanted]


async def test_a_paste_is_text_whatever_is_in_it(tmp_path: Path) -> None:
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    got: list[Any] = []
    async with app.run_test() as pilot:
        app.push_screen(FormDialog("form", [Field("text", "text", "lines"), Field("port", "port")]), got.append)
        await pilot.pause()
        app.post_message(events.Paste("a:\tb\n\tc"))
        for key in ("tab", *"99", "ctrl+s"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: bool(got), "a result")
    assert got == [{"text": "a:\tb\n\tc", "port": "99"}]


async def test_what_is_wrong_with_the_last_letters_stays_told(tmp_path: Path) -> None:
    form = FormDialog("form", [Field("name", "name", help="a name")], check=lambda values: {"name": "it is taken"})
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    async with app.run_test() as pilot:
        app.push_screen(form)
        await pilot.pause()
        for key in (*"sleep", "ctrl+s"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        told = form.query_one("#help-name", Static)
        await until(lambda: told.has_class("-wrong"), "what is wrong")
        await pilot.pause()
        assert told.has_class("-wrong")
        await pilot.press("x")
        assert not told.has_class("-wrong")


async def test_the_help_of_the_field_in_use_is_whole(tmp_path: Path) -> None:
    fields = [Field(name, name, help="a long help " * 10) for name in ("one", "two")]
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(form := FormDialog("form", fields))
        await pilot.pause()
        await pilot.press("tab")
        heights = [form.query_one(f"#help-{name}").size.height for name in ("one", "two")]
        assert heights[0] == 1
        assert heights[1] > 1


async def test_one_escape_does_not_throw_away_what_was_typed(tmp_path: Path) -> None:
    got: list[Any] = []
    fields = [Field("name", "name"), Field("mode", "mode", "choice", "a", choices=(("a", "a"), ("b", "b")))]
    app = KomodoApp(still_runtime(tmp_path), tab="builds")
    async with app.run_test() as pilot:

        async def opened() -> FormDialog:
            form = FormDialog("form", [*fields, Field("fast", "fast", "bool", True)], verb="add")
            app.push_screen(form, got.append)
            await pilot.pause()
            return form

        await opened()
        await pilot.press("escape")
        assert got == [None], "nothing was typed"
        form = await opened()
        note = form.query_one("#form-note", Static)
        await pilot.press("a", "escape")
        assert note.display
        assert "Esc again" in str(note.visual)
        await pilot.press("b", "escape")
        assert got == [None], "it is another text that would go"
        assert form.values()["name"] == "ab"
        await pilot.press("escape")
        assert got == [None, None]
