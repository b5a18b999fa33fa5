"""The processes of a container, as the engine's ``top`` gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from komodo_tui.domain.filters import parse_text
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.list_pane import ListPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from komodo_agent.wire.models import ProcessTable

_SHOWN = {"UID": "user", "USER": "user", "PID": "pid", "PPID": "parent", "STIME": "started", "TIME": "time",
          "CMD": "command", "COMMAND": "command"}  # fmt: skip
"""Columns of ``ps`` by the names that engines give them."""


class ProcessRow(NamedTuple):
    """One process; ids as the host counts them."""

    pid: str
    parent: str = ""
    user: str = ""
    started: str = ""
    time: str = ""
    command: str = ""


def process_rows(table: ProcessTable | None) -> dict[Hashable, ProcessRow]:
    """By pid; a row that is shorter than the titles gives what it has."""
    found: dict[Hashable, ProcessRow] = {}
    for values in table.rows if table is not None else ():
        assert table is not None
        pairs = zip((_SHOWN.get(title.upper(), "") for title in table.titles), values, strict=False)
        named = {name: value for name, value in pairs if name}
        if named.get("pid"):
            found[named["pid"]] = ProcessRow(**named)
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def process_pane(id: str) -> ListPane[ProcessRow]:
    """The list."""
    columns = (
        Column[ProcessRow]("pid", "PID", 8, lambda p: p.pid, key=lambda p: _number(p.pid), right=True),
        Column[ProcessRow]("parent", "PARENT", 8, lambda p: p.parent, key=lambda p: _number(p.parent), right=True,
                           priority=3),
        Column[ProcessRow]("user", "USER", 10, lambda p: p.user, key=lambda p: p.user, priority=1),
        Column[ProcessRow]("started", "STARTED", 8, lambda p: p.started, key=lambda p: p.started, priority=4),
        Column[ProcessRow]("time", "TIME", 9, lambda p: p.time, key=lambda p: p.time, right=True, priority=2),
        Column[ProcessRow]("command", "COMMAND", 20, lambda p: p.command, key=lambda p: p.command, grow=1),
    )  # fmt: skip

    def parse(line: str) -> Callable[[ProcessRow], bool]:
        test = parse_text(line)
        return lambda row: test(f"{row.command}\n{row.user}\n{row.pid}")

    table = VirtualTable(columns, order=lambda p: _number(p.pid))
    return ListPane(
        "Processes", table, parse=parse, empty=lambda: Text("No processes: it does not run, or they are on their way."),
        help="words, !not, ~fuzzy, /regex/", id=id,
    )  # fmt: skip
