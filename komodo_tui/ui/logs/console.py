"""The log pane with its keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from komodo_tui.domain.units import count_text
from komodo_tui.ui.logs.dialogs import file_name, save_dialog, span_dialog, span_of
from komodo_tui.ui.logs.gutter import SOURCES, TIMES
from komodo_tui.ui.logs.pane import LogPane
from komodo_tui.ui.logs.save import Excerpt, write
from komodo_tui.ui.saving import path_of
from komodo_tui.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from komodo_tui.ui.logs.span import LogSpan


class LogConsole(LogPane):
    """What a person does with a log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "find", key_display="/", id="logs.search"),
        Binding("n", "match(1)", "next", id="logs.next"),
        Binding("N", "match(-1)", "previous", show=False, id="logs.previous"),
        Binding("F", "hide_others", "hide others", id="logs.hide"),
        Binding("f", "follow", "follow", id="logs.follow"),
        Binding("w", "wrap", "wrap", id="logs.wrap"),
        Binding("t", "times", "time", id="logs.times"),
        Binding("i", "json", "json", id="logs.json"),
        Binding("right_curly_bracket,right_parenthesis", "since(1)", "since", key_display="{ }", id="logs.longer"),
        Binding("left_curly_bracket,left_parenthesis", "since(-1)", show=False, id="logs.shorter"),
        Binding("r", "range", "range", id="logs.range"),
        Binding("y", "yank", "copy", id="logs.yank"),
        Binding("W,ctrl+s", "save", "save", key_display="W", id="logs.save"),
        Binding("vertical_line", "sources", "source", key_display="|", id="logs.sources"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now: stepping needs a pattern, a source column several sources."""
        if action in ("match", "hide_others"):
            return self.finding.pattern is not None
        if action == "sources":
            return len(self.view.marks) > 1
        return True

    def back(self) -> bool:
        """Leave the selection, the opened line, the pattern. Returns whether there was one."""
        if self.view.clear_selection():
            return True
        if self.detail.open:
            self.close_detail()
            return True
        if self.finding.pattern is not None:
            self._use_pattern("")
            return True
        return False

    # -- looking for a pattern ----------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Type a pattern; its matches show at once."""
        pattern = self.finding.pattern
        self.query_one(FilterBar).open(pattern.source if pattern is not None else "")

    @on(FilterBar.Edited)
    def _filter_edited(self, event: FilterBar.Edited) -> None:
        event.stop()
        self._use_pattern(event.text)
        pattern = self.finding.pattern
        self.query_one(FilterBar).tell(pattern.reason if pattern is not None else "")

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        event.stop()
        if event.cancelled:
            self._use_pattern("")
        self.view.focus()

    @on(FilterBar.Moved)
    def _filter_moved(self, event: FilterBar.Moved) -> None:
        event.stop()
        self.view.action_move(event.by)

    def _use_pattern(self, source: str) -> None:
        self.finding.use(source)
        self.sync_bars()
        self.refresh_bindings()

    def action_match(self, sign: int) -> None:
        """The next match, or the one before."""
        told = self.finding.step(sign)
        if told:
            self.shell.flash(told, "dim")

    def action_hide_others(self) -> None:
        """Show only lines that match, or all with the matches marked."""
        self.finding.toggle_hiding()
        self.sync_bars()

    # -- how it is shown ----------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow, or stop following."""
        self.view.action_follow()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.wrap = not self.view.wrap
        self.redraw()

    def action_times(self) -> None:
        """No times, relative ones, absolute ones."""
        self.view.times = TIMES[(TIMES.index(self.view.times) + 1) % len(TIMES)]
        self.redraw()

    def action_json(self) -> None:
        """Fold JSON lines to what people read, or show them as they are."""
        self.view.fold_json = not self.view.fold_json
        self.redraw()

    def action_sources(self) -> None:
        """No source column, a sign, a name."""
        self.view.sources = SOURCES[(SOURCES.index(self.view.sources) + 1) % len(SOURCES)]
        self.redraw()

    def action_since(self, sign: int) -> None:
        """Begin earlier or later."""
        self._use_span(self.span.stepped(sign))

    def action_range(self) -> None:
        """Ask since when, until when, how many lines."""
        self.shell.work(self._ask_range())

    async def _ask_range(self) -> None:
        values = await self.shell.ask(span_dialog(self.span, self.ring.capacity))
        if values is not None:
            self._use_span(span_of(values))

    def _use_span(self, span: LogSpan) -> None:
        if span != self.span:
            self.span = span
            self.begin()

    # -- taking it elsewhere ------------------------------------------------------------------------------------

    def action_yank(self) -> None:
        """Copy the selection, else the opened line as it is laid out, else the cursor's line."""
        if self.detail.has_keys:
            self.shell.copy(self.detail.text(), "the opened line")
            return
        lines = self.view.selected_text()
        if lines:
            self.shell.copy("\n".join(lines), count_text(len(lines), "line"))
            self.view.clear_selection()

    def action_save(self) -> None:
        """Write the selection, or all that is kept, to a file."""
        if len(self.ring):
            self.shell.work(self._save())
        else:
            self.shell.flash("there is nothing to save", "warn")

    async def _save(self) -> None:
        # What is written is what was there when the key was pressed.
        selection = self.view.selection
        first, end = self.ring.first, self.ring.end
        if selection is not None:
            first, end = max(first, selection.first[0]), min(end, selection.last[0] + 1)
        pieces = list(self.ring.pieces(first, end))[::-1]
        pattern, matches = self.finding.pattern, self.finding.matches
        names = [mark.name for mark in self.view.marks.values()]
        dialog = save_dialog(
            file_name(names, self.shell.now()), lines=end - first, selected=selection is not None,
            pattern=pattern.source if pattern is not None else "",
        )  # fmt: skip
        values = await self.shell.ask(dialog)
        if values is None:
            return
        only = frozenset(matches.numbers()) if matches is not None and values.get("only") else None
        sources = {tag: mark.name for tag, mark in self.view.marks.items()}
        path = path_of(str(values["path"]))
        count = await asyncio.to_thread(write, path, Excerpt(pieces, only, sources, bool(values["times"])))
        self.shell.flash(f"{self.shell.look.glyphs.done} {count:,} lines written to {path}", "ok")
