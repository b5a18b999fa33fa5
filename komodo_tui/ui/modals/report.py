"""Something worth reading that is no error: a result, with its figures. Copyable."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from komodo_tui.ui.modals.telling import TellingDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ReportDialog(TellingDialog):
    """A headline, pairs of name and value, and what to do with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy", id="report.copy"),
        Binding("enter,q", "leave", "close", show=False, id="report.close"),
    ]

    def __init__(
        self, title: str, headline: str, pairs: Sequence[tuple[str, str]] = (), *, hint: str = "",
        copied: tuple[str, str] = ("", ""), copy: Callable[[str, str], None] | None = None,
    ) -> None:  # fmt: skip
        """``copied`` is what ``c`` copies and its name (without it, all); ``copy`` is the app's (text, what)."""
        super().__init__(title, copy)
        self.headline, self.pairs, self.hint = headline, tuple(pairs), hint
        self._copied = copied

    def told(self) -> Text:
        """Headline, pairs, hint."""
        style, glyphs = self.look_now.palette.style, self.look_now.glyphs
        text = Text.assemble((f"{glyphs.done} ", style("ok")), (self.headline, style("bold")), "\n")
        width = max((len(name) for name, _ in self.pairs), default=0)
        for name, value in self.pairs:
            text.append(f"\n{name.ljust(width + 2)}", style("dim"))
            text.append(value)
        if self.hint:
            text.append(f"\n\n{self.hint}", style("accent"))
        return text

    def copied(self) -> tuple[str, str]:
        """What was named for it, or all."""
        whole = "\n".join([self.headline, *(f"{name} {value}" for name, value in self.pairs), self.hint])
        text, what = self._copied
        return text or whole, what or "report"
