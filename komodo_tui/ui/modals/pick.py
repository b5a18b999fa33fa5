"""Find one of many by typing: the palette, and the searchable help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from komodo_tui.ui.finder import Entry
from komodo_tui.ui.modals.base import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

MOST = 200
"""Entries shown at once; more letters find the others."""


class PickDialog(Dialog[Entry]):
    """Its result is the entry picked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", "down", show=False, priority=True, id="pick.down"),
        Binding("up,ctrl+p", "move(-1)", "up", show=False, priority=True, id="pick.up"),
        Binding("pagedown,ctrl+d", "move(12)", "page down", show=False, priority=True, id="pick.page_down"),
        Binding("pageup,ctrl+u", "move(-12)", "page up", show=False, priority=True, id="pick.page_up"),
        Binding("enter", "pick", "take it", priority=True, id="pick.take"),
    ]
    DEFAULT_CSS = """
    PickDialog { align: center top; }
    PickDialog > .dialog { width: 100; margin: 2 0 0 0; height: auto; max-height: 90%; }
    PickDialog Input { border: none; height: 1; padding: 0; background: $surface; }
    PickDialog Input:focus { border: none; }
    PickDialog OptionList { height: auto; max-height: 70vh; padding: 0; border: none; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis; }
    PickDialog OptionList:focus { border: none; }
    PickDialog .count { height: 1; color: $foreground 50%; }
    """

    def __init__(self, title: str, search: Callable[[str, int], Sequence[Entry]], *, placeholder: str = "",
                 keys: int = 0) -> None:  # fmt: skip
        """``search`` gives the entries for what is typed, best first, at most so many; ``keys`` is the width of a
        column of keys at the left, 0 for none."""
        super().__init__(title)
        self._search = search
        self._placeholder = placeholder
        self._keys = keys
        self.found: Sequence[Entry] = ()
        self._shown = ""
        """What was typed when ``found`` was found."""

    def body(self) -> ComposeResult:
        """What is typed, what is found."""
        yield Input(placeholder=self._placeholder, compact=True)
        yield OptionList(compact=True)
        yield Static(classes="count")

    def on_mount(self) -> None:
        """All of them, until something is typed."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._catch_up()

    def _catch_up(self) -> None:
        """Show what is found for all that is typed, where that is not shown yet."""
        typed = self.query_one(Input).value
        if typed != self._shown:
            self._show(typed)

    def _show(self, query: str) -> None:
        self._shown = query
        found = self._search(query, MOST + 1)
        self.found = found[:MOST]
        options = self.query_one(OptionList)
        options.clear_options()
        width = min(44, max((len(entry.label) for entry in self.found), default=0)) + 2
        options.add_options([Option(self._line(entry, width)) for entry in self.found])
        options.highlighted = 0 if self.found else None
        more = f"more than {MOST}: type to find the others" if len(found) > MOST else ""
        self.query_one(".count", Static).update(Text("nothing found" if not self.found else more))

    def _line(self, entry: Entry, width: int) -> Text:
        style = self.look_now.palette.style
        text = Text(no_wrap=True, overflow="ellipsis")
        if self._keys:
            text.append(entry.key.ljust(self._keys), style("accent bold"))
        else:
            text.append(entry.kind.ljust(10), style("dim"))
        text.append(entry.label.ljust(width))
        if self._keys:
            text.append(entry.kind, style("dim"))
        else:
            text.append(f"{entry.key.ljust(4)} ", style("accent bold"))
            text.append(entry.help, style("dim"))
        return text

    def action_move(self, by: int) -> None:
        """Move the cursor; by one it goes round at the ends."""
        self.after_typing(partial(self._move, by))

    def _move(self, by: int) -> None:
        self._catch_up()
        options = self.query_one(OptionList)
        if not self.found:
            return
        now = (options.highlighted or 0) + by
        options.highlighted = now % len(self.found) if abs(by) == 1 else min(max(now, 0), len(self.found) - 1)

    def action_pick(self) -> None:
        """Take the entry under the cursor."""
        self.after_typing(self._pick)

    def _pick(self) -> None:
        self._catch_up()
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self.found):
            self.dismiss(self.found[at])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.found[event.option_index])
