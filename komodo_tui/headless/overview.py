"""``status``: how all servers are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.levels import host_levels
from komodo_tui.domain.units import bytes_text, count_text, duration_text, latency_text, percent_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.overview import Problem, ServerSummary, problems, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.levels import Level
    from komodo_tui.fleet.live import ServerLive, ServerStatus
    from komodo_tui.headless.output import Glyphs, Output, Tone
    from komodo_tui.headless.session import Session

_COLUMNS = (
    Column(""),
    Column("SERVER", flexible=True),
    Column("STATE"),
    Column("LATENCY", right=True),
    Column("CPU", right=True),
    Column("MEM", right=True),
    Column("DISK", right=True),
    Column("RUNNING", right=True),
    Column("ENGINE", flexible=True),
)
_TONES: dict[Level, Tone] = {"ok": "", "warning": "warn", "critical": "bad"}
WORDS: dict[ServerStatus, str] = {
    "connecting": "connecting",
    "up": "up",
    "agent_missing": "no agent",
    "agent_mismatch": "agent differs",
    "unreachable": "unreachable",
    "auth": "login refused",
    "host_key_unknown": "new host key",
    "host_key_changed": "KEY CHANGED",
}


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Of all servers together."""

    servers: int
    up: int
    containers: int
    running: int
    unhealthy: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The document of ``status --json``."""

    at: float
    totals: Totals
    servers: tuple[ServerSummary, ...]
    problems: tuple[Problem, ...]


async def status(session: Session) -> int:
    """Print the overview. A report: it succeeds whatever it has to report."""
    async with session.servers() as runtime:
        servers = list(runtime.fleet.state.servers.values())
        report = _report(servers)
        if session.out.json:
            session.out.document(report)
        else:
            _print(session.out, report, servers, plain=session.arguments.plain)
    return ExitCode.DONE


def _report(servers: Sequence[ServerLive]) -> Status:
    summaries = tuple(summarize(server) for server in servers)
    live = [summary for summary in summaries if summary.status == "up"]
    return Status(
        at=time.time(),
        totals=Totals(
            servers=len(summaries),
            up=len(live),
            containers=sum(summary.containers.total for summary in live),
            running=sum(summary.containers.running for summary in live),
            unhealthy=sum(summary.containers.unhealthy for summary in live),
        ),
        servers=summaries,
        problems=tuple(problem for server in servers for problem in problems(server)),
    )


def _print(out: Output, report: Status, servers: Sequence[ServerLive], *, plain: bool) -> None:
    totals = report.totals
    away = f", {totals.servers - totals.up} not" if totals.up < totals.servers else ""
    unhealthy = f", {totals.unhealthy} unhealthy" if totals.unhealthy else ""
    out.line(
        f"{count_text(totals.servers, 'server')}: {totals.up} up{away}; "
        f"{totals.running} of {count_text(totals.containers, 'container')} running{unhealthy}"
    )
    rows = [_row(summary, server, out.glyphs) for summary, server in zip(report.servers, servers, strict=True)]
    if plain:
        for row in rows:
            out.line(
                ", ".join(f"{c.heading.lower()} {cell.text}" for c, cell in zip(_COLUMNS[1:], row[1:], strict=True))
            )
    else:
        out.line()
        out.table(_COLUMNS, rows)
    if report.problems:
        out.line()
    for problem in report.problems:
        critical = problem.level == "critical"
        glyph = out.paint(out.glyphs.fail, "bad") if critical else out.paint(out.glyphs.warn, "warn")
        out.write(f"{glyph} {out.paint(f'{problem.server}: {problem.message}', '')}\n")
        if problem.hint:
            out.write(out.paint(f"  {problem.hint}", "dim") + "\n")


def _row(summary: ServerSummary, server: ServerLive, glyphs: Glyphs) -> list[Cell]:
    levels = host_levels(server.sample, server.filesystems, server.definition.alerts)
    old: Tone = "" if server.live else "dim"

    def figure(text: str, what: str) -> Cell:
        return Cell(text, old or _TONES[levels.get(what, "ok")])

    memory, disk, counts = summary.memory, summary.disk, summary.containers
    known = bool(summary.seen)
    return [
        _glyph(server, glyphs),
        Cell(summary.name, "bold"),
        Cell(_word(server), "" if server.live else "bad"),
        Cell(latency_text(summary.latency)),
        figure(percent_text(summary.cpu) if summary.cpu is not None else "-", "cpu"),
        figure(f"{percent_text(memory.percent)} of {bytes_text(memory.total)}" if memory else "-", "memory"),
        figure(f"{disk.path} {percent_text(disk.percent)}" if disk else "-", "disk"),
        Cell(f"{counts.running}/{counts.total}" if known else "-", old),
        _engine(summary, old),
    ]


def _glyph(server: ServerLive, glyphs: Glyphs) -> Cell:
    if server.status == "connecting":
        return Cell(glyphs.busy, "busy")
    if not server.live:
        return Cell(glyphs.fail, "bad")
    levels = {problem.level for problem in problems(server)}
    return Cell(glyphs.warn, "warn") if levels else Cell(glyphs.ok, "good")


def _word(server: ServerLive) -> str:
    """The state, dated where what is shown is old."""
    word = WORDS[server.status]
    if server.live or not server.seen:
        return word
    return f"{word}, seen {duration_text(time.time() - server.seen)} ago"


def _engine(summary: ServerSummary, old: Tone) -> Cell:
    engine = summary.engine
    if engine is None:
        return Cell("-", old)
    return Cell(f"{engine.name} {engine.version}", old) if engine.status == "up" else Cell(engine.status, old or "bad")
