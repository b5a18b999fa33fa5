"""The frame of every dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from komodo_tui.ui.look import look_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.ui.look import Look

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A titled box in the middle. Esc leaves it without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "cancel", id="dialog.leave")]
    TITLE_TONE: ClassVar[str] = "accent"
    CSS_PATH = None
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > .dialog { width: 76; max-width: 96%; height: auto; max-height: 94%; background: $surface;
        border: $edge $primary; border-title-color: $primary; border-title-style: bold; padding: 0 1; }
    Dialog.-bad > .dialog { border: $edge $error; border-title-color: $error; }
    Dialog .dialog-text { height: auto; margin: 0 0 1 0; }
    Dialog .dialog-scroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    Dialog .dialog-buttons { height: 1; align-horizontal: right; margin: 1 0 0 0; }
    Dialog .dialog-buttons Button { min-width: 6; height: 1; border: none; margin: 0 0 0 2; padding: 0 2; }
    Dialog .dialog-buttons Button.-compact { border: none; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.dialog_title = title

    @property
    def look_now(self) -> Look:
        """Palette and glyphs."""
        return look_of(self)

    def compose(self) -> ComposeResult:
        """The box, its body, its buttons."""
        with Vertical(classes="dialog") as box:
            yield from self.body()
            buttons = list(self.buttons())
            if buttons:
                with Horizontal(classes="dialog-buttons"):
                    yield from buttons
        box.border_title = Text(f" {self.dialog_title} ")

    def on_mount(self) -> None:
        """Cursors do not blink: an idle screen writes nothing. Textual calls this beside the one of a subclass."""
        from textual.widgets import TextArea  # late: the first screen needs none, and it is large

        for field in self.query(Input):
            field.cursor_blink = False
        for area in self.query(TextArea):
            area.cursor_blink = False

    def after_typing(self, act: Callable[[], None]) -> None:
        """Call ``act`` once the focused field has taken the keys that were typed before.

        A priority key is handled by the app at once, while letters typed before it may still wait in the field's own
        queue; what reads the field has to stand behind them there.
        """
        (self.focused or self).call_later(act)

    def body(self) -> ComposeResult:
        """What stands in the box."""
        yield from ()

    def buttons(self) -> list[Button]:
        """What can be pressed, left to right."""
        return []

    def text(self, text: str, tone: str = "", id: str | None = None) -> Static:
        """Plain text in a tone, wrapped; never markup."""
        return Static(Text(text, self.look_now.palette.style(tone)), classes="dialog-text", id=id)

    def action_leave(self) -> None:
        """Leave without a result."""
        self.dismiss(None)


def button(label: str, id: str, variant: str = "default") -> Button:
    """A one-line button."""
    return Button(Text(label), id=id, variant=variant, compact=True)  # type: ignore[arg-type]
