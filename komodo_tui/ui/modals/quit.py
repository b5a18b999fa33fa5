"""Asked before the program ends while something of it is under way. Asked nothing otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from komodo_tui.domain.units import count_text
from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from textual.app import ComposeResult


class QuitDialog(Dialog[bool]):
    """Its result is True when the program shall end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,ctrl+q", "quit_now", "quit", key_display="y", id="quit.yes", priority=True),
        Binding("n", "leave", "stay", id="quit.no"),
    ]

    def __init__(self, shells: int, acts: int, pushes: int = 0) -> None:
        """How many programs run in terminals, acts are under way, and pushes wait for this program to act on them."""
        super().__init__("Quit?")
        self._shells, self._acts, self._pushes = shells, acts, pushes

    def body(self) -> ComposeResult:
        """What becomes of each."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text()
        if self._shells:
            verb = "runs and ends" if self._shells == 1 else "run and end"
            text.append(f"{glyphs.warn} ", style("warn"))
            text.append(f"{count_text(self._shells, 'terminal')} {verb} with the program.\n")
        if self._acts:
            text.append(f"{glyphs.busy} ", style("busy"))
            verb = "is" if self._acts == 1 else "are"
            text.append(
                f"{count_text(self._acts, 'act')} {verb} under way. What a server has begun it finishes by itself; "
                "the next start enters its outcome in Actions.\n"
            )
        if self._pushes:
            text.append(f"{glyphs.busy} ", style("busy"))
            verb = "is" if self._pushes == 1 else "are"
            text.append(
                f"{count_text(self._pushes, 'push', 'pushes')} {verb} being acted on by this program. Who watches next "
                "goes on with that: komodo-tui watch, or this program when it is open again.\n"
            )
        yield Static(text)

    def buttons(self) -> list[Button]:
        """Stay has the focus."""
        return [button("quit (y)", "quit", "error"), button("stay", "stay", "primary")]

    def on_mount(self) -> None:
        """Enter stays."""
        self.query_one("#stay").focus()

    @on(Button.Pressed, "#quit")
    def action_quit_now(self) -> None:
        """End the program."""
        self.dismiss(True)

    @on(Button.Pressed, "#stay")
    def _stay(self) -> None:
        self.dismiss(None)
