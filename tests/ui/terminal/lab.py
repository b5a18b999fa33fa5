"""A pane in an app of its own, with a real program behind a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from komodo_tui.fleet.pty_shell import PtyShell
from komodo_tui.ui.private import keep_copied
from komodo_tui.ui.terminal.cores import LocalCore, best_core, make_core
from komodo_tui.ui.terminal.terminal import OpenCore, Terminal
from komodo_tui.ui.terminal.widget import TerminalPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.ui.terminal.core import Options, PaneCore

PATIENCE = 15.0
"""Seconds that a program may take to show something on a loaded machine."""


async def local_core(cols: int, rows: int, options: Options) -> PaneCore:
    """A core in this process."""
    return LocalCore(make_core(best_core(), cols, rows, options))


def script(folder: Path, text: str) -> Path:
    """An executable shell script."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Lab(App[None]):
    """A line, and the pane below it. ``^Q`` and ``q`` are bindings of the app, to see who gets the keys."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+p", "note('^P')", priority=True), Binding("q", "note('q')")]

    def __init__(self, terminal: Terminal, **options: Any) -> None:
        super().__init__()
        self.terminal = terminal
        self.pane = TerminalPane(terminal, now=lambda: terminal.opened, **options)
        self.notes: list[str] = []
        self.wants: list[str] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        above = Static("list", id="above")
        above.can_focus = True
        yield above
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not getattr(self.focused, "captures_keys", False)

    def action_note(self, what: str) -> None:
        self.notes.append(what)

    def copy(self, text: str, what: str) -> None:
        self.copied.append(text)
        keep_copied(self, text)

    @on(TerminalPane.Wants)
    def _wanted(self, event: TerminalPane.Wants) -> None:
        self.wants.append(event.what)


def screen_text(app: App[Any]) -> list[str]:
    """What the app shows, row by row."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def pane_text(pane: TerminalPane) -> str:
    """The terminal's picture."""
    assert pane.terminal is not None
    picture = pane.terminal.picture
    return "\n".join("".join(text for text, _, _ in picture._rows.get(y, [])).rstrip() for y in range(picture.rows))


async def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait for something that the program under test brings about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while not condition():
        assert loop.time() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(
    program: Path, *, size: tuple[int, int] = (80, 24), open_core: OpenCore = local_core, **options: Any
) -> AsyncIterator[tuple[Lab, Pilot[None]]]:
    """The lab with a program in its pane."""

    async def open_session(cols: int, rows: int) -> ByteSession:
        return await PtyShell.start("web-1", cols, rows, program)

    terminal = Terminal(open_session, "web-1", open_core=open_core)
    app = Lab(terminal, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await until(lambda: terminal.state == "running", "the program")
            yield app, pilot
    finally:
        await terminal.close()
