"""The Timeline page: what happened around a time, and how busy the server was that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.domain.moments import parse_moment
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.operations.timeline import TimelineReader
from komodo_tui.ui.begun import begin
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.graph import per_cell
from komodo_tui.ui.timeline import rows
from komodo_tui.ui.timeline.figures import graphs
from komodo_tui.ui.timeline.open import Moment, take_wanted
from komodo_tui.ui.widgets.graph import AXIS, Graph
from komodo_tui.ui.widgets.lines import Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_agent.wire.past import Past
    from komodo_tui.domain.timeline import Entry
    from komodo_tui.operations.timeline import Timeline
    from komodo_tui.ui.modals.form import Values
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

SPANS = (300.0, 900.0, 3600.0, 6 * 3600.0, 86_400.0, 7 * 86_400.0)
"""What ``{`` and ``}`` step through, in seconds."""
_AROUND_LOG = 300.0
"""Seconds of a log before and after what is looked at."""


class TimelinePage(Page):
    """One span of time; reads it anew when the span changes or on ``^R``."""

    TITLE = "Timeline"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "logs", "logs then", id="timeline.logs"),
        Binding("t", "ask", "time", id="timeline.time"),
        Binding("left_square_bracket,comma", "move(-1)", "earlier, later", key_display="[ ]", id="timeline.earlier"),
        Binding("right_square_bracket,full_stop", "move(1)", show=False, id="timeline.later"),
        Binding("left_curly_bracket,left_parenthesis", "span(-1)", "span", key_display="{ }", id="timeline.shorter"),
        Binding("right_curly_bracket,right_parenthesis", "span(1)", show=False, id="timeline.longer"),
        Binding("ctrl+r", "again", "refresh", show=False, key_display="^R", id="timeline.again"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    TimelinePage #timeline-graphs { height: 6; padding: 0 1; }
    .-short TimelinePage #timeline-graphs { height: 4; }
    TimelinePage #timeline-graphs Graph { width: 1fr; }
    TimelinePage #timeline-cpu { margin: 0 2 0 0; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._reader = TimelineReader(runtime.fleet, runtime.history, runtime.alerts)
        self._moment = Moment()
        self._width = SPANS[2]
        self._found: Timeline | None = None
        self._pasts: dict[tuple[str, str], Past | None] = {}
        """By server and container: figures of the span, None while they are asked for or not to be had."""
        self.table: VirtualTable[Entry] = VirtualTable(
            rows.columns(), order=lambda e: e.at, sort="time", id="timeline-list"
        )
        self.pane: ListPane[Entry] = ListPane(
            "Timeline", self.table, parse=rows.parser, empty=self._teach, help=rows.HELP, natural="by time",
            id="timeline-pane",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """What span, the graphs, the list."""
        yield Lines(id="timeline-head")
        with Horizontal(id="timeline-graphs"):
            yield Graph(self.runtime.settings.graphs, id="timeline-cpu")
            yield Graph(self.runtime.settings.graphs, id="timeline-memory")
        yield self.pane

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Show what was asked for, else what was shown, up to now."""
        wanted = take_wanted(self.app)
        if wanted is not None:
            self._moment = wanted
        self.table.focus()
        self._load()

    def back(self) -> bool:
        """Marks, the filter, then the page before."""
        if not self.pane.back():
            self.call_later(self.app.run_action, "app.last_page")
        return True

    def on_resize(self) -> None:
        """Graphs are made for their width."""
        if self._found is not None:
            self.call_after_refresh(self._show_graphs)

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        for graph in self.query(Graph):
            graph.restyle()

    # -- the span -----------------------------------------------------------------------------------------------

    def _bounds(self) -> tuple[float, float]:
        now = self.shell.now()
        if self._moment.at is None:
            return now - self._width, now
        end = min(now, self._moment.at + self._width / 2)
        return end - self._width, end

    def action_span(self, sign: int) -> None:
        """A shorter or a longer span around the same time."""
        self._width = SPANS[min(len(SPANS) - 1, max(0, SPANS.index(self._width) + sign))]
        self._load()

    def action_move(self, sign: int) -> None:
        """Half a span earlier or later; never past now."""
        start, end = self._bounds()
        middle = (start + end) / 2 + sign * self._width / 2
        at_end = middle + self._width / 2 >= self.shell.now()
        self._moment = Moment(None if at_end else middle, self._moment.server, self._moment.subject)
        self._load()

    def action_again(self) -> None:
        """Read it anew."""
        self._load()

    def action_ask(self) -> None:
        """Ask for a time."""
        field = Field("at", "around", help="02:00, 3h ago as 3h, 2026-11-24T02:00; empty: up to now", check=_check)
        self.app.push_screen(FormDialog("What happened around…", [field]), self._asked)

    def _asked(self, values: Values | None) -> None:
        if values is not None:
            text = str(values["at"]).strip()
            at = parse_moment(text, now=self.shell.now()) if text else None
            self._moment = Moment(at, self._moment.server, self._moment.subject)
            self._load()

    # -- reading ------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        self._pasts = {}
        begin(self, self._read(*self._bounds()), group="timeline", exclusive=True)

    async def _read(self, start: float, end: float) -> None:
        self._show_head(start, end, reading=True)
        names = sorted(self.runtime.fleet.state.servers)
        found = await self._reader.read(names, start, end, now=self.shell.now())
        self._found = found
        self._pasts = {(past.server, ""): past.host for past in found.servers}
        self.table.set_rows({f"{n:06}": entry for n, entry in enumerate(found.entries)})
        self.pane.told()
        self._show_head(start, end, reading=False)
        self._show_graphs()

    def _show_head(self, start: float, end: float, *, reading: bool) -> None:
        glyphs = self.shell.look.glyphs
        spans: list[Span] = [
            (f" {time_text(start)} to {rows.moment_text(end)}", "bold"),
            (f"  {duration_text(self._width)}", "accent"),
        ]
        if reading:
            spans.append((f"  {glyphs.busy} reading", "busy"))
        elif self._found is not None:
            away = [past.server for past in self._found.servers if past.problem]
            young = {p.server: p.events_since for p in self._found.servers if not p.problem and p.events_since > start}
            if away:
                spans.append((f"  {glyphs.warn} not asked: {', '.join(away)}", "warn"))
            if young:
                spans.append((f"  {rows.young_text(young)}", "dim"))
        self.query_one("#timeline-head", Lines).show([tuple(spans)])

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if self._found is None:
            return Text("reading", style("dim"))
        return Text.assemble(
            ("Nothing happened in this time\n\n", style("bold")),
            "Events of containers and engines, acts and alerts show up here in one order.\n",
            "Agents remember a year in quarters of an hour, a week in minutes, an hour in seconds.\n\n",
            ("t", style("accent bold")), "  another time    ", ("{ }", style("accent bold")), "  another span",
        )  # fmt: skip

    # -- figures ------------------------------------------------------------------------------------------------

    @on(VirtualTable.Selected)
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        if self.check_action("logs", ()):
            self.action_logs()

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_graphs()
        self.refresh_bindings()

    def _looked_at(self) -> tuple[str, str]:
        """Whose figures are shown: of what the cursor is on, else of what was asked for, else of the first server."""
        entry = self.table.current
        if entry is not None and entry.server:
            about_container = entry.kind == "event" and entry.subject != "engine"
            return entry.server, entry.subject if about_container else ""
        if self._moment.server:
            return self._moment.server, self._moment.subject
        return next(iter(sorted(self.runtime.fleet.state.servers)), ""), ""

    def _show_graphs(self) -> None:
        server, container = self._looked_at()
        if (server, container) not in self._pasts and server and self._found is not None:
            self._pasts[server, container] = None
            begin(self, self._ask(server, container, self._found), group="figures")
        past = self._pasts.get((server, container))
        name = f"{container}@{server}" if container else server
        first = self.query_one("#timeline-cpu", Graph)
        count = max(1, first.size.width - AXIS) * per_cell(self.runtime.settings.graphs)
        cpu, memory = graphs(past, name, self._width, count)
        first.show(cpu)
        self.query_one("#timeline-memory", Graph).show(memory)

    async def _ask(self, server: str, container: str, of: Timeline) -> None:
        try:
            client = await self.runtime.fleet.link(server).client()
            past = await client.past(of.start, of.end, subject=f"container:{container}", points=240)
        except KomodoError:
            return  # the graph says that it is not known; the headline names servers that cannot be asked
        if self._found is of:
            self._pasts[server, container] = past
            if self._looked_at() == (server, container):
                self._show_graphs()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Logs are of containers."""
        if action == "logs":
            entry = self.table.current
            return entry is not None and bool(entry.server) and entry.subject not in ("", "engine", entry.server)
        return True

    def action_logs(self) -> None:
        """The log of what the cursor is on, around that time."""
        entry = self.table.current
        if entry is not None:
            open_logs(self, [Target(server=entry.server, name=entry.subject)], around=(entry.at, _AROUND_LOG))


def _check(text: str) -> str:
    if text.strip():
        try:
            parse_moment(text.strip())
        except UsageError as error:
            return str(error)
    return ""
