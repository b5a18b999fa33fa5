"""The Servers page: the fleet at a glance, and one server from near."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.ui.page import Page
from komodo_tui.ui.servers.detail import ServerDetail
from komodo_tui.ui.servers.histories import Histories
from komodo_tui.ui.servers.overview import Overview
from komodo_tui.ui.terminal.open import open_server_shell
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.domain.operations import Target
    from komodo_tui.fleet.live import Changes, ServerLive
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class ServersPage(Page):
    """Either the fleet or one server has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Servers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "shell", "shell", id="servers.shell"),
        Binding("ctrl+r", "reconnect", "reconnect", key_display="^R", id="servers.reconnect"),
    ]
    DEFAULT_CSS = """
    ServersPage ServerDetail { display: none; }
    ServersPage.-detail ServerDetail { display: block; }
    ServersPage.-detail Overview { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        histories = Histories(runtime, shell)
        self.overview = Overview(runtime, shell, histories, id="fleet-overview")
        self.detail = ServerDetail(runtime, shell, histories, id="server-detail")

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        yield self.overview
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.overview.refresh_rows()
        if self.in_detail:
            self.detail.open(self.detail.server)
        else:
            self.overview.table.focus()

    def on_page_hide(self) -> None:
        """Nobody looks at processes and devices now."""
        self.detail.rest()

    def tick(self, changes: Changes) -> None:
        """Take in what changed; only what is shown is drawn."""
        if self.in_detail and self.detail.live is None:
            self.close_detail()  # somebody removed it
        self.overview.tick(changes.servers, changes.events, changes.structure)
        if self.in_detail:
            self.detail.tick()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.overview.restyle()
        self.detail.restyle()

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

    def action_shell(self) -> None:
        """A login shell on the server."""
        if self.current is not None:
            open_server_shell(self, self.current.name)

    def action_reconnect(self) -> None:
        """Connect anew, now: the marked ones, or the current one."""
        chosen = self.overview.table.selection() if not self.in_detail else [self.current]
        names = [live.name for live in chosen if live is not None]
        for name in names:
            self.runtime.fleet.reconnect(name)
        if names:
            self.shell.flash(f"connecting to {', '.join(names)}", "busy")
