"""The Containers page: all containers of all servers, and one of them from near."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.ui.containers.acts import ACTS, BY_ID
from komodo_tui.ui.containers.detail import ContainerDetail
from komodo_tui.ui.containers.flows import act_on, copy_something, pick_act
from komodo_tui.ui.containers.listing import ContainerList
from komodo_tui.ui.containers.past import ContainerPast
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.terminal.open import open_container_shell
from komodo_tui.ui.terminal.own import own_items, run_own
from komodo_tui.ui.timeline.open import Moment
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.app import ComposeResult

    from komodo_tui.domain.operations import ActionRecord, Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.containers.columns import Key, Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


class ContainersPage(Page):
    """Either the list or one container has the page; ``Enter`` and ``Esc`` go between them."""

    TITLE = "Containers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "logs", "logs", id="container.logs"),
        Binding("s", "shell", "shell", id="container.shell"),
        Binding("m", "menu", "acts", id="container.menu"),
        Binding("N", "create", "new", id="container.create"),
        *(Binding(act.key, f"act('{act.id}')", act.label, id=act.id) for act in ACTS),
        Binding("L", "merged_logs", "merged logs", id="container.merged_logs"),
        Binding("a", "attach", "attach", show=False, id="container.attach"),
        Binding("c", "copy", "copy", show=False, id="container.copy"),
        Binding("d", "open('overview')", "describe", show=False, id="container.describe"),
        Binding("y", "open('inspect')", "inspect", show=False, id="container.inspect"),
    ]
    DEFAULT_CSS = """
    ContainersPage ContainerDetail { display: none; }
    ContainersPage.-detail ContainerDetail { display: block; }
    ContainersPage.-detail ContainerList { display: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        past = ContainerPast(runtime, shell)
        self.list = ContainerList(runtime, shell, past, id="container-list")
        self.detail = ContainerDetail(runtime, shell, past, id="container-detail")

    def compose(self) -> ComposeResult:
        """Both; one is displayed."""
        yield self.list
        yield self.detail

    # -- the frame ----------------------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read everything anew and take the focus."""
        self.list.refresh_rows()
        if self.in_detail and self.detail.row is not None:
            self.detail.tick()
        elif self.in_detail:
            self.close_detail()
        else:
            self.list.table.focus()

    def on_page_hide(self) -> None:
        """A log that nobody sees is not followed."""
        self.list.preview.rest()

    def tick(self, changes: Changes) -> None:
        """Take in what changed; only what is shown is drawn."""
        self.list.tick(changes)
        if self.in_detail and self.detail.row is None:
            self.close_detail()
            self.shell.flash("the container is gone", "warn")
        elif self.in_detail:
            self.detail.tick()

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.list.restyle()
        self.detail.restyle()

    def zoom(self) -> None:
        """The list over the whole width, or with the preview again."""
        self.list.toggle_class("-zoomed")

    def moment(self) -> Moment:
        """The container, up to now."""
        row = self.current
        return Moment() if row is None else Moment(server=row.live.name, subject=row.container.name)

    @property
    def in_detail(self) -> bool:
        """Whether one container has the page."""
        return self.has_class("-detail")

    @property
    def current(self) -> Row | None:
        """The container a key is meant for."""
        return self.detail.row if self.in_detail else self.list.table.current

    def chosen(self) -> list[Row]:
        """The containers an act is meant for: the one shown, the marked ones, or the cursor's."""
        if self.in_detail:
            return [self.detail.row] if self.detail.row is not None else []
        return self.list.table.selection()

    # -- moving -------------------------------------------------------------------------------------------------

    @on(VirtualTable.Selected, "#containers-table")
    def _opened(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.action_open("")

    @on(VirtualTable.Highlighted, "#containers-table")
    def _moved(self) -> None:
        self.list.show_selected()

    def open_detail(self, key: Key, tab: str = "") -> None:
        """Give the page to one container."""
        self.add_class("-detail")
        self.list.preview.rest()
        self.detail.open(key, tab)

    def close_detail(self) -> None:
        """Give it back to the list."""
        self.detail.close()
        self.remove_class("-detail")
        self.list.table.focus()

    def reveal(self, target: Target) -> None:
        """Open this container, by id or by name."""
        self.list.refresh_rows()
        live = self.runtime.fleet.state.servers.get(target.server)
        containers = live.containers.values() if live is not None else ()
        found = next((c for c in containers if c.id == target.id or (not target.id and c.name == target.name)), None)
        if found is None:
            self.shell.flash(f"{target} is not there", "warn")
            return
        key = (target.server, found.id)
        self.list.table.choose(key)
        self.open_detail(key)

    def back(self) -> bool:
        """Marks and filter of what has the focus, then the detail."""
        if not self.in_detail:
            return self.list.pane.back()
        if not self.detail.back():
            self.close_detail()
        return True

    def action_open(self, tab: str) -> None:
        """Show the container from near."""
        row = self.current
        if row is not None:
            self.open_detail(row.key, tab)

    # -- acts ---------------------------------------------------------------------------------------------------

    def action_act(self, act: str) -> None:
        """Start, stop… what is chosen."""
        rows = self.chosen()
        if rows:
            self.shell.work(act_on(self.shell, BY_ID[act], rows, self._acted))

    def _acted(self) -> None:
        self.list.table.clear_marks()

    def action_menu(self) -> None:
        """Every act on what is chosen."""
        rows = self.chosen()
        if rows:
            self.shell.work(self._menu(rows))

    async def _menu(self, rows: Sequence[Row]) -> None:
        settings, one = self.runtime.settings, rows[0] if len(rows) == 1 else None
        runs = one is not None and one.container.state == "running"
        more = own_items(settings, one.target, one.live.definition.tags, runs=runs) if one is not None else ()
        act = await pick_act(self.shell, rows, read_only=settings.read_only, more=more)
        if isinstance(act, str):
            await run_own(self, act, rows[0].target)
        elif act is not None:
            await act_on(self.shell, act, rows, self._acted)

    def action_create(self) -> None:
        """Create a container."""
        row = self.current
        servers = self.runtime.fleet.state.servers
        ready = next((name for name, live in servers.items() if live.engine_live), next(iter(servers), ""))
        server = row.live.name if row is not None else ready
        from komodo_tui.ui.containers.create import create_container  # late: it loads the input fields

        self.shell.work(create_container(self.runtime, self.shell, server, self._created))

    def _created(self, record: ActionRecord) -> None:
        made = next((step.target for step in record.steps if step.ok), None)
        if made is not None and not self.in_detail:
            self.list.refresh_rows()
            key = next((k for k, row in self.list.table.model.rows.items()
                        if row.live.name == made.server and row.container.name == made.name), None)  # fmt: skip
            if key is not None:
                self.list.table.choose(key)

    # -- looking ------------------------------------------------------------------------------------------------

    def action_logs(self) -> None:
        """The logs of this container."""
        if self.current is not None:
            open_logs(self, [self.current.target])

    def action_merged_logs(self) -> None:
        """The logs of all that are marked, merged."""
        open_logs(self, [row.target for row in self.chosen()])

    def action_shell(self) -> None:
        """A shell in the container."""
        self._terminal(attach=False)

    def action_attach(self) -> None:
        """Its main process in a terminal."""
        self._terminal(attach=True)

    def _terminal(self, *, attach: bool) -> None:
        row = self.current
        if row is None:
            return
        if row.container.state != "running":
            self.shell.flash(f"{row.target} is {row.container.state}: U starts it", "warn")
            return
        open_container_shell(self, row.live.name, row.container.id, row.container.name, attach=attach)

    def action_copy(self) -> None:
        """Copy name, id, image…"""
        if self.current is not None:
            self.shell.work(copy_something(self.shell, self.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode hides what changes something; a key for marked rows needs some."""
        if action in ("act", "create", "shell", "attach") and self.runtime.settings.read_only:
            return False
        if action == "merged_logs":
            return not self.in_detail
        return True

    def commands(self) -> Iterable[Command]:
        """Acts on what is chosen, by name."""
        rows = self.chosen() if self.is_mounted else []
        if not rows:
            return
        what = str(rows[0].target) if len(rows) == 1 else f"{len(rows)} containers"
        for act in ACTS:
            yield Command(f"{act.label} {what}", self._runner(act.id), help=act.help)
        yield Command(f"logs {what}", self.action_merged_logs if len(rows) > 1 else self.action_logs, kind="view")
        if len(rows) == 1:
            yield Command(f"shell {what}", self.action_shell, kind="view")

    def _runner(self, act: str) -> Callable[[], None]:
        return lambda: self.action_act(act)
