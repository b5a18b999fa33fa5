"""The Servers page: the fleet at a glance, and one server from near."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.operations import Target
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.servers.acts import ServerActs
from komodo_tui.ui.servers.detail import ServerDetail
from komodo_tui.ui.servers.histories import Histories
from komodo_tui.ui.servers.menu import ACTS, act_items, copies
from komodo_tui.ui.servers.overview import Overview
from komodo_tui.ui.terminal.open import open_server_shell
from komodo_tui.ui.terminal.own import is_own, own_items, run_own
from komodo_tui.ui.timeline.open import Moment
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes, ServerLive
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class ServersPage(Page):
    """Either the fleet or one server has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Servers"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                act.key, f"act('{act.id}')", act.label, key_display=act.shown, show=act.hint, id=f"servers.{act.id}"
            )
            for act in ACTS
        ),
        Binding("m", "menu", "acts", id="servers.menu"),
        Binding("c", "copy", "copy", show=False, id="servers.copy"),
        Binding("d", "describe", "describe", show=False, id="servers.describe"),
    ]
    DEFAULT_CSS = """
    ServersPage ServerDetail { display: none; }
    ServersPage.-detail ServerDetail { display: block; }
    ServersPage.-detail Overview { display: none; }
    ServersPage.-zoom #fleet-side, ServersPage.-zoom #events,
    ServersPage.-zoom #detail-side { display: none !important; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        histories = Histories(runtime, shell)
        self.overview = Overview(runtime, shell, histories, id="fleet-overview")
        self.detail = ServerDetail(runtime, shell, histories, self.overview.events, id="server-detail")
        self._heard = runtime.fleet.state.subscribe()  # events go on while another tab is shown
        self._acts = ServerActs(runtime, shell, self._show)

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        yield self.overview
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.overview.hear(self._heard.take().events)
        self.overview.refresh_rows()
        if self.in_detail:
            self.detail.resume()
        else:
            self.overview.table.focus()

    def on_page_hide(self) -> None:
        """Nobody looks at processes and devices now."""
        self.detail.rest()

    def tick(self, changes: Changes) -> None:
        """Take in what changed; only what is shown is drawn."""
        if self.in_detail and self.detail.live is None:
            self.close_detail()  # somebody removed it
        self.overview.hear(self._heard.take().events)
        self.overview.tick(changes.servers, changes.structure)
        if self.in_detail:
            self.detail.tick()

    def on_unmount(self) -> None:
        """Hear no more."""
        self._heard.close()

    def zoom(self) -> None:
        """Take away what stands beside and below the list or the graphs, or bring it back."""
        self.toggle_class("-zoom")
        self.call_after_refresh(self.detail.tick if self.in_detail else self.overview.show_selected)

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.overview.restyle()
        self.detail.restyle()

    def moment(self) -> Moment:
        """The server, up to now."""
        return Moment(server=self.current.name if self.current is not None else "")

    @property
    def in_detail(self) -> bool:
        """Whether one server has the page."""
        return self.has_class("-detail")

    @property
    def current(self) -> ServerLive | None:
        """The server a key is meant for."""
        return self.detail.live if self.in_detail else self.overview.table.current

    # -- moving -------------------------------------------------------------------------------------------------

    @on(VirtualTable.Selected, "#fleet-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.open_detail(str(event.key))

    @on(VirtualTable.Highlighted, "#fleet-table")
    def _moved(self) -> None:
        self.overview.show_selected()

    def open_detail(self, name: str) -> None:
        """Give the page to one server."""
        self.add_class("-detail")
        self.detail.open(name)

    def close_detail(self) -> None:
        """Give it back to the fleet."""
        self.detail.close()
        self.remove_class("-detail")
        self.overview.table.focus()

    def reveal(self, target: Target) -> None:
        """Open the server of the target."""
        self.overview.refresh_rows()
        if target.server in self.runtime.fleet.state.servers:
            self.overview.table.choose(target.server)
            self.open_detail(target.server)

    def _show(self, name: str) -> None:
        """Put the cursor on a server that has just been added."""
        self.overview.refresh_rows()
        if not self.overview.table.choose(name):
            self.overview.list.set_filter("")
            self.overview.table.choose(name)

    def back(self) -> bool:
        """Marks and filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.overview.list.back()
        if not self.detail.back():
            self.close_detail()
        return True

    @on(ServerDetail.Reveal)
    def _container_chosen(self, event: ServerDetail.Reveal) -> None:
        event.stop()
        self.shell.go("containers", event.target)

    # -- keys ---------------------------------------------------------------------------------------------------

    def chosen(self) -> list[ServerLive]:
        """The servers an act is meant for: the marked ones, or the current one."""
        if self.in_detail:
            return [self.detail.live] if self.detail.live is not None else []
        return self.overview.table.selection()

    def action_act(self, act: str) -> None:
        """Do what the key says to the server, or to the marked ones where that makes sense."""
        try:
            self._act(act)
        except KomodoError as error:  # a server that is being removed at this moment
            self.shell.show_error(error)

    def _act(self, act: str) -> None:
        servers, current = self.chosen(), self.current
        if act == "add":
            self._acts.add()
        elif current is None:
            self.shell.flash("there is no server here; N adds one", "dim")
        elif act == "shell":
            open_server_shell(self, current.name)
        elif act == "reconnect":
            self._acts.reconnect(servers)
        elif act == "install":
            self._acts.install(servers)
        elif act == "edit":
            self._acts.edit(current)
        elif act == "remove":
            self._acts.remove(current)
        else:
            self._acts.check(current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What read-only mode refuses is not offered."""
        if action == "act" and self.runtime.settings.read_only:
            return next(not act.changes for act in ACTS if act.id == parameters[0])
        return True

    def action_menu(self) -> None:
        """Every act, with its key."""
        self.shell.work(self._menu())

    async def _menu(self) -> None:
        current = self.current
        title = current.name if current is not None else "Servers"
        settings = self.runtime.settings
        items = act_items(current, len(self.chosen()), read_only=settings.read_only)
        if current is not None:
            items += own_items(settings, Target(server=current.name), current.definition.tags)
        act = await self.shell.ask(MenuDialog(title, items))
        if act and current is not None and is_own(act):
            await run_own(self, act, Target(server=current.name))
        elif act:
            self.action_act(act)

    def action_copy(self) -> None:
        """Pick what to copy."""
        if self.current is not None:
            self.shell.work(self._copy(self.current))

    async def _copy(self, live: ServerLive) -> None:
        choices = copies(live, self.shell.look.glyphs)
        what = await self.shell.ask(MenuDialog(f"Copy of {live.name}", [item for item, _ in choices]))
        for item, text in choices:
            if item.id == what:
                self.shell.copy(text, item.label)

    def action_describe(self) -> None:
        """Everything known of it, in words."""
        if self.current is not None:
            if not self.in_detail:
                self.open_detail(self.current.name)
            self.detail.show_system()

    def commands(self) -> Iterable[Command]:
        """Each server, and the acts on the current one."""
        for name in self.runtime.fleet.state.servers:
            yield Command(f"open {name}", partial(self.open_detail, name), "server", "its graphs, processes…")
        current = self.current
        for item in act_items(current, 1, read_only=self.runtime.settings.read_only):
            if not item.disabled:
                label = item.label if item.id == "add" or current is None else f"{item.label} {current.name}"
                yield Command(label, partial(self.action_act, item.id), help=item.help)
