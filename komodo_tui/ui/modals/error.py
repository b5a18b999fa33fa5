"""An error, readable until it is dismissed, and copyable."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from komodo_tui.domain.errors import KomodoError


class ErrorDialog(Dialog[None]):
    """What happened, to what, and what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="error.copy"),
        Binding("enter,q", "leave", "close", show=False, id="error.close"),
    ]
    DEFAULT_CSS = "ErrorDialog VerticalScroll { max-height: 60vh; height: auto; }"

    def __init__(self, title: str, message: str, *, hint: str = "", detail: str = "",
                 copy: Callable[[str, str], None] | None = None) -> None:  # fmt: skip
        """``detail`` is further output shown below; ``copy`` is the app's (text, what it is)."""
        super().__init__(title)
        self.add_class("-bad")
        self.message, self.hint, self.detail = message, hint, detail
        self._copy = copy

    @classmethod
    def of(cls, error: KomodoError, copy: Callable[[str, str], None] | None = None) -> ErrorDialog:
        """The dialog of an error of ours."""
        return cls(error.server or "It did not work", error.message, hint=error.hint, copy=copy)

    def body(self) -> ComposeResult:
        """Message, hint, detail."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text.assemble((f"{glyphs.fail} ", style("bad")), self.message)
        if self.hint:
            text.append(f"\n\n{self.hint}", style("accent"))
        if self.detail:
            text.append(f"\n\n{self.detail}", style("dim"))
        with VerticalScroll():
            yield Static(text)

    def buttons(self) -> list[Button]:
        """Copy, and close with the focus."""
        return [button("copy (c)", "copy"), button("close", "close", "primary")]

    def on_mount(self) -> None:
        """Enter closes."""
        self.query_one("#close").focus()

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy the whole text."""
        if self._copy is not None:
            self._copy("\n".join(part for part in (self.message, self.hint, self.detail) if part), "error")

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
