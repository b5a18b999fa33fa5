"""The Builds page: what was built, the output with its steps, what a key does, and how it looks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import TextArea

from komodo_agent.wire.jobs import Job, Progress
from komodo_tui.domain.builds import BuildDefinition, BuildOperation, BuildRegistry, DefineBuildOperation
from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.follow_ups import FollowStep
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.settings import Settings
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.planner import Planner
from komodo_tui.store.build_logs import BuildLogs
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.store.history import History
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.builds.columns import state_cell
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.yaml_editor import YamlEditor
from komodo_tui.ui.pages.builds import BuildsPage
from komodo_tui.ui.render.cells import spans_of
from tests.ui.fleets import NOW, StillClient, StillExecutor, StillLink, furnish
from tests.ui.stacks.piloting import LARGE, SMALL, dialog, until
from tests.ui.still import still_runtime
from tests.ui.terminal.lab import screen_text

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.domain.operations import Operation, Outcome, Plan

API = BuildDefinition(name="api", repo="shop", path="api", server="web-01", version="1.4.0", ship=("db-01",))
BUILDS = (
    API,
    BuildDefinition(name="motd", dockerfile="FROM busybox\nCMD echo [b]hi[/b]\n", server="web-01"),
    BuildDefinition(name="web", folder="/srv/web", registries=(BuildRegistry(domain="reg.example"),)),
)
LOG = "$ docker build /files\n#5 [2/3] RUN make\n#5 0.1 compiling [bold]all[/bold]\n#5 DONE 41.2s\nbuilt api:1.4.2\n"
LIVE = (
    "#4 [1/2] FROM busybox\n#4 CACHED\n#5 [2/2] RUN sleep\n#5 0.5 half [red]way[/red]\n"
)  # fmt: skip
STEPS = [
    ["[1/3] FROM python:3.13", 0.0, "cached"],
    ["[2/3] RUN make", 41.2, "done"],
    ["[3/3] COPY . /app", 0.3, "done"],
]
FAILED = [["[1/3] FROM python:3.13", 0.0, "cached"], ["[2/3] RUN make", 12.0, "failed"]]


def enter(
    history: History, number: int, name: str, version: str, ago: float, outcome: Outcome | None, **result: str
) -> None:
    """One act of the past; it began so many seconds ago."""
    target = Target(server="web-01", name=name)
    act = f"00000000-0000-0000-0000-{number:012d}"
    history.begin(
        ActionRecord(
            id=act, seq=0, started=NOW - ago, actor=Actor(name="ana", via="tui"), act="build", targets=(target,),
            title=f"Build {name}", operation={"version": version, "intent": {"jobs": [f"job-{number}"]}},
        )
    )  # fmt: skip
    if outcome is not None:
        ok = outcome == "success"
        step = StepResult(
            target=target, ok=ok, end="done" if ok else "failed", result=result,
            error="" if ok else "the build failed at [2/3] RUN make: exit code 2", output=LOG,
        )  # fmt: skip
        history.finish(act, outcome, [step])


def fill(folder: Path) -> History:
    """Four builds of ``api``, one that failed, and one of ``motd`` that runs."""
    history = History(folder / "history", clock=lambda: NOW)
    for number in range(1, 5):
        ago = 90000.0 - number * 20000
        enter(
            history, number, "api", f"1.4.{number - 1}", ago, "success", seconds=f"{30 + 4 * number}",
            size=str((80 + number) << 20), commit=f"{number}f3c2a90b1" * 4, image="sha256:" + f"{number}a" * 32,
            references=f"api:1.4.{number - 1} api:latest", steps=json.dumps(STEPS), builder="buildkit",
        )  # fmt: skip
    enter(history, 5, "api", "1.4.4", 300.0, "failed", seconds="12.5", steps=json.dumps(FAILED),
          failed_step="[2/3] RUN make", failed_lines='["gcc: [b]no[/b]"]')  # fmt: skip
    enter(history, 6, "motd", "0.1.0", 5.0, None)
    BuildLogs(folder).write("api", "00000000-0000-0000-0000-000000000004", LOG.encode())
    return history


class BuildClient(StillClient):
    """An agent that builds ``motd``."""

    async def job(self, job_id: str) -> Job:
        """It knows no other."""
        raise NotFoundError("there is no such job")

    async def job_log(self, job_id: str, offset: int, wait: float = 0.0) -> tuple[bytes, str]:
        """Half of it."""
        return (LIVE.encode()[offset:], "running") if offset < len(LIVE) else (b"", "failed")


class BuildLink(StillLink):
    """To such an agent."""

    def __init__(self, state: Any, name: str) -> None:
        super().__init__(state, name)
        self._client = BuildClient(state, name)


class BuildExecutor(StillExecutor):
    """One that knows the builds."""

    builds: BuildDefinitions
    stopped: list[tuple[str, str]]

    def plan(self, operation: Operation) -> Plan:
        """A real plan."""
        return Planner(self.state, dict, self.settings, builds=self.builds.known).plan(operation)

    async def stop_job(self, target: Target, job_id: str, what: str, actor: Actor) -> ActionRecord:
        """Noted."""
        self.stopped.append((str(target), job_id))
        return ActionRecord(id="9", seq=9, started=NOW, actor=actor, act=f"stop {what}", outcome="success")

    def running(self) -> tuple[ActionRecord, ...]:
        """None of ours."""
        return ()


class NoValues:
    """Nothing is kept."""

    def lookup(self, stack: str, server: str) -> Any:
        """Finds nothing."""
        return lambda name: None


def make_app(folder: Path, settings: Settings | None = None, *, empty: bool = False) -> tuple[KomodoApp, BuildExecutor]:
    """On the Builds tab."""
    runtime = still_runtime(folder, settings)
    furnish(runtime)
    state = runtime.fleet.state
    runtime.fleet.link = {name: BuildLink(state, name) for name in state.servers}.__getitem__
    runtime.definitions = DefinitionStore(folder / "definitions.json")
    runtime.history = History(folder / "history", clock=lambda: NOW) if empty else fill(folder)
    runtime.values = NoValues()
    if not empty:
        for build in BUILDS:
            runtime.definitions.put("build", build.name, build, None)
        progress = Progress(text="[2/2] RUN sleep", done=0.5)
        state.servers["web-01"].jobs["job-6"] = Job(
            id="job-6", kind="build", target="motd", status="running", started=NOW - 5, progress=progress
        )
    executor = runtime.executor = BuildExecutor(state, runtime.settings)
    executor.stopped = []
    executor.builds = BuildDefinitions(runtime.definitions)
    return KomodoApp(runtime, tab="builds", now=lambda: NOW), executor


async def ready(pilot: Pilot[Any], name: str = "", word: str = "") -> BuildsPage:
    """The page with what is known; with a name, that build from near, once its output has the word."""
    await until(pilot, lambda: pilot.app.query(BuildsPage))
    page = pilot.app.query_one(BuildsPage)
    await until(pilot, lambda: page.table.model.view)
    page.table.choose(name or "api")
    if name:
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and word in page.detail.output.plain)
    return page


async def test_a_build_from_near(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot, "api", "the build failed at")
        assert [(run.version, run.outcome) for run in page.rows()["api"].runs] == [
            ("1.4.4", "failed"), ("1.4.3", "success"), ("1.4.2", "success"), ("1.4.1", "success"), ("1.4.0", "success"),
        ]  # fmt: skip
        await pilot.press("j")
        await until(pilot, lambda: "compiling [bold]all[/bold]" in page.detail.output.plain)
        shown = page.detail.output.plain
        for words in ("41.2s  [2/3] RUN make", "cached  [1/3] FROM", "api:1.4.3"):
            assert words in shown
        await pilot.press("enter")
        assert page.detail.output.has_focus
        await pilot.press("escape", "y")
        assert "repo: shop" in page.detail.text.text
        await pilot.press("escape", "escape")
        assert not page.in_detail


async def test_what_failed_is_readable_at_80_columns(tmp_path: Path) -> None:
    app, _ = make_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        await pilot.pause()
        shown = [line.rstrip() for line in screen_text(pilot.app)]
        row = next(line for line in shown if line.startswith("▸ api"))
        assert "✖ failed [2/3] RUN make" in row
        assert row.split("5m")[1].split() == ["12.5s", "1.4.3", "4f3c2a90", "84.0M"]  # the last build; then the image
        assert " ✖ 1.4.4: the build failed at [2/3] RUN make: exit code 2 | gcc: [b]no[/b]" in shown
        page.table.choose("web")
        await until(pilot, lambda: not any("1.4.4" in line for line in screen_text(pilot.app)))


async def test_the_output_of_a_build_that_runs_is_followed(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot, "motd", "half [red]way[/red]")
        assert [(step.name, step.state) for step in page.detail.reader.steps] == [
            ("[1/2] FROM busybox", "cached"), ("[2/2] RUN sleep", "running"),
        ]  # fmt: skip
        await pilot.press("B")
        await pilot.pause()
        assert executor.done == []  # it is being built
        await pilot.press("S")  # by another program
        shown = await dialog(pilot, ConfirmDialog)
        assert shown.plan.title == "Stop the build of motd@web-01"
        assert executor.stopped == []
        await pilot.press("y")
        await until(pilot, lambda: executor.stopped == [("motd@web-01", "job-6")])


async def test_one_key_builds_the_next_version(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        page = await ready(pilot)
        page.table.choose("web")
        await pilot.press("S")
        await until(pilot, lambda: "web is not being built" in screen_text(pilot.app)[-1])
        await pilot.press("B")
        confirm = await dialog(pilot, ConfirmDialog)
        assert "then push reg.example/web" in confirm.plan.steps[0].details
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, BuildOperation)
        assert (operation.build.name, operation.version) == ("web", "0.1.0")
        assert page.in_detail


async def test_what_did_not_follow_is_said_in_the_list_and_from_near_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("komodo_tui.ui.builds.going_on._LATER", 3600.0)  # another program goes on with it
    app, _ = make_app(tmp_path)
    history: History = app.runtime.history
    enter(history, 7, "web", "0.1.0", 100.0, "success", references="web:0.1.0", image="sha256:1")
    act, store = "00000000-0000-0000-0000-000000000007", FollowUpStore(tmp_path / "follow-ups.db")
    store.note(act, "web", NOW)
    refused = FollowStep(what="push to reg.example", act="x", outcome="failed", error="[b]denied[/b]")
    store.write(act, [refused], NOW)
    async with app.run_test(size=SMALL) as pilot:
        page = await ready(pilot)
        state = "".join(text for text, _ in spans_of(state_cell(page.rows()["web"], app.look.glyphs)))
        assert state == f"{app.look.glyphs.fail} built, but push to reg.example: [b]denied[/b]"
        page.table.choose("web")
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and page.detail.table.current)
        assert page.detail.table.current is not None
        assert "denied" in page.detail.table.current.why
        await pilot.press("m")
        menu = await dialog(pilot, MenuDialog)
        assert not next(item for item in menu.items if item.id == "follow").disabled
        await pilot.press("escape")
        store.write(act, [], None)  # somebody goes on with it
        await until(pilot, lambda: page.rows()["web"].state == "following")


async def test_a_definition_that_leads_out_of_its_files_is_refused(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("e")
        editor = await dialog(pilot, YamlEditor)
        area = editor.query_one(TextArea)
        good = area.text
        area.text = good.replace("path: api", "path: ../etc")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is editor
        area.text = good.replace("path: api", "path: services/api")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, DefineBuildOperation)
        assert operation.definition is not None
        assert (operation.verb, operation.definition.path, operation.rev) == ("edit", "services/api", 1)


async def test_a_new_one_begins_with_where_its_files_come_from(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await ready(pilot)
        await pilot.press("N")
        await dialog(pilot, MenuDialog)
        await pilot.press("d")
        editor = await dialog(pilot, YamlEditor)
        assert "FROM busybox" in editor.query_one(TextArea).text
        await pilot.press("ctrl+s")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, DefineBuildOperation)
        assert (operation.verb, operation.name) == ("add", "my-image")


async def test_read_only_mode_changes_nothing(tmp_path: Path) -> None:
    app, executor = make_app(tmp_path, Settings(read_only=True))
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot)
        await pilot.press("B", "N", "e", "X", "S")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert executor.done == []


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("level", ["empty", "list", "detail"])
def test_looks(tmp_path: Path, snap_compare: Any, size: tuple[int, int], level: str) -> None:
    app, _ = make_app(tmp_path, empty=level == "empty")

    async def settle(pilot: Pilot[Any]) -> None:
        if level == "empty":
            await until(pilot, lambda: pilot.app.query(BuildsPage) and pilot.app.query_one(BuildsPage).book.read)
        elif level == "list":
            await ready(pilot)
        else:
            page = await ready(pilot, "api", "the build failed at")
            await pilot.press("j")
            await until(pilot, lambda: "compiling" in page.detail.output.plain)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)
