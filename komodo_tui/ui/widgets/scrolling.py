"""The keys of panes that merely scroll, beside the arrows and pages that Textual binds."""

from __future__ import annotations

from textual.binding import Binding, BindingType

SCROLL_KEYS: tuple[BindingType, ...] = (
    Binding("j", "scroll_down", "scroll down", show=False, id="scroll.down"),
    Binding("k", "scroll_up", "scroll up", show=False, id="scroll.up"),
    Binding("G", "scroll_end", "to the end", show=False, id="scroll.end"),
    Binding("ctrl+d", "page_down", "a page down", show=False, id="scroll.page_down"),
    Binding("ctrl+u", "page_up", "a page up", show=False, id="scroll.page_up"),
)
