"""The Actions tab on a real history: list, filter, detail, what is new, export, check."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from komodo_tui.domain.errors import StoreError
from komodo_tui.domain.operations import ActionRecord, Actor, Target
from komodo_tui.ui.actions.rows import targets_text
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.report import ReportDialog
from komodo_tui.ui.pages.actions import ActionsPage
from tests.ui.actions.lab import Lab, opened, screen_text, until
from tests.ui.fleets import NOW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def ids(page: ActionsPage) -> list[str]:
    """The acts shown, by the first letter of their ids."""
    return [str(key)[0] for key in page.table.model.view]


def test_what_is_on_no_server_is_named_alone() -> None:
    act = ActionRecord(
        id="i", seq=1, started=1.0, actor=Actor(name="ana"), act="stack add", targets=(Target(server="", name="shop"),)
    )
    assert targets_text(act) == "shop"


async def test_newest_first_with_who_what_and_how_it_ended(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (app, page, _):
        assert ids(page) == ["d", "c", "b", "a"]
        text = screen_text(app)
        for part in ("failed 5s", "running", "shop@web-01 +1", "redis@db-01", "server edit", "cron"):
            assert part in text, part


async def test_an_empty_history_says_what_will_be_here(lab: Lab) -> None:
    async with opened(lab) as (app, _, _pilot):
        await until(lambda: "Nothing has been done yet" in screen_text(app), "the empty state")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("who:cron", "b"),
        ("act:stop", "d"),
        ("server:web-02", "dca"),
        ("target:shop", "a"),
        ("outcome:failed", "b"),
        ("outcome:running", "d"),
        ("!who:ana !redis", "c"),
        ("today", "dcba"),
        ("since:57m", "dc"),
        ("until:57m", "ba"),
        ("nothing-of-that-name", ""),
    ],
)
async def test_the_filter(lab: Lab, line: str, found: str) -> None:
    lab.some()
    async with opened(lab) as (app, page, pilot):
        await pilot.press("slash")
        app.query_one("FilterBar Input", Input).value = line
        await pilot.press("enter")
        await until(lambda: page.feed.find and not page.feed.busy, "the acts that pass")
        await pilot.pause()
        assert "".join(ids(page)) == found
        await pilot.press("escape")
        await until(lambda: ids(page) == ["d", "c", "b", "a"], "all acts")


async def test_a_wrong_filter_is_told_and_keeps_the_one_before(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (_, page, _pilot):
        assert "is no time" in page.pane.set_filter("since:soon")
        assert page.pane.set_filter("since:2") == "", "the unit is still to come"
        assert len(ids(page)) == 4


async def test_enter_shows_commands_output_and_hints(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (app, page, pilot):
        await pilot.press("down", "down", "enter")
        await until(lambda: page.detail.record is not None and page.detail.record.steps, "the detail")
        await pilot.pause()
        text = screen_text(app)
        for part in (
            "$ docker restart redis",
            "did not stop in time",
            "look at its log",
            "before",
            "id       bbbb0002",
        ):
            assert part in text, part
        assert text.count("docker restart redis") == 1, "a command that is in the output too is shown once"
        await pilot.press("escape")
        assert page.table.has_focus


async def test_what_begins_and_ends_elsewhere_appears(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (app, page, pilot):
        lab.end("dddd0004", "cancelled", summary="stopped by hand")
        lab.begin("eeee0005", "start")
        page._look()
        await until(lambda: ids(page) == ["e", "d", "c", "b", "a"], "the new act")
        await pilot.pause()
        text = screen_text(app)
        assert "cancelled" in text
        assert "unknown" in text, "nobody works on the new one"


async def test_pages_follow_while_one_scrolls(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("komodo_tui.ui.actions.feed.PAGE", 20)
    for number in range(50):
        lab.begin(f"{number:08}", who="ana" if number % 2 else "bob")
        lab.end(f"{number:08}")
    monkeypatch.setattr("komodo_tui.ui.pages.actions._NEAR", 2)
    async with opened(lab, size=(120, 40)) as (app, page, pilot):
        assert len(page.feed.rows) == 20
        assert "older ones follow" in screen_text(app)
        await pilot.press("G")
        await until(lambda: len(page.feed.rows) == 40, "the part after the first")
        await pilot.pause()
        page.table.scroll_end(animate=False)
        await until(lambda: len(page.feed.rows) == 50, "the rest, by the wheel")
        assert not page.feed.more
        await pilot.pause()
        assert "newest first" in screen_text(app)
        page.pane.set_filter("who:ana")
        await until(lambda: len(page.feed.rows) == 20, "the newest of one person")
        await pilot.press("G")
        await until(lambda: len(page.feed.rows) == 25, "all of one person")
        await pilot.pause()
        assert page.table.model.rows.keys() == page.feed.rows.keys()


async def test_an_order_reads_all(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("komodo_tui.ui.actions.feed.PAGE", 10)
    monkeypatch.setattr("komodo_tui.ui.pages.actions._NEAR", 0)
    for number in range(40):
        lab.begin(f"{number:08}", who=f"p{number:02}")
        lab.end(f"{number:08}")
    async with opened(lab) as (_, page, pilot):
        assert len(page.feed.rows) == 10
        assert page.feed.more
        page.table.sort_by("who")
        await until(lambda: not page.feed.more, "all of them")
        await pilot.pause()
        assert page.table.model.view[0] == "00000000"


async def test_export_writes_what_is_shown_for_its_owner_alone(lab: Lab, tmp_path: Path) -> None:
    lab.some()
    path = tmp_path / "out.jsonl"
    async with opened(lab) as (app, page, pilot):
        page.pane.set_filter("!act:deploy")
        await pilot.press("W")
        await until(lambda: isinstance(app.screen, FormDialog), "the question where")
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(path.exists, "the file")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["id"][0] for line in lines] == ["d", "c", "b"]
        assert lines[2]["steps"][0]["commands"] == ["docker restart redis"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_export_asks_before_it_replaces(lab: Lab, tmp_path: Path) -> None:
    lab.some()
    path = tmp_path / "out.jsonl"
    path.write_text("precious")
    async with opened(lab) as (app, page, pilot):
        for answer in ("n", "r"):
            await pilot.press("space", "W")
            await until(lambda: isinstance(app.screen, FormDialog), "the question where")
            app.screen.query_one(Input).value = str(path)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, MenuDialog), "the question whether")
            assert path.read_text() == "precious"
            await pilot.press(answer)
            await until(lambda: len(app.screen_stack) == 1, "the end of the question")
        await until(lambda: path.read_text() != "precious", "the marked ones")
        assert [json.loads(line)["id"][0] for line in path.read_text().splitlines()] == ["d", "c"]
        assert list(tmp_path.glob(".*part")) == []
        assert page.table.model.marks


async def test_a_folder_that_is_not_there_is_told_in_the_form(lab: Lab, tmp_path: Path) -> None:
    lab.some()
    async with opened(lab) as (app, _, pilot):
        await pilot.press("W")
        await until(lambda: isinstance(app.screen, FormDialog), "the question where")
        app.screen.query_one(Input).value = str(tmp_path / "nowhere" / "out.jsonl")
        await pilot.press("enter")
        assert "there is no folder" in screen_text(app)


async def test_an_unbroken_chain_shows_its_head(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (app, _, pilot):
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ReportDialog), "the result")
        await pilot.pause()
        head = (await asyncio.to_thread(lab.history.verify)).head
        assert head in screen_text(app)


async def test_a_broken_chain_says_where_and_what_to_do(lab: Lab, tmp_path: Path) -> None:
    lab.some()
    (file,) = (tmp_path / "history").glob("history-*.db")
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER IF EXISTS rows_update")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE rows SET content = replace(content, 'redis', 'mysql') WHERE action = 'bbbb0002'")
    connection.close()
    async with opened(lab) as (app, _, pilot):
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ErrorDialog), "the result")
        await pilot.pause()
        text = screen_text(app)
        assert "row 3" in text
        assert "compare it with a backup" in " ".join(text.replace("│", " ").split())


async def test_a_history_that_cannot_be_read_is_told_once_and_in_the_list(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> tuple[int, int]:
        raise StoreError("the history cannot be read: Input/output error", hint="look at the disk")

    lab.some()
    with monkeypatch.context() as patch:
        patch.setattr(lab.history, "version", refuse)
        app = KomodoApp(lab.runtime, tab="actions", now=lambda: NOW)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, ErrorDialog), "the error")
            await pilot.press("enter")
            await until(lambda: "look at the disk" in screen_text(app), "the list says it too")
            page = app.query_one(ActionsPage)
            page._look()
            looks = [worker for worker in page.workers if worker.group == "look"]
            await until(lambda: looks and not any(worker.is_running for worker in looks), "the second try")
            await pilot.pause()
            assert len(app.screen_stack) == 1, "the same error is not shown again"
            patch.undo()
            page._look()
            await until(lambda: ids(page) == ["d", "c", "b", "a"], "the acts, once it can be read")


async def test_copy_offers_what_there_is(lab: Lab) -> None:
    lab.some()
    async with opened(lab) as (app, _, pilot):
        await pilot.press("c")
        await until(lambda: isinstance(app.screen, MenuDialog), "the menu")
        await pilot.pause()
        assert "there is none" in screen_text(app), "an act under way has no output yet"
        await pilot.press("t")
        await until(lambda: len(app.screen_stack) == 1, "the end of the menu")
        assert "copied targets" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_detail_and_list_share_the_room(lab: Lab, size: tuple[int, int]) -> None:
    lab.some()
    async with opened(lab, size=size) as (_, page, pilot):
        wide = size[0] >= 160
        assert page.detail.display is wide
        await pilot.press("enter")
        await pilot.pause()
        assert page.detail.display
        assert page.pane.display is (size[0] >= 100)
        await pilot.press("z")
        assert not page.pane.display
        await pilot.press("escape", "escape")
        assert page.pane.display
        assert page.detail.display is wide
