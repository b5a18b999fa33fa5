"""A run as it goes: stages, steps and targets above, the output of the one under the cursor below."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from komodo_tui.domain.procedures.compare import compared
from komodo_tui.domain.procedures.figures import expected_seconds
from komodo_tui.domain.procedures.progress import RunProgress
from komodo_tui.operations.procedures.launch import cancel
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.procedures.columns import line_columns
from komodo_tui.ui.procedures.run_matrix import RunMatrix
from komodo_tui.ui.procedures.run_output import follow_output
from komodo_tui.ui.procedures.run_text import head_lines, step_text
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.timer import Timer

    from komodo_tui.domain.procedures.progress import Key, RunLine
    from komodo_tui.store.runs import RunStore
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_LOOK_EVERY = 0.3
"""Seconds between looks at the journal of a run that is under way."""
_UNFOLDED = 30
"""Steps up to which the targets of all of them are shown."""
View = Literal["lines", "matrix", "compare"]
_VIEWS: tuple[View, ...] = ("lines", "matrix", "compare")


class RunView(Vertical):
    """Shows the run named last by :meth:`open`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("X", "stop", "stop", id="procedure.stop")]
    DEFAULT_CSS = """
    RunView { height: 1fr; width: 1fr; }
    RunView VirtualTable { height: 3fr; }
    RunView #run-output { height: 2fr; border-top: hkey $panel; }
    RunView #run-text { display: none; }
    RunView.-compare #run-text, RunView.-matrix RunMatrix { display: block; }
    RunView.-compare #run-lines, RunView.-compare #run-output { display: none; }
    RunView.-matrix #run-lines, RunView.-matrix #run-output { display: none; }
    """

    def __init__(self, shell: Shell, runtime: Runtime, store: RunStore, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self._runtime = runtime
        self._store = store
        self._timer: Timer | None = None
        self._reading = False
        self._opened: set[Key] = set()
        """Steps whose targets a person wants to see, or not to see, otherwise than by default."""
        self._following: asyncio.Task[None] | None = None
        self._followed: tuple[str, Key] | None = None
        self._live = ""
        self._expected: float | None = None
        self.view: View = "lines"
        self.run_id = ""
        self.alive = False
        self.progress = RunProgress()
        self.table: VirtualTable[RunLine] = VirtualTable(
            line_columns(shell.look.glyphs, shell.now, lambda: self.progress), order=lambda line: line.key,
            id="run-lines",
        )  # fmt: skip
        self.matrix = RunMatrix(shell, id="run-matrix")

    def compose(self) -> ComposeResult:
        """Headline, lines, output; or a text in their place."""
        yield Lines(fixed=True, id="run-head")
        yield self.table
        yield DocumentPane(id="run-output")
        yield self.matrix
        yield DocumentPane(id="run-text")

    def open(self, run: str) -> None:
        """Show this run and follow it while it is under way."""
        if run != self.run_id:
            self.run_id, self.progress, self.alive = run, RunProgress(), False
            self._opened.clear()
            self._expected = None
            self._set_view("lines")
            self.table.set_rows({})
        if self._timer is None:
            self._timer = self.set_interval(_LOOK_EVERY, self._look)
        self.table.focus()
        self._look()

    def close(self) -> None:
        """Follow no more."""
        self.run_id = ""
        self._stop_following()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def action_stop(self) -> None:
        """End what is under way; nothing else begins."""
        self._shell.work(self._stop(self.run_id))

    async def _stop(self, run: str) -> None:
        await cancel(self._store, run)
        self._shell.flash("stopping: what is under way is ended, nothing else begins", "busy")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What has ended cannot be stopped; read-only mode stops nothing."""
        return action != "stop" or (self.result == "running" and not self._runtime.settings.read_only)

    # -- reading ------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if self.run_id and not self._reading and (self.progress.ended is None or not self.progress.seen):
            self._reading = True
            self._shell.work(self._read(self.run_id, self.progress))

    async def _read(self, run: str, progress: RunProgress) -> None:
        first = not progress.seen
        fresh = RunProgress() if first else progress
        try:
            entries = await asyncio.to_thread(self._store.entries, run, progress.seen)
            if first:  # a long run takes a while to take in, and nobody looks at this one yet
                await asyncio.to_thread(fresh.take, entries)
                entries = []
            alive = await asyncio.to_thread(self._store.alive, run)
        finally:
            self._reading = False
        if run != self.run_id or progress is not self.progress:
            return
        progress = self.progress = fresh
        before, asked, self.alive = self.result, progress.asking, alive
        if progress.take(entries) or first:
            self._show_lines()
        if first and progress.definition is not None and progress.ended is None:
            self._expected = await asyncio.to_thread(self._expect, progress.definition.name)
        if first or self.result != before or progress.asking is not asked:
            self.refresh_bindings()  # what an interrupted run can, one that ended or asks cannot
        self.tick()

    def _expect(self, name: str) -> float | None:
        return expected_seconds(run for run in self._store.runs(name) if "." not in run.run)

    def _show_lines(self) -> None:
        self._update(self.progress.changed())
        self.show_output()
        if self.view == "matrix":
            self.matrix.show(self.progress)

    def _update(self, changed: Mapping[Key, RunLine]) -> None:
        """Bring these lines into the table, or take them out: what is folded away is no row."""
        shown = {key: line for key, line in changed.items() if self._unfolded(line)}
        self.table.update_rows(shown, [key for key in changed if key not in shown])

    @property
    def result(self) -> str:
        """How it stands."""
        if self.progress.ended is not None:
            return self.progress.ended.outcome
        return "running" if self.alive else "interrupted"

    def tick(self) -> None:
        """Times move."""
        lines = head_lines(self.progress, self.run_id, self.result, self._expected, self._shell.now(), self._shell.look)
        if not lines:
            return
        self.query_one("#run-head").styles.height = len(lines)
        self.query_one("#run-head", Lines).show(lines)
        self.table.recheck()

    # -- folding ------------------------------------------------------------------------------------------------

    def _unfolded(self, line: RunLine) -> bool:
        """Whether a line is shown: of a long run the targets of a step only while it wants to be looked at."""
        if line.depth < 2:
            return True
        step = line.key[:2]
        usual = len(self.progress.steps) <= _UNFOLDED or self.progress.lines[step].end in (
            "running", "failed", "interrupted", "cancelled",
        )  # fmt: skip
        return usual != (step in self._opened)

    def toggle(self) -> None:
        """Show or hide the targets of the step under the cursor."""
        line = self.table.current
        if line is None or line.depth == 0:
            return
        step = line.key[:2]
        self._opened ^= {step}
        self.table.choose(step)
        self._update({target.key: target for target in self.progress.targets(self.progress.lines[step])})

    # -- what stands below, or in the place of the lines --------------------------------------------------------

    @on(VirtualTable.Highlighted, "#run-lines")
    def show_output(self) -> None:
        """The output of the line under the cursor, live while it is under way."""
        line, now = self.table.current, self._shell.now()
        pane = self.query_one("#run-output", DocumentPane)
        if line is None:
            pane.show("")
            return
        if line.target is not None and line.end == "running" and line.action:
            self._follow(line)
            pane.show(self._live or line.summary or "nothing written yet")
            return
        self._stop_following()
        if line.depth == 1 and line.numbers:
            pane.show(step_text(line, self.progress, now, self._shell.look))
        else:
            pane.show(line.output.rstrip() or line.summary or "no output")

    def _follow(self, line: RunLine) -> None:
        if self._followed == (line.action, line.key) or line.target is None:
            return
        self._stop_following()
        self._followed = (line.action, line.key)
        self._following = asyncio.create_task(
            follow_output(self._runtime, line.action, line.target, self._written), name="output of a target"
        )

    def _written(self, text: str) -> None:
        self._live = text
        pane = self.query_one("#run-output", DocumentPane)
        at_end = pane.scroll_offset.y >= pane.max_scroll_y
        pane.show(text)
        if at_end:
            pane.scroll_end(animate=False)

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
        self._following, self._followed, self._live = None, None, ""

    def next_view(self) -> None:
        """Lines, the matrix of servers, the comparison with the last good run."""
        self._set_view(_VIEWS[(_VIEWS.index(self.view) + 1) % len(_VIEWS)])

    def show_lines(self) -> None:
        """The lines again."""
        self._set_view("lines")

    def _set_view(self, view: View) -> None:
        self.view = view
        self.set_class(view == "matrix", "-matrix")
        self.set_class(view == "compare", "-compare")
        if view == "lines":
            self.table.focus()
        elif view == "matrix":
            self.matrix.show(self.progress)
            self.matrix.table.focus()
        else:
            pane = self.query_one("#run-text", DocumentPane)
            pane.show("reading the last good run")
            pane.focus()
            self._shell.work(self._compare(self.run_id))

    async def _compare(self, run: str) -> None:
        good = await asyncio.to_thread(self._good)
        if run != self.run_id or self.view != "compare":
            return
        text = "no run before this one ended well: there is nothing to compare with"
        if good is not None:
            text = "\n".join(compared(self.progress, good, self._shell.now()))
        self.query_one("#run-text", DocumentPane).show(Text(text))

    def _good(self) -> RunProgress | None:
        definition = self.progress.definition
        found = self._store.last_good(definition.name, self.progress.started) if definition is not None else None
        if found is None:
            return None
        good = RunProgress()
        good.take(self._store.entries(found.run))
        return good

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.matrix.restyle()
