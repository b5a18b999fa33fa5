"""The last line: hints of the keys that work now, whole ones only; or, for a few seconds, a message.

The keys that lead to all others (help, palette, menu of acts) stand first; of the others the last ones go first.

Textual's own Footer leaks a widget for each hint at each change of focus (Textual #6666); this one is one strip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from komodo_tui.ui.look import look_of
from komodo_tui.ui.render.cells import clip, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.screen import Screen
    from textual.timer import Timer

    from komodo_tui.ui.look import Look

Hint = tuple[str, str]
"""Key as shown, and what it does."""
_LEADING = ("help", "palette", "menu")
"""Actions whose hints stand first, whatever has the focus."""


def footer_strip(hints: Iterable[Hint], width: int, look: Look) -> Strip:
    """As many whole hints as fit, in their order; one that does not fit is left out, a shorter one may follow."""
    key_style, text_style = look.palette.style("accent bold"), look.palette.style("dim")
    segments = [Segment(" ")]
    room = width - 1
    for key, text in hints:
        size = width_of(key) + 1 + width_of(text) + 2
        if size - 2 > room:
            continue
        segments += [Segment(key, key_style), Segment(f" {text}  ", text_style)]
        room -= size
    return Strip(segments).adjust_cell_length(width)


class HintFooter(Widget):
    """Hints of the bindings: what leads to all others, then in the order they are bound: pane, page, app."""

    DEFAULT_CSS = "HintFooter { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hints: Sequence[Hint] = ()
        self._message: tuple[str, str] | None = None
        self._until: Timer | None = None

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        if not screen.is_active:
            return
        hints = self._collect(screen)
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def _collect(self, screen: Screen[object]) -> list[Hint]:
        leading: dict[str, Hint] = {}
        others: dict[str, Hint] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            found = leading if binding.action in _LEADING else others
            if binding.show and active.enabled and binding.description and binding.action not in found:
                found[binding.action] = (self.app.get_key_display(binding), binding.description)
        return [*(leading[action] for action in _LEADING if action in leading), *others.values()]

    def flash(self, text: str, tone: str, seconds: float = 5.0) -> None:
        """Show a message instead of the hints, for a while."""
        if self._until is not None:
            self._until.stop()
        self._message = (text, tone)
        self._until = self.set_timer(seconds, self._clear)
        self.refresh()

    def _clear(self) -> None:
        self._message = None
        self._until = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The one line."""
        look = look_of(self)
        if self._message is None:
            return footer_strip(self._hints, self.size.width, look)
        text, tone = self._message
        line = clip(f" {text}", self.size.width, look.glyphs.ellipsis)
        return Strip([Segment(line, look.palette.style(tone))]).adjust_cell_length(self.size.width)
