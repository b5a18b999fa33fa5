"""The container under the cursor at a glance, beside the list: state, ports, what it is part of, graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.containers.columns import ports_text, sign, word
from komodo_tui.ui.containers.graph_pane import ContainerGraphs
from komodo_tui.ui.containers.tail import LogTail
from komodo_tui.ui.render.series import WINDOWS
from komodo_tui.ui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.ui.containers.columns import Row
    from komodo_tui.ui.containers.past import ContainerPast
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class Preview(Vertical):
    """Shows what it is given."""

    DEFAULT_CSS = """
    Preview { height: 1fr; }
    Preview .facts { margin: 0 0 1 0; }
    Preview ContainerGraphs { padding: 0 1 0 0; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, past: ContainerPast, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runtime = runtime
        self._shell = shell
        self._past = past
        self.window = 1
        self._tallest = 0

    def compose(self) -> ComposeResult:
        """Facts, graphs, the end of its log."""
        yield Lines(classes="facts")
        yield ContainerGraphs(self._runtime.settings.graphs, side=True)
        yield LogTail(self._runtime, self._shell)

    def show(self, row: Row | None) -> None:
        """This container; nothing where there is none."""
        graphs = self.query_one(ContainerGraphs)
        graphs.display = row is not None and row.sample is not None
        lines = preview_lines(row, self._shell.look, self._shell.now()) if row else []
        # It never shrinks: graphs stay where they are, and the screen is not laid out at each step through the list.
        self._tallest = max(self._tallest, len(lines))
        self.query_one(".facts", Lines).show([*lines, *((),) * (self._tallest - len(lines))])
        if row is not None and graphs.display and graphs.size:
            window = WINDOWS[self.window]
            graphs.show(row, self._past.look(row, window), window, self._shell.now())
        self.query_one(LogTail).show(row)

    def rest(self) -> None:
        """Nobody looks: follow no log."""
        for tail in self.query(LogTail):  # not there yet where the page is left while it is being made
            tail.forget()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.query_one(ContainerGraphs).restyle()
        self.query_one(LogTail).restyle()
        self.query_one(".facts", Lines).refresh()


def preview_lines(row: Row, look: Look, now: float) -> list[Line]:
    """Name, state, and what is not empty of the rest."""
    container = row.container
    glyph, tone = sign(row, look.glyphs)
    state = word(row)
    if container.state == "running" and container.started:
        state += f" for {duration_text(now - container.started)}"
    elif container.finished:
        state += f", {duration_text(now - container.finished)} ago"
    facts = [
        ("image", container.image), ("command", container.command),
        ("stack", f"{container.stack} / {container.service}" if container.stack else ""),
        ("ports", ports_text(container)), ("networks", " ".join(container.networks)),
        ("restarts", f"{container.restarts}" if container.restarts else ""),
        ("policy", container.restart_policy if container.restart_policy != "no" else ""),
    ]  # fmt: skip
    lines: list[Line] = [
        ((f" {container.name}", "title bold"), (f"@{row.live.name}", "dim")),
        ((f" {glyph} {state}", tone),),
    ]
    lines += [((f" {label:<9}", "dim"), (value, "")) for label, value in facts if value]
    return lines
