"""The Schedules page: what runs by itself, when it ran last and when it runs next, and whether somebody watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.watching import run_here, stop_here, watching_of
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable
from komodo_tui.watch.ahead import standing_lines
from komodo_tui.watch.timetable import Entry, timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.services import ServiceApp
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.watching import Watching

_AGAIN = 5.0
_SAID = 3
"""Lines of what this program's own watching said that are shown."""
_PAGES = {"procedure": "procedures", "repo": "repos", "sync": "syncs"}


class SchedulesPage(Page):
    """Read in a thread every few seconds while it is on screen."""

    TITLE = "Schedules"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("U", "run_here", "run them here", id="schedules.run_here"),
        Binding("S", "stop_here", "run them here no more", id="schedules.stop_here"),
    ]
    DEFAULT_CSS = "SchedulesPage #watched { margin: 0 1; }"

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._looked = 0.0
        self._read = False
        self._listening = False
        columns = (
            Column[Entry]("name", "NAME", 12, lambda r: r.name, key=lambda r: r.name, grow=1, most=40),
            Column[Entry]("kind", "KIND", 9, lambda r: r.kind, key=lambda r: r.kind, priority=4),
            Column[Entry]("schedule", "SCHEDULE", 14, lambda r: r.when, grow=1, most=40),
            Column[Entry]("next", "NEXT", 8, self._next, key=lambda r: r.next, right=True),
            Column[Entry]("last", "LAST", 9, self._last, key=lambda r: r.last, right=True, priority=1),
            Column[Entry]("missed", "MISSED", 6, lambda r: ((str(r.missed), "warn"),) if r.missed else "-",
                          key=lambda r: r.missed, right=True, priority=3),
            Column[Entry]("result", "RESULT", 16, _result, priority=2, grow=2),
        )  # fmt: skip
        self.table: VirtualTable[Entry] = VirtualTable(columns, order=lambda r: r.name, sort="next", id="schedules")
        self.pane: ListPane[Entry] = ListPane(
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
        watching = self._watching
        if watching is not None and not self._listening:
            self._listening = True
            watching.listeners.append(self._show_watched)
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the one of both keys that would change something; neither in read-only mode."""
        if action in ("run_here", "stop_here"):
            return not self.runtime.settings.read_only and (action == "stop_here") is self.runtime.settings.watch_here
        return True

    def action_run_here(self) -> None:
        """Run all of it in this program, after a question."""
        self.shell.work(run_here(self._program))

    def action_stop_here(self) -> None:
        """Run it here no more."""
        self.shell.work(stop_here(self._program))

    def commands(self) -> Iterable[Command]:
        """To where what is selected is defined."""
        row = self.table.current
        if row is not None:
            yield Command(f"open {row.kind} {row.name}", self._open, kind="view")

    @property
    def _program(self) -> ServiceApp:
        app: Any = self.app
        program: ServiceApp = app
        return program

    @property
    def _watching(self) -> Watching | None:
        return watching_of(self._program)

    def _look(self) -> None:
        self._looked = self.shell.now()
        watching = self._watching
        if watching is not None:
            watching.look()
        self.shell.work(self._load())

    async def _load(self) -> None:
        rows = await asyncio.to_thread(timetable, self.runtime, self.shell.now())
        self._read = True
        self.table.set_rows({(row.kind, row.name): row for row in rows})
        self.pane.told()
        self._show_watched()

    def _show_watched(self) -> None:
        """Who watches; and what was said, where it is this program."""
        watching = self._watching
        if not self.is_mounted or not self.display or watching is None or watching.ahead is None:
            return
        glyphs, host, now = self.shell.look.glyphs, watching.host, self.shell.now()
        first, *others = standing_lines(host.holder, watching.ahead, now, ours=host.ours)
        tone = "ok" if host.holder is not None and not host.holder.stalled(now) else "warn"
        lines: list[Any] = [((f"{glyphs.ok if tone == 'ok' else glyphs.warn} {first}", tone),)]
        lines += [((f"  {text}", tone if tone == "warn" else ""),) for text in others]
        if host.trouble:
            lines.append(((f"{glyphs.fail} {host.trouble}", "bad"),))
        if host.holder is None and watching.ahead.anything and not self.runtime.settings.read_only:
            lines.append((("  U", "key"), (" runs them here while this program is open", "dim")))
            lines.append((("  komodo-tui watch --install", "key"), (" has them run always", "dim")))
        for at, said in list(watching.said)[-_SAID:]:
            lines.append(((f"  {time_text(at)} {said}", "dim"),))
        self.query_one("#watched", Lines).show(lines)
        self.refresh_bindings()

    def _next(self, row: Entry) -> Cell:
        if row.next is None:
            return "-"
        left = row.next - self.shell.now()
        return f"in {duration_text(left)}" if left > 0 else "due"

    def _last(self, row: Entry) -> Cell:
        return f"{duration_text(self.shell.now() - row.last)} ago" if row.last else "never"

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if not self._read:
            return Text("reading")
        return Text.assemble(
            ("Nothing runs by itself yet\n\n", style("title bold")),
            "A procedure with a schedule stands here:\n", ('schedule: "every day at 03:00"', style("accent")),
            "\n\nand repos that are looked at for pushes, and syncs.\n", ("komodo-tui watch", style("accent")),
            " runs them; so does this program while it is open, after ", ("U", style("accent")),
        )  # fmt: skip

    @on(VirtualTable.Selected, "#schedules")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self._open()

    def _open(self) -> None:
        row = self.table.current
        if row is not None:
            self.shell.go(_PAGES[row.kind], Target(server="", name=row.name))


def _result(row: Entry) -> Cell:
    if row.problem:
        return ((row.problem, "bad"),)
    return ((row.result, "dim" if row.good else "warn"),)


def _parser(line: str) -> Callable[[Entry], bool]:
    test = parse_text(line)
    return lambda row: test(f"{row.name}\n{row.kind}\n{row.when}\n{row.result}".lower())
