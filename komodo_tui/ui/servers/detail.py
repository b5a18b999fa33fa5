"""One server from near: graphs, containers, file systems, devices, processes, system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.units import duration_text
from komodo_tui.ui.begun import begin
from komodo_tui.ui.render.series import WINDOWS
from komodo_tui.ui.servers.detail_tabs import TABS, DetailTab, table_pane
from komodo_tui.ui.servers.facts import server_facts
from komodo_tui.ui.servers.graph_pane import GraphPane
from komodo_tui.ui.servers.graphs import headline
from komodo_tui.ui.servers.side import side_lines
from komodo_tui.ui.servers.state import reason_lines, standing
from komodo_tui.ui.servers.trouble import report, step_keys
from komodo_tui.ui.servers.trouble_pane import TroublePane
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.holding import hold_focus, pass_focus
from komodo_tui.ui.widgets.lines import Line, Lines
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from textual.app import ComposeResult
    from textual.widget import AwaitMount, Widget

    from komodo_tui.fleet.changes import FleetEvent
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.servers.histories import Histories
    from komodo_tui.ui.shell import Shell


class ServerDetail(Vertical):
    """Shows the server named last by :meth:`open`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,comma", "tab(-1)", "[ ] sub-tab", key_display="[ ]", show=False, id="detail.left"),
        Binding("right_square_bracket,full_stop", "tab(1)", "sub-tab", key_display="[ ]", id="detail.right"),
        Binding("left_curly_bracket", "window(-1)", "shorter window", show=False, key_display="{", id="detail.shorter"),
        Binding("right_curly_bracket", "window(1)", "window", key_display="{ }", id="detail.longer"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ServerDetail { height: 1fr; width: 1fr; }
    ServerDetail #detail-main { height: 1fr; }
    ServerDetail #detail-body { height: 1fr; width: 1fr; }
    ServerDetail #detail-side { display: none; width: 64; height: 1fr; border-left: vkey $panel; padding: 0 1; }
    .-wide ServerDetail.-graphs #detail-side { display: block; }
    ServerDetail #detail-trouble, ServerDetail.-trouble #detail-body { display: none; }
    ServerDetail.-trouble #detail-trouble { display: block; }
    """

    class Reveal(Message):
        """A container was chosen: show it on its own page."""

        def __init__(self, target: Target) -> None:
            super().__init__()
            self.target = target

    def __init__(
        self, runtime: Runtime, shell: Shell, histories: Histories, events: Collection[FleetEvent], *,
        id: str | None = None,
    ) -> None:  # fmt: skip
        """``events`` are the newest of all servers."""
        super().__init__(id=id)
        self._events = events
        self._runtime = runtime
        self._shell = shell
        self._histories = histories
        self._server = ""
        self._tab = TABS[0]
        self.window = 1
        """Index into :data:`WINDOWS`."""

    def compose(self) -> ComposeResult:
        """Headline, sub-tabs, body or what keeps it from being shown."""
        yield Lines(fixed=True, id="detail-head")
        with Horizontal(id="detail-main"):
            yield Vertical(id="detail-body")
            yield TroublePane(id="detail-trouble")
            yield Lines(fixed=True, id="detail-side")

    @property
    def server(self) -> str:
        """Name of the server shown; empty for none."""
        return self._server

    @property
    def live(self) -> ServerLive | None:
        """The server shown, while it exists."""
        return self._runtime.fleet.state.servers.get(self._server)

    def open(self, name: str) -> None:
        """Show this server, on the sub-tab that was shown last."""
        self._want_feed(False)
        self._server = name
        for pane in self.query("#detail-body > *"):
            if isinstance(pane, ListPane):
                pane.table.set_rows({})
        self._show_tab(self._tab)

    def resume(self) -> None:
        """Somebody looks again."""
        self._want_feed(True)
        self._ready()

    def rest(self) -> None:
        """Nobody looks: the feed need not carry more than usual."""
        self._want_feed(False)

    def close(self) -> None:
        """Leave this server."""
        self.rest()
        self._server = ""

    def _want_feed(self, wanted: bool) -> None:
        if not self._server or not self._tab.feed:
            return
        try:
            link = self._runtime.fleet.link(self._server)
        except NotFoundError:
            return
        link.set_feed(**{self._tab.feed: wanted})

    def _show_tab(self, tab: DetailTab) -> None:
        self._want_feed(False)
        self._tab = tab
        self._want_feed(True)
        hold_focus(self)
        body = self.query_one("#detail-body")
        for child in body.children:
            child.display = child.id == f"tab-{tab.id}"
        found = next((child for child in body.children if child.id == f"tab-{tab.id}"), None)
        if found is None:
            begin(self, self._mounted(body.mount(self._build(tab)), tab), group="detail")
        else:
            self._ready()

    async def _mounted(self, mounting: AwaitMount, tab: DetailTab) -> None:
        await mounting
        if tab is self._tab and self._server:
            self._ready()

    def _build(self, tab: DetailTab) -> Widget:
        if tab.id == "graphs":
            pane = GraphPane(self._runtime.settings.graphs, id="tab-graphs")
            pane.can_focus = True
            return pane
        if tab.id == "system":
            return FactsPane(id="tab-system")
        return table_pane(tab, lambda: self.live, self._shell.look)

    def _ready(self) -> None:
        pane = self._pane()
        self._judge()
        if self.has_class("-trouble"):
            self.query_one(TroublePane).focus()
        elif isinstance(pane, ListPane):
            pass_focus(self, pane.table)
        elif pane is not None:
            pass_focus(self, pane)
        self.tick()

    def _pane(self) -> Widget | None:
        """What shows the sub-tab, once all of it is there."""
        return next((pane for pane in self.query(f"#detail-body > #tab-{self._tab.id}") if pane.is_mounted), None)

    def tick(self) -> None:
        """Bring what is shown in line with what is known."""
        live, pane = self.live, self._pane()
        if live is None or pane is None:
            return
        look, now = self._shell.look, self._shell.now()
        if self._judge():
            (self.query_one(TroublePane) if self.has_class("-trouble") else pane).focus()
        series = self._histories.look(live, WINDOWS[self.window])
        self.query_one("#detail-head", Lines).show(self._head(live, look, now))
        if self.has_class("-trouble"):
            told = report(live, None, now, look.glyphs)
            self.query_one(TroublePane).show(told, step_keys(told), look)
        elif isinstance(pane, GraphPane):
            pane.show(live, series, WINDOWS[self.window], now)
            self._show_side(live, look)
        elif isinstance(pane, FactsPane):
            pane.show(server_facts(live, now, look.glyphs), look)
        elif isinstance(pane, ListPane) and self._tab.rows is not None:
            pane.table.set_rows(self._tab.rows(live))
            pane.told()

    def _show_side(self, live: ServerLive, look: Look) -> None:
        side = self.query_one("#detail-side", Lines)
        if side.display and side.size:
            side.show(side_lines(live, self._events, side.size.width, side.size.height, look.glyphs))

    def _judge(self) -> bool:
        """Show what is wrong in place of graphs that would be empty. Returns whether that changed something."""
        live = self.live
        trouble = self._tab.id == "graphs" and live is not None and live.sample is None and live.error is not None
        changed = trouble != self.has_class("-trouble")
        self.set_class(trouble, "-trouble")
        self.set_class(self._tab.id == "graphs" and not trouble, "-graphs")
        return changed

    def _head(self, live: ServerLive, look: Look, now: float) -> list[Line]:
        state = standing(live, look.glyphs)
        top = headline(live, (state.glyph, state.word, state.tone), now)
        tabs: list[Span] = [(" ", "")]
        for tab in TABS:
            here = tab is self._tab
            title = tab.title if self.size.width >= 90 else tab.short
            tabs.append((f"[{title}]" if here else f" {title} ", "accent bold" if here else "dim"))
        if self._tab.id == "graphs":
            tabs.append((f"   last {duration_text(WINDOWS[self.window])}", "dim"))
        lines: list[Line] = [top, tuple(tabs)]
        if not self.has_class("-trouble"):
            lines += reason_lines(live, look.glyphs, self.size.width, 3)
        self.query_one("#detail-head").styles.height = len(lines)
        return lines

    def action_tab(self, by: int) -> None:
        """The sub-tab at the left or the right."""
        self._show_tab(TABS[(TABS.index(self._tab) + by) % len(TABS)])

    def action_window(self, by: int) -> None:
        """Look back less or more."""
        self.window = min(len(WINDOWS) - 1, max(0, self.window + by))
        self.tick()

    def show_system(self) -> None:
        """Go to the System tab (describe)."""
        self._show_tab(TABS[-1])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A window belongs to graphs."""
        return self._tab.id == "graphs" if action == "window" else True

    def back(self) -> bool:
        """Leave a filter or marks of the sub-tab's list."""
        pane = self._pane()
        return isinstance(pane, ListPane) and pane.back()

    @on(VirtualTable.Selected)
    def _chosen(self, event: VirtualTable.Selected) -> None:
        event.stop()
        live = self.live
        if self._tab.id == "containers" and live is not None and isinstance(event.key, str):
            container = live.containers.get(event.key)
            if container is not None:
                self.post_message(self.Reveal(Target(server=live.name, name=container.name, id=container.id)))

    def restyle(self) -> None:
        """Draw again in new colours."""
        for pane in self.query("#detail-body > *"):
            restyle: Any = getattr(pane, "restyle", None)
            if restyle is not None:
                restyle()
