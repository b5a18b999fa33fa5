"""The forms of the log view: which part is shown, and where it is saved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.moments import parse_moment
from komodo_tui.ui.logs.span import LogSpan
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.saving import suggested, wrong_path

if TYPE_CHECKING:
    from komodo_tui.ui.modals.form import Values


def _moment_wrong(text: str) -> str:
    try:
        if text and text != "all":
            parse_moment(text)
    except UsageError as error:
        return f"{error.message}; {error.hint}"
    return ""


def _tail_wrong(text: str) -> str:
    return "" if not text or (text.isdecimal() and len(text) <= 9) else "a number of lines, or nothing"


def _bounds_wrong(values: Values) -> dict[str, str]:
    try:
        span_of(values).options(time.time(), 1)
    except UsageError as error:
        return {"until": f"{error.message}: {error.hint}"}
    return {}


def span_dialog(span: LogSpan, most: int) -> FormDialog:
    """Asks for since, until and tail; :func:`span_of` reads its result."""
    tail = "" if span.tail is None else str(span.tail)
    return FormDialog(
        "Which part of the log",
        (
            Field("since", "since", value=span.since, help="15m, 2h30m, 7d, 2026-11-24, 2026-11-24T19:00; all",
                  check=_moment_wrong),
            Field("until", "until", value=span.until, help="the same; empty: follow what comes", check=_moment_wrong),
            Field("tail", "last lines", value=tail, help=f"of each container; empty: {most:,}, what the view keeps",
                  check=_tail_wrong),
        ),
        verb="show", check=_bounds_wrong,
    )  # fmt: skip


def span_of(values: Values) -> LogSpan:
    """What was asked for."""
    until = str(values["until"])
    return LogSpan(
        since=str(values["since"]) or "all",
        until="" if until == "all" else until,
        tail=int(values["tail"]) if values["tail"] else None,
    )


def file_name(names: list[str], now: float) -> str:
    """``api-1-20261124-190000.log``, in the folder the program was started in."""
    return suggested(names[0] if len(names) == 1 else f"{len(names)}-containers", "log", now)


def save_dialog(path: str, *, lines: int, selected: bool, pattern: str) -> FormDialog:
    """Asks where to write ``lines`` lines, and how; fields ``path``, ``times``, ``only``."""
    fields = [
        Field("path", "file", value=path, help="a new file; only you can read it", check=wrong_path),
        Field("times", "times, sources", "bool", value=True, help="begin each line with them"),
    ]
    if pattern:
        fields.append(Field("only", "matches only", "bool", value=False, help=f"lines that match {pattern}"))
    what = "selected" if selected else "kept"
    return FormDialog(
        "Save the log", fields, verb="save", intro=f"{lines:,} {what} {'line' if lines == 1 else 'lines'}"
    )
