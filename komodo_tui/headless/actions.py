"""``actions``: the history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode, NotFoundError
from komodo_tui.domain.filters import parse_actions
from komodo_tui.domain.moments import parse_moment
from komodo_tui.domain.text import clean_tree
from komodo_tui.domain.units import count_text, long_duration_text, time_text
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Runtime, Session

_COLUMNS = (
    Column(""),
    Column("TIME"),
    Column("WHO", flexible=True),
    Column("ACT"),
    Column("TARGET", flexible=True),
    Column("RESULT"),
    Column("WHY", flexible=True),
    Column("ID"),
)
_SHOWN = 50
_ALL = 1 << 60
_ID = 8
"""Digits of an id that are printed."""


async def actions(session: Session) -> int:
    """Print, export or verify."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        if arguments.verify:
            return _verify(session, runtime)
        if arguments.show:
            return _show(session, runtime)
        limit = arguments.limit if arguments.limit is not None else _ALL if session.out.json else _SHOWN
        records = runtime.history.query(
            parse_actions(" ".join(arguments.filter)),
            limit=limit,
            since=parse_moment(arguments.since) if arguments.since else 0.0,
        )
        if session.out.json:
            for record in records:
                session.out.record(_safe(record))
        else:
            session.out.table(_COLUMNS, [_row(session.out, runtime, record) for record in records])
    return ExitCode.DONE


def _verify(session: Session, runtime: Runtime) -> int:
    """Check every row against the chain."""
    report = runtime.history.verify()
    if session.out.json:
        session.out.document(report)
    elif report.ok:
        session.out.line(f"{count_text(report.rows, 'row')} in {count_text(report.files, 'file')}: unbroken")
        session.out.line(f"head {report.head}")
        session.out.say("keep a copy of the head elsewhere: a history without it has been rewritten")
    else:
        session.out.line(f"broken after {count_text(report.rows, 'row')}: {report.broken}")
    return ExitCode.DONE if report.ok else ExitCode.FAILED


def _show(session: Session, runtime: Runtime) -> int:
    wanted = session.arguments.show
    found = runtime.history.query(lambda record: record.id.startswith(wanted), limit=2)
    if len(found) != 1:
        why = "no action has" if not found else "several actions have"
        raise NotFoundError(f"{why} an id that begins with {wanted!r}", hint="`komodo-tui actions` prints them")
    record = found[0]
    if session.out.json:
        session.out.document(_safe(record))
    else:
        _print_whole(session.out, runtime, record)
    return ExitCode.DONE


def _safe(record: ActionRecord) -> object:
    """The record as JSON, with nothing in it that a terminal would obey (an older program may have written it)."""
    return clean_tree(msgspec.to_builtins(record), keep_newlines=True)


def _row(out: Output, runtime: Runtime, record: ActionRecord) -> list[Cell]:
    glyphs = out.glyphs
    result = _result(runtime, record)
    glyph = {
        "success": Cell(glyphs.ok, "good"),
        "running": Cell(glyphs.busy, "busy"),
        "cancelled": Cell(glyphs.off, "dim"),
        "unknown": Cell(glyphs.unknown, "warn"),
    }.get(result, Cell(glyphs.fail, "bad"))
    targets = ", ".join(str(target) for target in record.targets)
    return [
        glyph,
        Cell(time_text(record.started)),
        Cell(str(record.actor)),
        Cell(record.act),
        Cell(targets),
        Cell(result),
        Cell(record.summary),
        Cell(record.id[:_ID], "dim"),
    ]


def _result(runtime: Runtime, record: ActionRecord) -> str:
    """The outcome; without one, whether anybody still works on it."""
    if record.outcome is not None:
        return record.outcome
    return "running" if runtime.executor.under_way(record) else "unknown"


def _print_whole(out: Output, runtime: Runtime, record: ActionRecord) -> None:
    took = (record.ended or time.time()) - record.started
    out.pairs(
        {
            "action": record.id,
            "title": record.title,
            "who": f"{record.actor} (by {record.actor.via})",
            "started": time_text(record.started),
            "took": long_duration_text(took),
            "result": _result(runtime, record),
            "why": record.summary,
            "before": record.before,
            "after": record.after,
        }
    )
    for step in record.steps:
        out.line()
        out.line(f"{step.target}: {step.end}, {long_duration_text(step.seconds)}")
        for command in step.commands:
            out.line(f"  $ {command}")
        if step.error:
            out.line(f"  {step.error}")
        if step.hint:
            out.line(f"  {step.hint}")
        for line in step.output.splitlines():
            out.line(f"  | {line}")
