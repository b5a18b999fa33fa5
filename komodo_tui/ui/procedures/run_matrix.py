"""The matrix of a run: steps below one another, servers beside one another, a sign where they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from komodo_tui.ui.procedures.columns import result_sign
from komodo_tui.ui.procedures.run_text import server_ends
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.domain.procedures.progress import RunLine, RunProgress
    from komodo_tui.ui.render.cells import Cell
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.widgets.lines import Line

_MOST = 150
"""Servers that have a column."""


class RunMatrix(Vertical):
    """Shows the progress it was given last."""

    DEFAULT_CSS = """
    RunMatrix { height: 1fr; display: none; }
    RunMatrix VirtualTable { height: 1fr; }
    RunMatrix #matrix-servers { padding: 0 0 0 1; }
    """

    def __init__(self, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shell = shell
        self._progress: RunProgress | None = None
        self.table: VirtualTable[RunLine] = VirtualTable(
            (
                Column("step", "STEP", 24, self._title, grow=1, most=44),
                Column("end", "RESULT", 11, self._end),
                Column("servers", "SERVERS, IN THE ORDER ABOVE", 26, self._signs, live=True, grow=8, most=2 * _MOST),
            ),
            order=lambda line: line.key, id="matrix-table",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Which servers there are, and the steps."""
        yield Lines(id="matrix-servers")
        yield self.table

    def show(self, progress: RunProgress) -> None:
        """Show how it stands."""
        self._progress = progress
        self.table.set_rows({line.key: line for line in (*progress.stages, *progress.steps)})
        self.table.recheck()
        self.query_one("#matrix-servers", Lines).show(_legend(list(progress.servers), max(40, self.size.width - 2)))

    def _title(self, line: RunLine) -> Cell:
        return ((f"{'  ' * line.depth}{line.title}", "title bold" if line.depth == 0 else ""),)

    def _end(self, line: RunLine) -> Cell:
        sign, tone = result_sign(line.end, self._shell.look.glyphs)
        return ((f"{sign} {line.end}", tone),)

    def _signs(self, line: RunLine) -> Cell:
        progress = self._progress
        if progress is None or line.depth == 0 or not line.numbers:
            return ()
        ends, glyphs = server_ends(line, progress), self._shell.look.glyphs
        spans = []
        for number, server in enumerate(list(progress.servers)[:_MOST], 1):
            sign, tone = result_sign(ends[server], glyphs) if server in ends else (" ", "")
            spans.append((sign + ("  " if number % 5 == 0 else " "), tone))
        return tuple(spans)

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()


def _legend(servers: list[str], width: int) -> list[Line]:
    """Names with their numbers, in lines of this width."""
    lines: list[Line] = []
    spans: list[tuple[str, str]] = []
    used = 0
    for number, name in enumerate(servers[:_MOST], 1):
        words = f"{number} {name}  "
        if used + len(words) > width and spans:
            lines.append(tuple(spans))
            spans, used = [], 0
        spans.append((words, "dim"))
        used += len(words)
    return [*lines, tuple(spans)] if spans else [(("no step has begun on a server yet", "dim"),)]
