"""What a pane says about its terminal, and what it lays over the picture. Pure functions."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from komodo_tui.domain.units import duration_text
from komodo_tui.ui.terminal.browse import Browse, Cell, columns_in
from komodo_tui.ui.terminal.chrome import Line, Tab

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.look import Look
    from komodo_tui.ui.terminal.modes import Modes
    from komodo_tui.ui.terminal.terminal import Terminal

_TEACH = ("No terminal is open.", "Press s on a server or a container to open one.")


def tabs(terminals: Sequence[Terminal], current: Terminal | None, look: Look) -> list[Tab]:
    """The terminals as the upper edge names them."""
    glyphs = look.glyphs
    signs = {
        "running": (glyphs.ok, "ok"), "ended": (glyphs.stopped, "dim"), "failed": (glyphs.fail, "bad"),
        "new": (glyphs.busy, "busy"), "opening": (glyphs.busy, "busy"),
    }  # fmt: skip
    found = []
    for number, terminal in enumerate(terminals, 1):
        sign, tone = signs[terminal.state]
        if terminal.unseen and terminal is not current:
            sign, tone = glyphs.mark, "warn"
        name = terminal.name + (f" {terminal.program_title}" if terminal.program_title else "")
        found.append(Tab(f"{number} {name}", terminal is current, sign, tone))
    return found


def status(terminal: Terminal | None, modes: Modes, now: float) -> Line:
    """What the lower edge says; the most urgent first. ``now`` is Unix time."""
    if terminal is None:
        return Line("")
    if modes.question is not None:
        return Line(modes.question.text, tone="warn bold")
    if modes.mode == "SEARCH":
        return Line(f"/{modes.query}_", tone="foreground")
    right = _place(terminal, modes)
    if terminal.state == "failed" and terminal.error is not None:
        return Line("not opened. Enter closes, r tries again", right, "bad")
    if terminal.state == "ended" and terminal.end is not None:
        return Line(_ended(terminal.end.code, terminal.end.reason, terminal.notice), right, "warn")
    if terminal.notice:
        return Line(terminal.notice, right, "warn")
    if terminal.state != "running":
        return Line(f"opening {terminal.name} …", right, "busy")
    cols, rows = terminal.size
    looks = "only looked at · " if terminal.looks else ""
    return Line(f"{looks}{cols}x{rows} · open {duration_text(now - terminal.opened)}", right)


def _place(terminal: Terminal, modes: Modes) -> str:
    """How far back the picture is, and which match it shows."""
    bar = terminal.frame.scrollbar if terminal.frame is not None else None
    place = f"scrollback {bar.below}" if bar is not None else ""
    browse = modes.browse
    if browse is not None and browse.hits:
        return f"{browse.hit + 1} of {len(browse.hits)}  {place}"
    return place


def _ended(code: int | None, reason: str, notice: str) -> str:
    what = notice or ("ended" if code is None else f"ended with status {code}") + (f": {reason}" if reason else "")
    return f"{what}. Enter closes, r reopens, W saves"


def overlays(
    terminal: Terminal, browse: Browse | None, dragged: tuple[Cell, Cell] | None, row: int, look: Look
) -> list[tuple[int, int, Style]]:
    """Selection, matches and the browsing cursor in a row of the viewport: columns, the end exclusive, and style."""
    style = look.palette.style
    top = terminal.frame.scrollbar.offset if terminal.frame is not None else 0
    if browse is None:
        columns = columns_in(dragged, top + row, terminal.picture.cols)
        return [(*columns, style("cursor"))] if columns is not None else []
    spans: list[tuple[int, int, Style]] = []
    if (selected := browse.selection_in(top + row)) is not None:
        spans.append((*selected, style("cursor")))
    for start, end, current in browse.hits_in(top + row):
        spans.append((start, end, style("warn bold reverse" if current else "warn reverse")))
    if top + row == browse.row:
        spans.append((browse.col, browse.col + 1, Style(reverse=True)))
    return spans


def nothing_open(row: int, width: int, height: int, base: Style, look: Look) -> Strip:
    """A pane without a terminal says how to get one."""
    line = row - max(0, height // 2 - 1)
    if not 0 <= line < len(_TEACH):
        return Strip.blank(width, base)
    text = _TEACH[line].center(width)[:width]
    return Strip([Segment(text, base + look.palette.style("foreground" if line == 0 else "dim"))], width)


def failure(terminal: Terminal, row: int, width: int, base: Style, look: Look) -> Strip | None:
    """Why it was not opened and what to do, over the picture from its second row on; None in other rows and states."""
    error = terminal.error
    if terminal.state != "failed" or error is None:
        return None
    room = max(10, width - 6)
    lines = [(f"{look.glyphs.fail} {line}" if n == 0 else f"  {line}", "bad") for n, line in enumerate(
        wrap(error.message, room))]  # fmt: skip
    lines += [(f"  {line}", "accent") for line in wrap(error.hint, room)]
    if not 0 <= row - 1 < len(lines):
        return None
    text, tone = lines[row - 1]
    return Strip([Segment(f"  {text}", base + look.palette.style(tone))]).adjust_cell_length(width, base)
