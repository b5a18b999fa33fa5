"""The Actions page: who did what to what, and how it ended; its detail, its export, its check."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.units import count_text
from komodo_tui.ui.actions import finding, rows
from komodo_tui.ui.actions.detail import DetailPane
from komodo_tui.ui.actions.export import default_path
from komodo_tui.ui.actions.feed import Feed
from komodo_tui.ui.actions.pane import HistoryPane, empty_text
from komodo_tui.ui.actions.tasks import copy_part, export_to_file, verify_chain
from komodo_tui.ui.begun import begin
from komodo_tui.ui.page import Command, Page
from komodo_tui.ui.timeline.open import Moment
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from rich.text import Text
    from textual.app import ComposeResult

    from komodo_tui.domain.operations import ActionRecord, Target
    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.actions.feed import Rows
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_NEAR = 60
"""Rows before the end of the list at which the next part is read."""


class ActionsPage(Page):
    """List, and beside it (or in its place where room is short) the detail of one act."""

    TITLE = "Actions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W,ctrl+s", "export", "export", key_display="W", id="actions.export"),
        Binding("v", "verify", "verify", id="actions.verify"),
        Binding("c", "copy", "copy", id="actions.copy"),
    ]
    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    ActionsPage DetailPane { display: none; border-left: $edge $panel; }
    ActionsPage.-detail DetailPane { display: block; width: 45%; }
    .-wide ActionsPage DetailPane { display: block; width: 40%; }
    .-narrow ActionsPage.-detail ListPane, ActionsPage.-detail.-zoom ListPane { display: none; }
    .-narrow ActionsPage.-detail DetailPane, ActionsPage.-detail.-zoom DetailPane { width: 100%; border: none; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self.feed = Feed(runtime.history, runtime.executor.under_way, self._fed)
        columns = rows.columns(lambda: shell.look.glyphs, shell.now, self._under_way)
        self.table: VirtualTable[ActionRecord] = VirtualTable(columns, order=lambda r: -r.seq, id="actions-list")
        self.pane = HistoryPane(
            "Actions", self.table, parse=lambda text: finding.parse_find(text, shell.now()), empty=self._empty,
            help=finding.HELP, natural="newest first", id="actions-pane",
        )  # fmt: skip
        self.detail = DetailPane(id="actions-detail")
        self._looked = False
        self._trouble: KomodoError | None = None
        """Why the history could not be read when it was last tried."""

    def compose(self) -> ComposeResult:
        """The list, the detail."""
        with Horizontal():
            yield self.pane
            yield self.detail

    def on_mount(self) -> None:
        """Follow the wheel."""
        self.watch(self.table, "scroll_y", self._scrolled, init=False)

    # -- on and off the screen ----------------------------------------------------------------------------------

    def on_page_show(self) -> None:
        """Read what is new, take the focus."""
        if not self._looked:
            self._looked = True
            self._run("read", lambda: self.feed.begin(self.feed.find))
        else:
            self._look()
        (self.detail if self.has_class("-detail") else self.table).focus()

    def on_page_hide(self) -> None:
        """Read no more."""
        self.feed.abandon()

    def on_unmount(self) -> None:
        """Let threads end."""
        self.feed.abandon()

    def tick(self, changes: Changes) -> None:
        """Ages move, and acts begin and end: ours and those of other programs."""
        self.table.recheck()
        record = self.detail.record
        if record is not None and record.outcome is None and self._detail_shown:
            self._tell_detail(record)
        self._look()

    def _look(self) -> None:
        if not any(worker.group == "look" and worker.is_running for worker in self.workers):
            self._run("look", self.feed.newer)

    def _run(self, group: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it as the only task of its group. An error of ours is shown, but not again at each look."""

        async def guarded() -> None:
            try:
                await work()
                self._trouble = None
            except KomodoError as error:
                before, self._trouble = self._trouble, error
                if before is None or before.message != error.message:
                    self.shell.show_error(error)
                self.pane.told()

        begin(self, guarded(), group=group, exclusive=True)

    # -- rows ---------------------------------------------------------------------------------------------------

    def _under_way(self, record: ActionRecord) -> bool:
        return record.id in self.feed.running

    def _fed(self, changed: Rows | None) -> None:
        if not self.is_attached:
            return
        if changed is None:
            self.table.set_rows(self.feed.rows)
        elif changed:
            self.table.update_rows(changed)
        self.pane.told_of(self.feed)
        self._show_detail()

    def _empty(self) -> Text:
        return empty_text(self.feed, self._trouble, self.pane.filter_text, self.shell.look)

    @on(ListPane.Filtered)
    def _filtered(self, event: ListPane.Filtered) -> None:
        event.stop()
        find = finding.parse_find(event.text, self.shell.now()) if event.text else finding.EVERYTHING
        self._run("read", lambda: self.feed.begin(find))

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_detail()
        self._read_on(self.table.model.index)

    def _scrolled(self, top: float) -> None:
        self._read_on(int(top) + self.table.outer_size.height)

    def _read_on(self, row: int) -> None:
        """Read the next part where a row near the end is looked at."""
        if self.feed.more and not self.feed.busy and row >= len(self.table.model.view) - _NEAR:
            self._run("read", self.feed.older)

    @on(VirtualTable.Changed)
    def _reordered(self) -> None:
        model = self.table.model
        if self.feed.more and (model.column is not None or model.reverse):  # an order says something of all acts only
            self._run("read", lambda: self.feed.older(everything=True))

    # -- detail -------------------------------------------------------------------------------------------------

    @property
    def _detail_shown(self) -> bool:
        return self.has_class("-detail") or self.screen.has_class("-wide")

    def _show_detail(self) -> None:
        current = self.table.current
        if not self._detail_shown:
            return
        if current is None:
            self.detail.show(None, "", self.shell.now())
            return
        self._run("detail", lambda: self._read_detail(current.id))

    async def _read_detail(self, action: str) -> None:
        record = await asyncio.to_thread(self.runtime.history.get, action)
        self._tell_detail(record)

    def _tell_detail(self, record: ActionRecord) -> None:
        self.detail.show(record, rows.result_word(record, self._under_way), self.shell.now())

    @on(VirtualTable.Selected)
    def _selected(self) -> None:
        self.add_class("-detail")
        self._show_detail()
        self.detail.focus()

    def on_resize(self) -> None:
        """A wide screen shows the detail by itself."""
        self._show_detail()

    def back(self) -> bool:
        """Zoom, then the detail, then marks and filter."""
        if self.has_class("-zoom"):
            self.remove_class("-zoom")
            return True
        if self.has_class("-detail"):
            self.remove_class("-detail")
            self.table.focus()
            return True
        if self.detail.has_focus:
            self.table.focus()
            return True
        return self.pane.back()

    def zoom(self) -> None:
        """The detail over the whole page, or beside the list again."""
        if not self.has_class("-zoom"):
            self.add_class("-detail", "-zoom")
            self._show_detail()
            self.detail.focus()
        else:
            self.remove_class("-zoom")

    def reveal(self, target: Target) -> None:
        """The acts on this server or container."""
        self.pane.set_filter(
            f"target:{target.name} server:{target.server}" if target.name else f"server:{target.server}"
        )

    def moment(self) -> Moment:
        """When the act began."""
        record = self.table.current
        if record is None:
            return Moment()
        target = record.targets[0] if record.targets else None
        return Moment(record.started, target.server if target else "")

    def restyle(self) -> None:
        """New colours."""
        self.table.restyle()
        self._show_detail()

    # -- acts of the page ---------------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Write what is shown, or the marked ones, to a file as JSON lines."""
        marked = [record.id for record in self.table.selection()] if self.table.model.marks else []
        self.shell.work(
            export_to_file(self.runtime, self.shell, self.feed.find, marked, default_path(self.shell.now()))
        )

    def action_verify(self) -> None:
        """Check the chain of the whole history."""
        self.shell.work(verify_chain(self.runtime, self.shell))

    def action_copy(self) -> None:
        """Copy the id, the commands or all of the act under the cursor."""
        if self.table.current is not None:
            self.shell.work(copy_part(self.runtime, self.shell, self.table.current.id))

    def commands(self) -> Iterable[Command]:
        """For the palette."""
        yield Command("verify the history's chain", self.action_verify, help="every row against its hash")
        yield Command("export the actions shown", self.action_export, help="JSON lines in a file")
        for word in ("today", "outcome:failed"):
            yield Command(f"actions {word}", lambda word=word: self._filter(word), kind="view")  # type: ignore[misc]
        if self.table.current is not None:
            yield Command("copy of this action", self.action_copy, help=count_text(len(self.table.selection()), "row"))

    def _filter(self, text: str) -> None:
        self.pane.set_filter(text)
