"""The Alerts page: what is open and what is over, one of them from near, and the ways to what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from komodo_tui.domain.alerts import worst_first
from komodo_tui.domain.errors import KomodoError, StoreError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.text import clean
from komodo_tui.ui.alerts import figure, rows
from komodo_tui.ui.alerts.book import book_of
from komodo_tui.ui.alerts.detail import AlertDetail
from komodo_tui.ui.alerts.flows import acknowledge, mute
from komodo_tui.ui.alerts.where import maintenance_text, where
from komodo_tui.ui.begun import begin
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.timeline.open import Moment
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from komodo_tui.domain.alerts import Alert
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.widgets.graph import GraphData

_PAGES = {"build": "builds", "procedure": "procedures", "schedule": "procedures", "sync": "syncs", "push": "repos"}
"""Where what is about no server stands, by the kind of alert."""
_AROUND = 300.0
"""Seconds of logs before and after the moment at which an alert opened."""


class AlertsPage(Page):
    """List, and beside it (or in its place where room is short) one alert; from there on to what it is about."""

    TITLE = "Alerts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "acknowledge", "acknowledge", id="alert.acknowledge"),
        Binding("M", "mute", "mute", id="alert.mute"),
        Binding("W", "where", "where, when", id="alert.where"),
        Binding("l", "logs", "logs", id="alert.logs"),
        Binding("enter", "jump", "go there", id="alert.jump"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    AlertsPage { layout: vertical; }
    AlertsPage #alerts-maintenance { display: none; height: 1; padding: 0 1; color: $text-muted;
        text-wrap: nowrap; text-overflow: ellipsis; }
    AlertsPage #alerts-maintenance.-known { display: block; }
    AlertsPage AlertDetail { display: none; border-left: $edge $panel; }
    AlertsPage.-detail AlertDetail { display: block; width: 45%; }
    .-wide AlertsPage AlertDetail { display: block; width: 40%; }
    .-narrow AlertsPage.-detail ListPane, AlertsPage.-detail.-zoom ListPane { display: none; }
    .-narrow AlertsPage.-detail AlertDetail, AlertsPage.-detail.-zoom AlertDetail { width: 100%; border: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = book_of(self.app, runtime, shell.now)
        columns = rows.columns(lambda: shell.look.glyphs, shell.now)
        self.table: VirtualTable[Alert] = VirtualTable(columns, order=worst_first, id="alerts-list")
        self.pane: ListPane[Alert] = ListPane(
            "Alerts", self.table, parse=rows.parser, empty=self._teach, help=rows.HELP, natural="worst first",
            id="alerts-pane",
        )  # fmt: skip
        self._maintenance = ""
        self.detail = AlertDetail(runtime.settings.graphs, id="alert-detail")

    def compose(self) -> ComposeResult:
        """Maintenance, the list, the detail."""
        yield Static(id="alerts-maintenance")
        with Horizontal():
            yield self.pane
            yield self.detail

    def on_mount(self) -> None:
        """Hear what changes."""
        if self.book is not None:
            self.book.listeners.append(self._known)

    def on_unmount(self) -> None:
        """Hear no more."""
        if self.book is not None and self._known in self.book.listeners:
            self.book.listeners.remove(self._known)

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read anew and take the focus."""
        if self.book is not None:
            self.book.watched = True
            self.book.look()
        self._known()
        (self.detail if self.has_class("-detail") else self.table).focus()

    def on_page_hide(self) -> None:
        """What nobody sees is read less often."""
        if self.book is not None:
            self.book.watched = False

    def tick(self, changes: Changes) -> None:
        """Ages move."""
        self.table.recheck()
        self._tell_maintenance()

    def _tell_maintenance(self) -> None:
        text = maintenance_text(self.book.maintenance, self.shell.now()) if self.book is not None else ""
        line = self.query_one("#alerts-maintenance", Static)
        if text != self._maintenance:
            self._maintenance = text
            line.update(Text(clean(text)))
            line.set_class(bool(text), "-known")

    def _known(self) -> None:
        if self.book is None or not self.pane.is_mounted:
            return
        self.table.set_rows(dict(self.book.alerts))
        self._tell_maintenance()
        self.pane.told()
        self._show_detail()

    def _teach(self) -> Text:
        style = self.shell.look.palette.style
        if self.book is not None and self.book.trouble is not None:
            return Text(clean(str(self.book.trouble)), style("bad"))
        if self.book is None or not self.book.read:
            return Text("reading", style("dim"))
        return Text.assemble(
            ("All is well\n\n", style("ok bold")),
            "Servers that cannot be reached, full disks, strained hosts, engines that are down, and containers\n"
            "that fail, loop, are unhealthy or run out of memory show up here when they last.\n\n",
            ("komodo-tui watch", style("accent bold")), "  looks while this program is closed",
        )  # fmt: skip

    @property
    def _detail_shown(self) -> bool:
        return self.has_class("-detail") or self.screen.has_class("-wide")

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_detail()
        self.refresh_bindings()

    def on_resize(self) -> None:
        """A wide screen shows the detail by itself."""
        self._show_detail()

    def _show_detail(self) -> None:
        if self._detail_shown and self.detail.is_mounted:
            begin(self, self._read_detail(self.table.current), group="detail", exclusive=True)

    async def _read_detail(self, alert: Alert | None) -> None:
        try:
            entries = await self.book.entries(alert.id) if alert is not None and self.book is not None else []
        except StoreError as error:
            self.shell.flash(error.message, "bad")
            return
        self.detail.show(alert, entries, self.shell.now())
        self.detail.figure(await self._figure(alert) if alert is not None else None)

    async def _figure(self, alert: Alert) -> GraphData | None:
        """How the figure was around the time; None where its agent cannot tell."""
        subject, (start, end) = alert.subject, figure.span(alert, self.shell.now())
        live = self.runtime.fleet.state.servers.get(subject.server)
        series, name = figure.source(subject)
        if not name or live is None or not live.live:
            return None
        try:
            client = await self.runtime.fleet.link(subject.server).client()
            past = await client.past(start, end, subject=series, points=self.detail.columns)
        except KomodoError:  # it is known from elsewhere that the server is away
            return None
        return figure.graph(alert, past, live.sample, self.detail.columns)

    @on(VirtualTable.Selected)
    def _selected(self) -> None:
        self.add_class("-detail")
        self._show_detail()
        self.detail.focus()
        self.refresh_bindings()

    def back(self) -> bool:
        """Zoom, then the detail, then marks and filter."""
        if self.has_class("-zoom"):
            self.remove_class("-zoom")
            return True
        if self.has_class("-detail") or self.detail.has_focus:
            self.remove_class("-detail")
            self.table.focus()
            self.refresh_bindings()
            return True
        return self.pane.back()

    def zoom(self) -> None:
        """The detail over the whole page, or beside the list again."""
        if self.has_class("-zoom"):
            self.remove_class("-zoom")
        elif self.table.current is not None:
            self.add_class("-detail", "-zoom")
            self._show_detail()
            self.detail.focus()

    def reveal(self, target: Target) -> None:
        """The alerts of this server or container."""
        self.pane.set_filter(str(target))

    def moment(self) -> Moment:
        """When the alert opened."""
        alert = self.table.current
        if alert is None:
            return Moment()
        return Moment(alert.opened, alert.subject.server, alert.subject.container)

    def restyle(self) -> None:
        """New colours."""
        self.table.restyle()
        self._show_detail()

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_acknowledge(self) -> None:
        """Say that you take care of the marked ones, or of this one."""
        if self.book is not None and self.table.selection():
            self.shell.work(acknowledge(self.shell, self.book, self.table.selection()))

    def action_mute(self) -> None:
        """Mute it, or hear it again."""
        if self.book is not None and self.table.current is not None:
            self.shell.work(mute(self.shell, self.book, self.table.current))

    def action_where(self) -> None:
        """Where alerts go, and when they press nobody: look, test, change."""
        if self.book is not None:
            self.shell.work(where(self.runtime, self.shell, self.book))

    def action_logs(self) -> None:
        """The logs of its container, of the time at which it opened."""
        alert, target = self.table.current, self._target()
        if alert is not None and target is not None:
            open_logs(self, [target], around=(alert.opened, _AROUND))

    def action_jump(self) -> None:
        """To the container, the deployment, else to the server."""
        alert = self.table.current
        if alert is None:
            return
        target = self._target()
        if target is not None and target.id:
            self.shell.go("containers", target)
        elif alert.subject.kind in ("deployment", "drift"):
            self.shell.go("deployments", Target(server=alert.subject.server, name=alert.subject.what))
        elif alert.subject.server:
            self.shell.go("servers", Target(server=alert.subject.server))
        elif page := _PAGES.get(alert.subject.kind):
            self.shell.go(page, Target(server="", name=alert.subject.what))

    def _target(self) -> Target | None:
        """The container that the alert under the cursor is about; without an id where it is gone."""
        alert = self.table.current
        if alert is None or not alert.subject.container:
            return None
        live = self.runtime.fleet.state.servers.get(alert.subject.server)
        containers = live.containers.values() if live is not None else ()
        found = next((c.id for c in containers if c.name == alert.subject.container), "")
        return Target(server=alert.subject.server, name=alert.subject.container, id=found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; the way to a container needs one."""
        if action in ("acknowledge", "mute"):
            return not self.runtime.settings.read_only
        if action == "logs":
            return self.is_mounted and self._target() is not None
        return True

    def commands(self) -> Iterable[Command]:
        """For the palette."""
        yield Command("alerters and maintenance", self.action_where)
        if self.is_mounted and self.table.current is not None and not self.runtime.settings.read_only:
            title = self.table.current.title
            yield Command(f"acknowledge {title}", self.action_acknowledge)
            yield Command(f"mute {title}", self.action_mute)
