"""What a pane tells the terminal outside, where the driver is ours: who takes the keys, and where the cursor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.ui.terminal.private import PaneDriver

if TYPE_CHECKING:
    from textual.app import App

    from komodo_tui.ui.terminal.core import Cursor


def take_keys(app: App[Any], active: bool) -> None:
    """From now on every key press goes to the focused pane as it was typed; or no more."""
    if isinstance(app._driver, PaneDriver):
        app._driver.key_mode.active = active
        if not active:
            app._driver.show_cursor(None)


def can_show_cursor(app: App[Any]) -> bool:
    """Whether the terminal's own cursor can be shown."""
    return isinstance(app._driver, PaneDriver)


def show_cursor(app: App[Any], cursor: Cursor | None) -> None:
    """Show the terminal's own cursor in the program's shape, at ``app.cursor_position``; None hides it."""
    if isinstance(app._driver, PaneDriver):
        app._driver.show_cursor(cursor.shape if cursor is not None else None, bool(cursor and cursor.blink))
