"""Giving a terminal another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from textual.app import App

    from komodo_tui.ui.terminal.terminal import Terminal

LONGEST = 60


async def rename(app: App[Any], terminal: Terminal) -> None:
    """Ask for the name, and give it. Call it from a worker."""
    from komodo_tui.ui.modals.form import Field, FormDialog  # late: input fields take long to load

    field = Field("name", "name", value=terminal.name, check=wrong)
    values = await app.push_screen_wait(FormDialog(f"Rename {terminal.name}", [field], verb="rename"))
    if values is None:
        return
    try:
        await terminal.rename(clean(values["name"].strip()))
    except KomodoError as error:
        terminal.say(f"others still see the old name: {error.message}")


def wrong(name: str) -> str:
    """What is wrong with a name; nothing when it is right."""
    if not name.strip():
        return "a name is needed"
    return "" if len(name.strip()) <= LONGEST else f"{LONGEST} characters are the most"
