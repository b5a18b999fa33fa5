"""Something worth reading that is no error: a result, with its figures. Copyable."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult


class ReportDialog(Dialog[None]):
    """A headline, pairs of name and value, and what to do with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="report.copy"),
        Binding("enter,q", "leave", "close", show=False, id="report.close"),
    ]
    DEFAULT_CSS = "ReportDialog VerticalScroll { max-height: 60vh; height: auto; }"

    def __init__(
        self, title: str, headline: str, pairs: Sequence[tuple[str, str]] = (), *, hint: str = "",
        copied: tuple[str, str] = ("", ""), copy: Callable[[str, str], None] | None = None,
    ) -> None:  # fmt: skip
        """``copied`` is what ``c`` copies and its name (without it, all); ``copy`` is the app's (text, what)."""
        super().__init__(title)
        self.headline, self.pairs, self.hint = headline, tuple(pairs), hint
        self._copied, self._copy = copied, copy

    def body(self) -> ComposeResult:
        """Headline, pairs, hint."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text.assemble((f"{glyphs.done} ", style("ok")), (self.headline, style("bold")), "\n")
        width = max((len(name) for name, _ in self.pairs), default=0)
        for name, value in self.pairs:
            text.append(f"\n{name.ljust(width + 2)}", style("dim"))
            text.append(value)
        if self.hint:
            text.append(f"\n\n{self.hint}", style("accent"))
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
        """Copy it."""
        if self._copy is not None:
            whole = "\n".join([self.headline, *(f"{name} {value}" for name, value in self.pairs), self.hint])
            text, what = self._copied
            self._copy(text or whole, what or "report")

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
