"""The Schedules page: what runs by itself, when it ran last and when it runs next, and whether somebody watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual import on

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.operations import Target
from komodo_tui.domain.schedules import Schedule
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.locks import FileLock
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.slots import Slot, SlotStore
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.domain.pushes import Push, SeenBranch
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 5.0


class Row(NamedTuple):
    """One schedule, or a repo whose pushes are looked for."""

    name: str
    schedule: str
    zone: str
    last: Slot | None
    next: float | None
    problem: str = ""
    repo: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Page and name."""
        return "repos" if self.repo else "procedures", self.name


class SchedulesPage(Page):
    """Read in a thread every few seconds while it is on screen."""

    TITLE = "Schedules"

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._slots = SlotStore(runtime.state_dir.runs / "slots.db")
        self._looked = 0.0
        self._read = False
        columns = (
            Column[Row]("name", "NAME", 16, lambda r: r.name, key=lambda r: r.name, grow=1, most=40),
            Column[Row]("schedule", "SCHEDULE", 16, lambda r: f"{r.schedule} {r.zone}".strip(), grow=1, most=40),
            Column[Row]("next", "NEXT", 12, self._next, key=lambda r: r.next, right=True),
            Column[Row]("last", "LAST", 19, lambda r: time_text(r.last.at) if r.last else "never", priority=1),
            Column[Row]("result", "RESULT", 16, lambda r: ((r.problem, "bad"),) if r.problem else _result(r),
                        priority=2, grow=2),
        )  # fmt: skip
        self.table: VirtualTable[Row] = VirtualTable(columns, order=lambda r: r.name, sort="next", id="schedules")
        self.pane: ListPane[Row] = ListPane(
            "Schedules", self.table, parse=_parser, empty=self._teach, help="words, !not, ~fuzzy, /regex/",
            id="schedules-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The list, and who watches."""
        yield self.pane
        yield Lines(id="watched")

    def on_page_show(self) -> None:
        """Read, and take the focus."""
        self.table.focus()
        self._look()

    def tick(self, changes: Changes) -> None:
        """Times move."""
        self.table.recheck()
        if self.shell.now() - self._looked >= _AGAIN:
            self._look()

    def back(self) -> bool:
        """Clear the filter."""
        return self.pane.back()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()

    def _look(self) -> None:
        self._looked = self.shell.now()
        self.shell.work(self._load())

    async def _load(self) -> None:
        rows, watched = await asyncio.to_thread(self._collect)
        self._read = True
        self.table.set_rows({row.key: row for row in rows})
        self.pane.told()
        glyphs = self.shell.look.glyphs
        text, tone = (f" {glyphs.ok} watched", "ok") if watched else (
            f" {glyphs.warn} nobody watches: start komodo-tui watch, or komodo-tui watch --install", "warn"
        )  # fmt: skip
        self.query_one("#watched", Lines).show([((text, tone),)] if rows else [])

    def _collect(self) -> tuple[list[Row], bool]:
        lock = FileLock(self.runtime.state_dir.root / "watch.lock")
        watched = not lock.try_acquire()
        lock.release()
        rows = []
        for name, definition in self.runtime.procedures().known().items():
            if not definition.schedule:
                continue
            following, problem = None, ""
            try:
                following = Schedule(definition.schedule, definition.timezone).after(self.shell.now())
            except UsageError as error:
                problem = str(error)
            last = self._slots.last(name)
            rows.append(Row(name, definition.schedule, definition.timezone, last, following, problem))
        return [*rows, *self._repos()], watched

    def _repos(self) -> list[Row]:
        """Those whose pushes are looked for, or told of."""
        wanted = {
            name: repo for name, repo in RepoDefinitions(self.runtime.definitions).known().items()
            if repo.poll or repo.webhook
        }  # fmt: skip
        if not wanted:
            return []
        store = PushStore(self.runtime.state_dir.pushes)
        try:
            pushes, seen = store.newest(), store.seen()
        finally:
            store.close()
        return [_repo_row(repo, pushes.get(name), seen.get(name)) for name, repo in wanted.items()]

    def _next(self, row: Row) -> Cell:
        if row.next is None:
            return "-"
        return f"in {duration_text(max(row.next - self.shell.now(), 0))}"

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self._read:
            return Text("reading")
        return Text.assemble(
            ("Nothing runs by itself yet\n\n", style("title bold")),
            "A procedure with a schedule stands here:\n", ('schedule: "every day at 03:00"', style("accent")),
            "\n\nand ", ("komodo-tui watch", style("accent")), " runs it",
        )  # fmt: skip

    @on(VirtualTable.Selected, "#schedules")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        row = self.table.current
        if row is not None:
            self.shell.go(row.key[0], Target(server="", name=row.name))


def _repo_row(repo: RepoDefinition, push: Push | None, seen: SeenBranch | None) -> Row:
    how = " and ".join(filter(None, (f"look every {repo.poll}" if repo.poll else "", "hook" if repo.webhook else "")))
    looked = seen.checked if seen is not None else 0.0
    result = "no push yet" if push is None else f"push {push.commit[:8]} {push.state}"
    last = Slot(at=push.seen if push is not None else looked, result=result) if push is not None or looked else None
    following = looked + parse_duration(repo.poll) if repo.poll and looked else None
    return Row(repo.name, how, "", last, following, seen.problem if seen is not None else "", repo=True)


def _result(row: Row) -> Cell:
    result = row.last.result if row.last is not None else ""
    if row.repo:
        return ((result, "warn" if result.endswith(("pending", "running", "failed")) else "dim"),)
    return ((result, "dim" if result[:8].isdecimal() else "warn"),)


def _parser(line: str) -> Callable[[Row], bool]:
    test = parse_text(line)
    return lambda row: test(f"{row.name}\n{row.schedule}".lower())
