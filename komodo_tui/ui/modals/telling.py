"""A dialog that tells something: to be read until it is dismissed, and copied."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual import on
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from komodo_tui.ui.modals.base import Dialog, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text
    from textual.app import ComposeResult


class TellingDialog(Dialog[None]):
    """Enter closes it, ``c`` copies; each is a binding of the subclass, for their ids are what a keymap names."""

    DEFAULT_CSS = "TellingDialog VerticalScroll { max-height: 60vh; height: auto; }"

    def __init__(self, title: str, copy: Callable[[str, str], None] | None) -> None:
        """``copy`` is the app's (text, what it is)."""
        super().__init__(title)
        self._copy = copy

    @abstractmethod
    def told(self) -> Text:
        """What is shown."""

    @abstractmethod
    def copied(self) -> tuple[str, str]:
        """What ``c`` copies, and what that is in a word."""

    def body(self) -> ComposeResult:
        """The text; a long one scrolls."""
        with VerticalScroll():
            yield Static(self.told())

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
            self._copy(*self.copied())

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
