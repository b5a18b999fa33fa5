"""Who has the keys while a part of the screen is being made: without a focused widget they would be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget


def hold_focus(frame: Widget) -> None:
    """Let the frame around a part that is not there yet take the keys: its own bindings work meanwhile."""
    if frame.is_attached:
        frame.can_focus = True
        frame.screen.set_focus(frame, scroll_visible=False)


def pass_focus(frame: Widget, part: Widget) -> None:
    """The part is there: it takes the keys, and the frame is no stop for Tab any more."""
    if part.can_focus:
        part.screen.set_focus(part, scroll_visible=False)
    else:
        part.focus()
    frame.can_focus = False
