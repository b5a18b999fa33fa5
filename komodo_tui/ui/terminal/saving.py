"""Saving what a terminal shows, with its history, to a file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import count_text
from komodo_tui.ui.saving import path_of, suggested, write_new, wrong_path

if TYPE_CHECKING:
    from textual.app import App

    from komodo_tui.ui.terminal.terminal import Terminal


async def save(app: App[Any], terminal: Terminal) -> None:
    """Ask for a file and write it there; what came of it is told in the pane. Call it from a worker."""
    from komodo_tui.ui.modals.form import Field, FormDialog  # late: input fields take long to load

    bar = await terminal.scroll(0)
    text = clean(await terminal.text((0, 0), (max(0, bar.total - 1), terminal.size[0] - 1)), keep_newlines=True)
    lines = text.rstrip().split("\n")
    name = suggested(terminal.name, "txt", time.time())
    field = Field("path", "file", value=name, help="a new file; only you can read it", check=wrong_path)
    intro = f"{count_text(len(lines), 'line')}: the screen and its history, as text"
    values = await app.push_screen_wait(FormDialog(f"Save {terminal.name}", [field], verb="save", intro=intro))
    if values is None:
        return
    path = path_of(str(values["path"]))
    try:
        count = await asyncio.to_thread(write_new, path, [f"{line}\n" for line in lines], "screen")
    except KomodoError as error:
        terminal.say(str(error))
        return
    terminal.say(f"{count_text(count, 'line')} written to {path}")
