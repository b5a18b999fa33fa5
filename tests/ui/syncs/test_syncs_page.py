"""The Syncs page over real files and a real store: look, choose, apply, and what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.syncs import DefineSyncOperation, SyncDefinition
from komodo_tui.domain.values import VariableDefinition
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs import reading
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.pages.syncs import SyncsPage
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.wiring import Runtime, build_runtime
from tests.ui.fleets import NOW
from tests.ui.stacks.piloting import LARGE, SMALL, dialog, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

FLEET = """\
variables:
  - {name: PORT, value: "[red]80[/red]"}
  - {name: HOST, value: example}
repos:
  - {name: shop, url: "https://git.example/shop.git"}
"""


@pytest.fixture
async def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A program of its own that connects to nothing, with one sync of a folder."""

    async def nothing(self: Runtime, only: object = None) -> None:
        pass

    monkeypatch.setattr(Runtime, "start", nothing)
    read = reading._of_folder
    monkeypatch.setattr(reading, "_of_folder", lambda folder, path, every: read(tmp_path / "fleet", path, every))
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "fleet.yaml").write_text(FLEET)
    made = build_runtime(tmp_path / "home")
    await SyncDefinitions(made.definitions).change(
        DefineSyncOperation(verb="add", name="fleet", definition=SyncDefinition(name="fleet", folder="/etc/fleet"))
    )
    return made


def app_of(runtime: Runtime) -> KomodoApp:
    return KomodoApp(runtime, tab="syncs", now=lambda: NOW)


async def opened(pilot: Pilot[Any]) -> SyncsPage:
    """The page with the sync from near, looked at."""
    await until(pilot, lambda: pilot.app.query(SyncsPage) and pilot.app.query_one(SyncsPage).table.model.view)
    page = pilot.app.query_one(SyncsPage)
    await pilot.press("enter")
    await until(pilot, lambda: page.in_detail and page.current is not None and page.current.looked is not None)
    return page


def states(page: SyncsPage) -> dict[str, str]:
    return {item.name: item.state for item in page.detail.table.model.rows.values()}


def values(runtime: Runtime) -> dict[str, str]:
    return {stored.value.name: stored.value.value for stored in runtime.definitions.all("variable", VariableDefinition)}


async def test_all_is_applied_after_one_question(runtime: Runtime) -> None:
    app = app_of(runtime)
    async with app.run_test(size=SMALL) as pilot:
        page = await opened(pilot)
        assert states(page) == {"PORT": "new", "HOST": "new", "shop": "new"}
        await pilot.press("D")
        await dialog(pilot, ConfirmDialog)
        assert values(runtime) == {}
        await pilot.press("y")
        await until(pilot, lambda: page.current is not None and not states(page))
        assert values(runtime) == {"PORT": "[red]80[/red]", "HOST": "example"}


async def test_only_what_is_marked_and_never_what_was_changed_here(runtime: Runtime, tmp_path: Path) -> None:
    app = app_of(runtime)
    async with app.run_test(size=LARGE) as pilot:
        page = await opened(pilot)
        page.detail.table.choose(("variable", "HOST"))
        await pilot.press("space", "D")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: states(page) == {"PORT": "new", "shop": "new"})
        assert values(runtime) == {"HOST": "example"}

        (tmp_path / "fleet" / "fleet.yaml").write_text("variables: [{name: HOST, value: other}]\n")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: states(page) == {"HOST": "changed"})


async def test_what_another_program_finds_meanwhile_is_shown_from_near(runtime: Runtime, tmp_path: Path) -> None:
    app = app_of(runtime)
    async with app.run_test(size=SMALL) as pilot:
        page = await opened(pilot)
        await until(pilot, lambda: len(states(page)) == 3)
        (tmp_path / "fleet" / "fleet.yaml").write_text("variables: [{name: HOST, value: other}]\n")
        assert page.current is not None
        await page.book.looker.look(page.current.definition)  # as a watch does
        page.book.look()
        await until(pilot, lambda: states(page) == {"HOST": "new"})


async def test_a_file_that_is_wrong_is_told(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "fleet" / "fleet.yaml").write_text("variables: [\n")
    app = app_of(runtime)
    async with app.run_test(size=SMALL) as pilot:
        page = await opened(pilot)
        head = page.detail.query_one("#sync-head", Lines)
        await until(pilot, lambda: any("fleet.yaml" in text for line in head._lines for text, _ in line))
        await pilot.press("D")
        await until(pilot, lambda: len(app.screen_stack) > 1)  # says that there was no look to apply
        assert values(runtime) == {}


async def test_a_folder_takes_no_commits_and_asks_for_no_message(runtime: Runtime) -> None:
    app = app_of(runtime)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("space", "C")
        assert "reads a folder" in (await dialog(pilot, ErrorDialog)).message


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
def test_looks(runtime: Runtime, snap_compare: Any, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        page = await opened(pilot)
        await until(pilot, lambda: len(states(page)) == 3)

    assert snap_compare(app_of(runtime), terminal_size=size, run_before=settle)
