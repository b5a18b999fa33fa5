"""The Repos page: how clones stand, what a key does to which of them, and how it looks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.widgets import TextArea

from komodo_agent.wire.repos import DirtyFile, RepoChange, RepoCommit, RepoDetail, RepoFile, RepoState
from komodo_agent.wire.volumes import VolumeFile, VolumeFolder
from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.pushes import OnPush, Push, SeenBranch
from komodo_tui.domain.repos import DefineRepoOperation, RepoDefinition, RepoOperation
from komodo_tui.domain.settings import Settings
from komodo_tui.operations.planner import Planner
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.pushes import PushStore
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.progress import ProgressDialog
from komodo_tui.ui.modals.yaml_editor import YamlEditor
from komodo_tui.ui.pages.repos import ReposPage
from komodo_tui.ui.pages.schedules import SchedulesPage
from komodo_tui.ui.repos.columns import head_line
from tests.ui.fleets import NOW, StillClient, StillExecutor, StillLink, furnish
from tests.ui.stacks.piloting import LARGE, SMALL, dialog, until
from tests.ui.still import still_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.domain.operations import Operation, Plan

SHOP = RepoDefinition(
    name="shop", url="https://git.example.com/ana/shop.git", branch="main", servers=("web-01", "db-01"), token="SHOP",
    poll="1m", webhook="HOOK", on_push=(OnPush(deploy="shop"), OnPush(procedure="tell")),
)  # fmt: skip
REPOS = (
    SHOP,
    RepoDefinition(name="edge", url="git@git.example.com:ana/edge.git", servers=("edge-03",), commit="a1b2c3d4"),
    RepoDefinition(name="lost", url="/srv/git/lost.git", servers=("moon",)),
)


def commit(number: int, subject: str) -> RepoCommit:
    """One an hour."""
    digest = hashlib.sha1(bytes([number]), usedforsecurity=False).hexdigest()
    return RepoCommit(id=digest, when=NOW - 3600.0 * (9 - number), author="Ana [x]", subject=subject)


LOG = (commit(3, "third [bold]one[/bold]"), commit(2, "second"), commit(1, "first"))
BEHIND = RepoState(
    name="shop", path="/var/lib/komodo-agent/repos/shop/files", url=SHOP.url, branch="main", commit=LOG[0],
    remote=commit(5, "fifth"), fetched=NOW - 120, behind=2, dirty=(DirtyFile(path="compose.yaml", state="M"),),
    dirty_count=1, warnings=("the link passwd leads out of the clone",),
)  # fmt: skip
DIFF = "--- a/compose.yaml\n+++ b/compose.yaml\n@@ -1 +1 @@\n-a [red]\n+b [/red]\n"


class RepoClient(StillClient):
    """An agent with one clone on web-01, and none elsewhere."""

    async def repos(self) -> list[RepoState]:
        """Those there are."""
        return [BEHIND] if self._server == "web-01" else []

    async def repo(self, name: str) -> RepoDetail:
        """With what a pull would bring."""
        if self._server != "web-01":
            raise NotFoundError(f"there is no clone of {name} here")
        coming = (commit(5, "fifth"), commit(4, "fourth"))
        return RepoDetail(state=BEHIND, log=LOG, coming=coming, diff=DIFF)

    async def repo_folder(self, name: str, path: str = "") -> VolumeFolder:
        """One folder, one file."""
        files = (VolumeFile(name="site", path=b"site".hex(), kind="folder"),
                 VolumeFile(name="[red]a.yaml", path=b"[red]a.yaml".hex(), kind="file", size=8))  # fmt: skip
        return VolumeFolder(path="", shown="/", files=files)

    async def repo_file(self, name: str, path: str) -> RepoFile:
        """A short one."""
        return RepoFile(path=bytes.fromhex(path).decode(), text="a: [b]\n", digest="d1")


class RepoLink(StillLink):
    """To such an agent."""

    def __init__(self, state: Any, name: str) -> None:
        super().__init__(state, name)
        self._client = RepoClient(state, name)


class RepoExecutor(StillExecutor):
    """One that knows the repos."""

    repos: RepoDefinitions

    def plan(self, operation: Operation) -> Plan:
        """A real plan."""
        return Planner(self.state, dict, self.settings, repos=self.repos.known).plan(operation)


def push(folder: Path) -> None:
    """Two pushes that became one, one that failed before it, and a repo that cannot be looked at."""
    store = PushStore(folder / "pushes.db")
    seen = SeenBranch(repo="shop", url=SHOP.url, branch="main")
    for number, subject in ((4, "fourth [red]"), (5, "fifth"), (6, "sixth")):
        one = Push(repo="shop", branch="main", commit=commit(number, "").id, source="github", who="Ana [x]",
                   subject=subject)  # fmt: skip
        now = NOW - 3600.0 * (7 - number)
        store.delivered(one, msgspec.structs.replace(seen, commit=one.commit), (str(number),), now)
        if number == 4:
            claimed = store.claim("20261126-120000-abcdef", now)
            assert claimed is not None
            store.ended(claimed, good=False, note="stage deploy shop: it is not healthy [b]", now=now + 60)
    store.failed_look(SeenBranch(repo="lost", url="/srv/git/lost.git", branch=""), "no repository at it", NOW - 600)
    store.close()


def make_app(folder: Path, settings: Settings | None = None, *, empty: bool = False) -> tuple[KomodoApp, RepoExecutor]:
    """On the Repos tab."""
    runtime = still_runtime(folder, settings)
    furnish(runtime)
    runtime.fleet.link = {n: RepoLink(runtime.fleet.state, n) for n in runtime.fleet.state.servers}.__getitem__
    runtime.definitions = DefinitionStore(folder / "definitions.json")
    for repo in () if empty else REPOS:
        runtime.definitions.put("repo", repo.name, repo, None)
    procedures = ProcedureDefinitions(runtime.definitions)
    runtime.procedures = lambda: procedures
    if not empty:
        push(folder)
    executor = runtime.executor = RepoExecutor(runtime.fleet.state, runtime.settings)
    executor.repos = RepoDefinitions(runtime.definitions)
    return KomodoApp(runtime, tab="repos", now=lambda: NOW), executor


async def done(pilot: Pilot[Any], executor: RepoExecutor, number: int = 1) -> Any:
    """The operation that was run last, once there are so many."""
    await until(pilot, lambda: len(executor.done) >= number)
    return executor.done[-1]


async def ready(pilot: Pilot[Any], *, detail: bool = False) -> ReposPage:
    """The page with what the agents said; with ``detail``, the repo ``shop``."""
    await until(pilot, lambda: pilot.app.query(ReposPage))
    page = pilot.app.query_one(ReposPage)
    await until(pilot, lambda: page.table.model.view and {"web-01", "db-01"} <= page.book.states.keys())
    await until(pilot, lambda: page.book.rows()["shop"].pushes)
    page.table.choose("shop")
    if detail:
        await pilot.press("enter")
        await until(pilot, lambda: page.detail.row is not None)
        page.detail.table.choose("web-01")
        await until(pilot, lambda: "A pull would bring" in page.detail.clone.text.plain)
    return page


async def test_a_repo_from_near(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        rows = page.book.rows()
        assert [p.standing[0] for p in rows["shop"].places] == ["2 behind, 1 changed, warning", "not cloned"]
        assert "server" in rows["edge"].places[0].standing[0]
        assert "there is no server 'moon'" in rows["lost"].problem
        page = await ready(pilot, detail=True)
        shown = page.detail.clone.text.plain
        for words in ("looked for every 1m and taken from webhooks: deploy shop, then procedure tell", "Ana [x]: sixth",
                      "not healthy [b]", "github +1"):  # fmt: skip
            assert words in shown
        for words in ("third [bold]one[/bold]", "Ana [x]", "-a [red]", "passwd leads out", " M  compose.yaml"):
            assert words.strip() in shown
        await pilot.press("y")
        assert "token: SHOP" in page.detail.text.text
        await pilot.press("escape", "escape")
        assert not page.in_detail


async def test_news_that_a_watch_learns_of_stand_in_the_list(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        store = PushStore(tmp_path / "pushes.db")
        found = SeenBranch(repo="shop", url=SHOP.url, branch="main", commit=commit(7, "").id)
        store.looked(found, "main", NOW - 60)
        store.close()
        page.book.look()
        await until(pilot, lambda: page.book.rows()["shop"].places[0].remote == commit(7, "").id)
        assert page.book.rows()["shop"].places[0].standing[0].startswith("2 behind, new commits")


async def test_one_key_pulls_what_is_there_and_clones_what_is_not(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("B")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        cloned = await done(pilot, executor)
        assert isinstance(cloned, RepoOperation)
        assert (cloned.verb, cloned.servers, cloned.repo) == ("clone", ("db-01",), SHOP)
        confirm = await dialog(pilot, ConfirmDialog)
        assert "git fetch" in confirm.plan.steps[0].command
        await pilot.press("y")
        pulled = await done(pilot, executor, 2)
        assert (pulled.verb, pulled.servers, pulled.discard) == ("pull", ("web-01",), False)


async def test_the_menu_throws_changes_away_only_when_that_is_typed(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot, detail=True)
        await pilot.press("m")
        await dialog(pilot, MenuDialog)
        await pilot.press("d")
        confirm = await dialog(pilot, ConfirmDialog)
        assert (confirm.plan.confirm, confirm.plan.phrase) == ("type", "shop")
        assert "LOST" in confirm.plan.steps[0].warning
        assert executor.done == []
        await pilot.press("escape")


async def test_the_editor_refuses_a_url_that_is_an_option(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("e")
        editor = await dialog(pilot, YamlEditor)
        area = editor.query_one(TextArea)
        good = area.text
        area.text = good.replace(SHOP.url, "--upload-pack=id")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is editor
        area.text = good.replace("main", "next")
        await pilot.press("ctrl+s")
        operation = await done(pilot, executor)
        assert isinstance(operation, DefineRepoOperation)
        assert operation.definition is not None
        assert (operation.verb, operation.definition.branch, operation.rev) == ("edit", "next", 1)


async def test_a_new_repo_starts_from_every_field_and_an_ssh_agent_that_is_lent_is_told(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        editor = await dialog(pilot, YamlEditor)
        area = editor.query_one(TextArea)
        named = {line.partition(":")[0].strip(" -") for line in area.text.splitlines()}
        assert set(msgspec.structs.asdict(SHOP)) <= named
        lending = area.text.replace("ssh_agent: false", "ssh_agent: true")
        area.text = lending  # of an https URL
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is editor
        area.text = lending.replace("https://github.com/", "git@github.com:")
        await pilot.press("ctrl+s")
        operation = await done(pilot, executor)
        assert isinstance(operation, DefineRepoOperation)
        assert operation.definition is not None
        assert operation.definition.source.ssh_agent
        assert "lends your ssh-agent" in str(head_line(operation.definition))
        assert "lends" not in str(head_line(SHOP))


async def test_a_file_is_edited_and_pushed_once_a_message_is_given(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot, detail=True)
        await pilot.press("f")
        await until(pilot, lambda: page.detail.files.settled)
        page.detail.files.table.choose(b"[red]a.yaml".hex())
        await pilot.press("enter")
        editor = await dialog(pilot, YamlEditor)
        editor.query_one(TextArea).text = "a: [/b]\n"
        await pilot.press("ctrl+s")
        form = await dialog(pilot, FormDialog)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is form, "a commit has a message"
        form.query_one(TextArea).text = "Mend [it]"
        await pilot.press("ctrl+s")
        confirm = await dialog(pilot, ConfirmDialog)
        details = confirm.plan.steps[0].details
        assert ("-a: [b]" in details, "+a: [/b]" in details) == (True, True)
        await pilot.press("y")
        operation = await done(pilot, executor)
        assert isinstance(operation, RepoOperation)
        assert (operation.verb, operation.servers, operation.message) == ("commit", ("web-01",), "Mend [it]")
        assert operation.changes == (RepoChange(path="[red]a.yaml", text="a: [/b]\n", digest="d1"),)
        await dialog(pilot, ProgressDialog)
        await pilot.press("escape", "escape")
        assert len(app.screen_stack) == 1
        assert not page.detail.has_class("-files")


async def test_read_only_mode_changes_nothing(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path, Settings(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("B", "N", "e", "X")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert executor.done == []


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("level", ["empty", "list", "detail"])
def test_looks(tmp_path: Path, snap_compare: Any, size: tuple[int, int], level: str) -> None:
    app, _ = make_app(tmp_path, empty=level == "empty")

    async def settle(pilot: Pilot[Any]) -> None:
        if level == "empty":
            await until(pilot, lambda: pilot.app.query(ReposPage) and pilot.app.query_one(ReposPage).book.read)
        else:
            await ready(pilot, detail=level == "detail")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


async def test_what_is_looked_for_stands_among_the_schedules(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        repos = await ready(pilot)
        repos.table.choose("edge")
        await pilot.press("g", "e")
        await until(pilot, lambda: pilot.app.query(SchedulesPage))
        page = pilot.app.query_one(SchedulesPage)
        await until(pilot, lambda: page.table.model.view)
        row = page.table.model.rows["repo", "shop"]
        assert row.when == "look every 1m and hook"
        assert row.last is not None
        assert row.result == f"push {commit(6, '').id[:8]} pending"
        await pilot.press("enter")
        await until(pilot, lambda: repos.display and repos.current and repos.current.definition.name == "shop")
