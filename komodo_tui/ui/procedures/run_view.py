"""A run as it goes: stages, steps and targets above, the output of the one under the cursor below."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical

from komodo_tui.domain.units import long_duration_text
from komodo_tui.ui.containers.document import DocumentPane
from komodo_tui.ui.procedures.columns import line_columns, result_sign
from komodo_tui.ui.procedures.progress import RunProgress
from komodo_tui.ui.widgets.lines import Line, Lines
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from komodo_tui.store.runs import RunStore
    from komodo_tui.ui.procedures.progress import RunLine
    from komodo_tui.ui.shell import Shell

_LOOK_EVERY = 0.3
"""Seconds between looks at the journal of a run that is under way."""


class RunView(Vertical):
    """Shows the run named last by :meth:`open`."""

    DEFAULT_CSS = """
    RunView { height: 1fr; width: 1fr; }
    RunView VirtualTable { height: 3fr; }
    RunView DocumentPane { height: 2fr; border-top: hkey $panel; }
    """

    def __init__(self, shell: Shell, store: RunStore, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self._store = store
        self._timer: Timer | None = None
        self._reading = False
        self.run_id = ""
        self.alive = False
        self.progress = RunProgress()
        self.table: VirtualTable[RunLine] = VirtualTable(
            line_columns(shell.look.glyphs, shell.now), order=lambda line: line.position, id="run-lines"
        )

    def compose(self) -> ComposeResult:
        """Headline, lines, output."""
        yield Lines(fixed=True, id="run-head")
        yield self.table
        yield DocumentPane(id="run-output")

    def open(self, run: str) -> None:
        """Show this run and follow it while it is under way."""
        if run != self.run_id:
            self.run_id, self.progress, self.alive = run, RunProgress(), False
            self.table.set_rows({})
        if self._timer is None:
            self._timer = self.set_interval(_LOOK_EVERY, self._look)
        self.table.focus()
        self._look()

    def close(self) -> None:
        """Follow no more."""
        self.run_id = ""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _look(self) -> None:
        if self.run_id and not self._reading and (self.progress.ended is None or not self.progress.seen):
            self._reading = True
            self._shell.work(self._read(self.run_id, self.progress))

    async def _read(self, run: str, progress: RunProgress) -> None:
        try:
            entries = await asyncio.to_thread(self._store.entries, run, progress.seen)
            alive = await asyncio.to_thread(self._store.alive, run)
        finally:
            self._reading = False
        if run != self.run_id:
            return
        before, self.alive = self.result, alive
        if progress.take(entries):
            self._show_lines()
        if self.result != before:
            self.refresh_bindings()  # what an interrupted run can, one that ended cannot
        self.tick()

    def _show_lines(self) -> None:
        self.table.set_rows(dict(self.progress.lines))
        self.show_output()

    @property
    def result(self) -> str:
        """How it stands."""
        if self.progress.ended is not None:
            return self.progress.ended.outcome
        return "running" if self.alive else "interrupted"

    def tick(self) -> None:
        """Times move."""
        look, progress = self._shell.look, self.progress
        if progress.definition is None:
            return
        sign, tone = result_sign(self.result, look.glyphs)
        took = long_duration_text((progress.end_time or self._shell.now()) - progress.started)
        given = " ".join(f"{name}={value}" for name, value in progress.parameters.items())
        top: Line = (
            (f" {progress.definition.name} ", "title bold"), (f"{sign} {self.result} ", tone), (f" {took}  ", ""),
            (f"run {self.run_id}  by {progress.who}  {given}", "dim"),
        )  # fmt: skip
        why = progress.ended.summary if progress.ended is not None else ""
        lines: list[Line] = [top, ((f" {why}", tone),)] if why else [top]
        self.query_one("#run-head").styles.height = len(lines)
        self.query_one("#run-head", Lines).show(lines)
        self.table.recheck()

    @on(VirtualTable.Highlighted, "#run-lines")
    def show_output(self) -> None:
        """The output of the line under the cursor."""
        line = self.table.current
        text = (line.output.rstrip() or line.summary or "no output") if line is not None else ""
        self.query_one("#run-output", DocumentPane).show(text)

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
