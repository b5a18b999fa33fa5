"""An error, readable until it is dismissed, and copyable."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from komodo_tui.ui.modals.telling import TellingDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.errors import KomodoError


class ErrorDialog(TellingDialog):
    """What happened, to what, and what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="error.copy"),
        Binding("enter,q", "leave", "close", show=False, id="error.close"),
    ]

    def __init__(self, title: str, message: str, *, hint: str = "", detail: str = "",
                 copy: Callable[[str, str], None] | None = None) -> None:  # fmt: skip
        """``detail`` is further output shown below; ``copy`` is the app's (text, what it is)."""
        super().__init__(title, copy)
        self.add_class("-bad")
        self.message, self.hint, self.detail = message, hint, detail

    @classmethod
    def of(cls, error: KomodoError, copy: Callable[[str, str], None] | None = None) -> ErrorDialog:
        """The dialog of an error of ours."""
        return cls(error.server or "It did not work", error.message, hint=error.hint, copy=copy)

    def told(self) -> Text:
        """Message, hint, detail."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text.assemble((f"{glyphs.fail} ", style("bad")), self.message)
        if self.hint:
            text.append(f"\n\n{self.hint}", style("accent"))
        if self.detail:
            text.append(f"\n\n{self.detail}", style("dim"))
        return text

    def copied(self) -> tuple[str, str]:
        """The whole text."""
        return "\n".join(part for part in (self.message, self.hint, self.detail) if part), "error"
