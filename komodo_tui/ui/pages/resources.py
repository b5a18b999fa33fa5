"""The Resources page: images, volumes and networks of all servers, and one of them from near."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.resources import flows, transfers
from komodo_tui.ui.resources.acts import ACTS, BY_ID
from komodo_tui.ui.resources.book import Book
from komodo_tui.ui.resources.detail import ResourceDetail
from komodo_tui.ui.resources.listing import ResourceList
from komodo_tui.ui.resources.prune import prune
from komodo_tui.ui.resources.shipping import bring
from komodo_tui.ui.resources.usage import show_usage
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import ActionRecord, Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.resources.columns import Key, Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 5.0
"""Seconds that containers have to be quiet for between two looks at what uses what."""


class ResourcesPage(Page):
    """Either the list or one resource has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Resources"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(act.key, f"act('{act.id}')", act.label, id=act.id) for act in ACTS),
        Binding("m", "menu", "acts", id="resource.menu"),
        Binding("u", "usage", "disk usage", id="resource.usage"),
        Binding("f", "open('files')", "files", show=False, id="resource.files"),
        Binding("c", "copy", "copy", show=False, id="resource.copy"),
        Binding("d", "open('overview')", "describe", show=False, id="resource.describe"),
        Binding("y", "open('inspect')", "inspect", show=False, id="resource.inspect"),
        Binding("ctrl+r", "refresh_lists", "ask again", show=False, id="resource.refresh"),
    ]
    DEFAULT_CSS = """
    ResourcesPage ResourceDetail { display: none; }
    ResourcesPage.-detail ResourceDetail { display: block; }
    ResourcesPage.-detail ResourceList { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.book = Book(runtime, shell, self._answered)
        self.list = ResourceList(runtime, shell, self.book, id="resource-list")
        self.detail = ResourceDetail(runtime, shell, self.list.row, id="resource-detail")
        self._due: set[str] = set()
        self._known: set[str] = set()
        self._wanted: Target | None = None

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        yield self.list
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Ask all servers anew and take the focus."""
        self._ask(self.runtime.fleet.state.servers)
        self.list.refresh_rows()
        if self.in_detail:
            self.detail.tick()
        else:
            self.list.table.focus()

    def tick(self, changes: Changes) -> None:
        """Ask servers that came back or whose containers came or went; ages move."""
        servers = self.runtime.fleet.state.servers
        if changes.structure:
            self.book.forget_others(servers)
            self._due |= {server for server, _ in (*changes.containers, *changes.removed)}
        now = self.shell.now()
        fresh = {name for name in changes.servers if name in servers and not self.book.listing(name).at}
        due = {name for name in self._due if name in servers and now - self.book.listing(name).at >= _AGAIN}
        self._due -= due
        self._ask(fresh | due)
        if servers.keys() != self._known:
            self._known = set(servers)
            self.list.refresh_rows()  # else rows change only when a server answers; what they look up is rechecked
        self.list.look_for_updates()
        self.list.table.recheck()
        self.list.pane.told()
        self.list.show_selected()
        if self.in_detail:
            self._tick_detail()

    def _tick_detail(self) -> None:
        if self.detail.row is None:
            self.close_detail()
            self.shell.flash("it is gone", "warn")
        else:
            self.detail.tick()

    def _ask(self, servers: Iterable[str]) -> None:
        states = self.runtime.fleet.state.servers
        self.book.refresh([name for name in servers if states[name].engine_live])

    def _answered(self, server: str) -> None:
        """A server said what it has, or why not."""
        if not self.is_mounted:
            return
        self.list.refresh_server(server)
        if self._wanted is not None and self._wanted.server == server:
            self._show_wanted(last=True)
        if self.in_detail:
            self._tick_detail()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.list.restyle()
        self.detail.tick()

    @property
    def in_detail(self) -> bool:
        """Whether one resource has the page."""
        return self.has_class("-detail")

    @property
    def current(self) -> Row | None:
        """The resource a key is meant for."""
        return self.detail.row if self.in_detail else self.list.table.current

    def chosen(self) -> list[Row]:
        """The resources an act is meant for: the one shown, the marked ones, or the cursor's."""
        if self.in_detail:
            return [self.detail.row] if self.detail.row is not None else []
        return self.list.table.selection()

    # -- moving -------------------------------------------------------------------------------------------------

    @on(VirtualTable.Selected, "#resources-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.action_open("")

    @on(VirtualTable.Highlighted, "#resources-table")
    def _moved(self) -> None:
        self.list.show_selected()

    def zoom(self) -> None:
        """The list over the whole width, or with the preview again."""
        self.list.toggle_class("-zoomed")

    def open_detail(self, key: Key, tab: str = "") -> None:
        """Give the page to one resource."""
        self.add_class("-detail")
        self.detail.open(key, tab)
        self.refresh_bindings()

    def close_detail(self) -> None:
        """Give it back to the list."""
        self.detail.close()
        self.remove_class("-detail")
        self.list.table.focus()
        self.refresh_bindings()

    def reveal(self, target: Target) -> None:
        """Open this one, by id or by name; asked for first where it is not known."""
        self._wanted = target
        self._show_wanted(last=False)

    def _show_wanted(self, *, last: bool) -> None:
        target = self._wanted
        if target is None:
            return
        rows = [row for row in self.list.table.model.rows.values() if row.live.name == target.server]
        found = next((r for r in rows if target.id in (r.resource.id, "") and target.name in ("", r.label)), None)
        if found is not None:
            self._wanted = None
            self.list.table.choose(found.key)
            self.open_detail(found.key)
        elif last:
            self._wanted = None
            self.shell.flash(f"{target} is not there", "warn")

    def back(self) -> bool:
        """Marks and filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.list.pane.back()
        if not self.detail.back():
            self.close_detail()
        return True

    def action_open(self, tab: str) -> None:
        """Show it from near."""
        if self.current is not None:
            self.open_detail(self.current.key, tab)

    def action_refresh_lists(self) -> None:
        """Ask all servers again, and connect to those that are away."""
        away = []
        for name, live in self.runtime.fleet.state.servers.items():
            if live.status not in ("up", "connecting"):
                self.runtime.fleet.reconnect(name)
                away.append(name)
        self._ask(self.runtime.fleet.state.servers)
        self.shell.flash(f"asking again; reconnecting {', '.join(away)}" if away else "asking again", "busy")

    # -- acts ---------------------------------------------------------------------------------------------------

    def action_act(self, act: str) -> None:
        """Remove, tag…"""
        rows = self.chosen()
        refusal = BY_ID[act].refusal(rows, read_only=self.runtime.settings.read_only)
        if refusal:
            self.shell.flash(f"{BY_ID[act].label.rstrip('…')}: {refusal}", "warn")
        else:
            self.shell.work(self._act(act, rows))

    async def _act(self, act: str, rows: list[Row]) -> None:
        rows = [row for row in rows if row.resource.kind in BY_ID[act].kinds]
        if act == "resource.remove":
            await flows.remove(self.shell, rows, self._acted)
        elif act == "resource.tag":
            await flows.tag(self.shell, rows[0], self._acted)
        elif act == "resource.pull":
            await flows.pull_again(self.shell, rows, self._acted)
        elif act in ("resource.ship", "resource.push"):
            await bring(act, self.shell, self.runtime, rows, self._acted)
        elif act == "resource.new":
            await flows.new(self.shell, self.runtime.fleet.state, self._here(), self._acted)
        elif act == "resource.backup":
            file = self.detail.files.current if self.in_detail and self.detail.tab == "files" else None
            await transfers.keep(self.shell, rows[0], file, self._acted)
        elif act == "resource.restore":
            await transfers.restore(self.shell, rows[0], self._acted)
        elif act == "resource.cache":
            servers = {row.live.name for row in rows} or {self._here()}
            await flows.clear_cache(self.shell, sorted(servers), self._acted)
        elif act == "resource.prune":
            await prune(self.shell, self.runtime.fleet.state, self.book, self._here(), self._acted)

    def _acted(self, record: ActionRecord) -> None:
        self.list.table.clear_marks()
        self._ask({target.server for target in record.targets} & self.runtime.fleet.state.servers.keys())

    def _here(self) -> str:
        """The server a new thing is proposed for."""
        if self.current is not None:
            return self.current.live.name
        servers = self.runtime.fleet.state.servers
        return next((name for name, live in servers.items() if live.engine_live), next(iter(servers), ""))

    def action_menu(self) -> None:
        """Every act."""
        self.shell.work(self._menu(self.chosen()))

    async def _menu(self, rows: list[Row]) -> None:
        act = await flows.pick_act(self.shell, rows, read_only=self.runtime.settings.read_only)
        if act is not None:
            await self._act(act.id, rows)

    def action_usage(self) -> None:
        """Measure what takes how much, on the servers of what is chosen."""
        servers = {row.live.name for row in self.chosen()} or {self._here()}
        self.shell.work(show_usage(self.shell, self.book, sorted(servers)))

    def action_copy(self) -> None:
        """Copy name, id…"""
        if self.current is not None:
            self.shell.work(flows.copy_something(self.shell, self.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; from near, acts on other kinds are hidden."""
        if action == "act" and self.runtime.settings.read_only:
            return False
        if action == "act" and self.in_detail and self.detail.row is not None:
            act = BY_ID[str(parameters[0])]
            return not act.rows or self.detail.row.resource.kind in act.kinds
        return True

    def commands(self) -> Iterable[Command]:
        """Acts on what is chosen, by name."""
        rows = self.chosen() if self.is_mounted else []
        for act in ACTS:
            if not act.refusal(rows, read_only=self.runtime.settings.read_only):
                what = f" {flows.names(rows)}" if act.rows else ""
                yield Command(f"{act.label.rstrip('…')}{what}", self._runner(act.id), help=act.help)

    def _runner(self, act: str) -> Callable[[], None]:
        return lambda: self.action_act(act)
