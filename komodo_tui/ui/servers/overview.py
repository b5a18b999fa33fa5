"""The fleet at a glance: the table, the selected server's graphs at its side, what happens below."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal, Vertical

from komodo_tui.domain.units import clock_text
from komodo_tui.ui.render.series import WINDOWS
from komodo_tui.ui.servers.columns import server_columns
from komodo_tui.ui.servers.filtering import HELP, parse_servers
from komodo_tui.ui.servers.graph_pane import GraphPane
from komodo_tui.ui.servers.side import EVENT_TONES
from komodo_tui.ui.servers.state import reason_lines, standing
from komodo_tui.ui.widgets.lines import Line, Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from komodo_tui.fleet.changes import FleetEvent
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.servers.histories import Histories
    from komodo_tui.ui.shell import Shell

_EVENTS = 200
"""Events remembered for the strip."""


class Overview(Vertical):
    """Feeds itself from the fleet's state when told to."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    Overview { height: 1fr; width: 1fr; }
    Overview #fleet-main { height: 1fr; }
    Overview #fleet-side { display: none; width: 64; border-left: vkey $panel; }
    .-wide Overview #fleet-side { display: block; }
    Overview #reason { height: auto; max-height: 3; }
    Overview #events { display: none; height: 6; border-top: hkey $panel; }
    .-tall.-mid Overview #events, .-tall.-wide Overview #events { display: block; }
    .-tall.-wide Overview #events { height: 9; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, histories: Histories, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runtime = runtime
        self._shell = shell
        self._histories = histories
        self.events: deque[FleetEvent] = deque(maxlen=_EVENTS)
        """The newest events of all servers."""
        self.window = 1
        glyphs = shell.look.glyphs
        self.table: VirtualTable[ServerLive] = VirtualTable(
            server_columns(glyphs, shell.now),
            order=lambda live: (standing(live, glyphs).rank, live.name),
            row_tone=lambda live: "" if live.live else "dim",
            id="fleet-table",
        )
        self.list: ListPane[ServerLive] = ListPane(
            "Servers", self.table, parse=lambda text: parse_servers(text, glyphs),
            empty=lambda: teach(shell.look), help=HELP, natural="worst first", id="fleet-list",
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Table and side; why the selected one is not well; events."""
        with Horizontal(id="fleet-main"):
            yield self.list
            yield GraphPane(self._runtime.settings.graphs, side=True, id="fleet-side")
        yield Lines(id="reason")
        yield Lines(fixed=True, id="events")

    def refresh_rows(self) -> None:
        """Read all servers anew."""
        self.table.set_rows(dict(self._runtime.fleet.state.servers))
        self.list.told()
        self.show_selected()

    def hear(self, events: Iterable[FleetEvent]) -> None:
        """Take in what happened; it is drawn with the next :meth:`show_selected`."""
        self.events.extend(events)

    def tick(self, changed: Iterable[str], structure: bool) -> None:
        """Take in what changed."""
        servers = self._runtime.fleet.state.servers
        if structure:
            self.table.set_rows(dict(servers))
        else:
            self.table.update_rows({name: servers[name] for name in changed if name in servers})
        self.table.recheck()
        self.list.told()
        self.show_selected()

    def show_selected(self) -> None:
        """Graphs, reason and events for the row under the cursor."""
        look = self._shell.look
        live = self.table.current
        why = reason_lines(live, look.glyphs, self.size.width, 3) if live is not None else []
        self.query_one("#reason", Lines).show(why)
        strip = self.query_one("#events", Lines)
        if strip.display:
            strip.show(event_lines(self.events, max(0, strip.size.height), look))
        side = self.query_one("#fleet-side", GraphPane)
        if side.display and live is not None and side.size:
            window = WINDOWS[self.window]
            side.show(live, self._histories.look(live, window), window, self._shell.now())

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.query_one(GraphPane).restyle()
        self.list.told()


def event_lines(events: deque[FleetEvent], count: int, look: Look) -> list[Line]:
    """The newest events, the newest at the foot."""
    if not events:
        return [((" nothing has happened yet; events of all servers run here", "dim"),)]
    return [
        ((f" {clock_text(e.at)}  ", "dim"), (f"{e.server}  ", "accent"), (e.text, EVENT_TONES.get(e.kind, "")))
        for e in list(events)[-count:]
    ]


def teach(look: Look) -> Text:
    """What belongs on this page, and the key that makes the first."""
    style = look.palette.style
    return Text.assemble(
        ("No servers yet\n\n", style("title bold")),
        "A server is any machine you can reach by ssh.\n",
        "Its agent is installed for you, into your home there; no port is opened.\n\n",
        ("N", style("accent bold")), "  adds one: an address or a name from your ~/.ssh/config",
    )  # fmt: skip
