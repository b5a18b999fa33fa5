"""The line a filter is typed in; it stands at the foot of its list while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from komodo_tui.ui.look import look_of

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class FilterField(Input):
    """Edits in the order in which the keys came.

    A binding is looked for only when its key has gone up through all that is around the field; where that is busy, a
    letter typed later would be there first.
    """

    async def on_key(self, event: events.Key) -> None:
        """Keys of the field itself act at once."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)


class FilterBar(Horizontal):
    """Filters as one types. Enter keeps the filter, Esc clears it, ↑ ↓ move in the list meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close(True)", "clear", id="filter.clear"),
        Binding("enter", "close(False)", "keep", key_display="⏎", id="filter.keep"),
        Binding("down", "move(1)", show=False, id="filter.down"),
        Binding("up", "move(-1)", show=False, id="filter.up"),
    ]
    DEFAULT_CSS = """
    FilterBar { display: none; height: 1; background: $panel; }
    FilterBar.-open { display: block; }
    FilterBar .prompt { width: 3; color: $accent; text-style: bold; }
    FilterBar Input { width: 1fr; border: none; height: 1; background: $panel; padding: 0; }
    FilterBar Input:focus { border: none; }
    FilterBar .wrong { width: auto; max-width: 60%; color: $error; padding: 0 1;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Edited(Message):
        """The text changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """It is shut; ``cancelled`` when the filter should go."""

        def __init__(self, cancelled: bool) -> None:
            super().__init__()
            self.cancelled = cancelled

    class Moved(Message):
        """The list's cursor should move."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, help: str = "") -> None:
        super().__init__()
        self._help = help
        self._told = ""

    def compose(self) -> ComposeResult:
        """A slash, the text, what is wrong with it."""
        yield Static(" / ", classes="prompt", markup=False)
        yield FilterField(placeholder=self._help, compact=True)
        yield Static(classes="wrong")

    def open(self, text: str) -> None:
        """Type here, beginning with this text."""
        self.add_class("-open")
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.focus()

    def tell(self, wrong: str) -> None:
        """Show what is wrong with the text; empty for nothing."""
        if wrong == self._told:  # at nearly every key, and its width being auto the whole screen would be laid out
            return
        self._told = wrong
        sign = look_of(self).glyphs.fail
        self.query_one(".wrong", Static).update(Text(f"{sign} {wrong}" if wrong else ""))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close(False)

    def action_close(self, cancelled: bool) -> None:
        """Shut it."""
        self.remove_class("-open")
        self.tell("")
        self.post_message(self.Closed(cancelled))

    def action_move(self, by: int) -> None:
        """Move the list's cursor."""
        self.post_message(self.Moved(by))
