"""``ps`` and ``top``: what runs where, and how busy it is."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.models import Container, ContainerSample
from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.filters import parse
from komodo_tui.domain.units import bytes_text, duration_text, rate_text
from komodo_tui.headless.session import not_reached, pick, warn_away
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.overview import has_failed

if TYPE_CHECKING:
    from komodo_agent.wire.models import Port, ProcessTable
    from komodo_tui.headless.output import Glyphs, Output
    from komodo_tui.headless.session import Runtime, Session

_PS = (
    Column(""),
    Column("NAME", flexible=True),
    Column("SERVER"),
    Column("STATE"),
    Column("IMAGE", flexible=True),
    Column("STACK", flexible=True),
    Column("PORTS", flexible=True),
    Column("ID"),
)
_TOP = (
    Column("NAME", flexible=True),
    Column("SERVER"),
    Column("CPU%", right=True),
    Column("MEM", right=True),
    Column("NET RX/s", right=True),
    Column("NET TX/s", right=True),
    Column("READ/s", right=True),
    Column("WRITE/s", right=True),
    Column("PIDS", right=True),
)
_FIRST_SAMPLE = 3.0
"""Seconds an agent that was just started may take for its first figures."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A container in the document of ``ps --json``."""

    server: str
    live: bool
    """False: as it was when the server was last seen."""
    container: Container
    sample: ContainerSample | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A container in ``top --json``. Rates in bytes a second, CPU in percent of one core."""

    server: str
    name: str
    id: str
    cpu: float
    memory: int
    memory_limit: int
    net_rx: float
    net_tx: float
    block_read: float | None
    block_write: float | None
    pids: int


async def ps(session: Session) -> int:
    """List containers."""
    arguments, out = session.arguments, session.out
    words = " ".join(arguments.filter)
    test = parse(words)
    everything = arguments.all or "state:" in words
    async with session.servers() as runtime:
        found = [
            row for row in _rows(runtime) if test((row.server, row.container)) and (everything or _runs(row.container))
        ]
        if out.json:
            out.document(found)
        elif arguments.quiet:
            for row in found:
                out.line(row.container.id[:12])
        else:
            out.table(_PS, [_ps_row(row, out.glyphs) for row in found])
        warn_away(out, runtime)
        return _reached(runtime)


async def top(session: Session) -> int:
    """Print the busiest containers, or the processes inside one."""
    arguments = session.arguments
    if arguments.container:
        return await _processes(session)
    if arguments.limit < 1:
        raise UsageError("top: --limit takes 1 or more")
    async with session.servers() as runtime:
        warn_away(session.out, runtime)
        await _sampled(runtime)
        while True:
            figures = sorted(_figures(runtime), key=lambda f: (-f.cpu, -f.memory))[: arguments.limit]
            _print_top(session.out, figures, stream=arguments.follow)
            if not arguments.follow:
                return _reached(runtime)
            session.out.flush()
            await asyncio.sleep(arguments.interval)


async def _processes(session: Session) -> int:
    word = session.arguments.container
    async with session.servers() as runtime:
        rows = pick(runtime, [word])
        if len(rows) != 1:
            raise UsageError(f"top: {word!r} are {len(rows)} containers", hint="name one")
        server, container = rows[0]
        client = await runtime.fleet.link(server).client()
        table = await client.container_top(container.id)
        _print_processes(session.out, table)
    return ExitCode.DONE


def _rows(runtime: Runtime) -> list[Listed]:
    rows = [
        Listed(server=name, live=server.engine_live, container=c, sample=server.samples.get(c.id))
        for name, server in runtime.fleet.state.servers.items()
        for c in server.containers.values()
    ]
    return sorted(rows, key=lambda row: (not _runs(row.container), row.server, row.container.name))


def _runs(container: Container) -> bool:
    return container.state in ("running", "paused", "restarting")


def _reached(runtime: Runtime) -> int:
    """3 when none of the servers could be asked: then the empty list says nothing."""
    servers = list(runtime.fleet.state.servers.values())
    if servers and not any(server.live for server in servers):
        raise not_reached("no server could be asked", servers)
    return ExitCode.DONE


def _ps_row(row: Listed, glyphs: Glyphs) -> list[Cell]:
    container = row.container
    return [
        _glyph(container, glyphs),
        Cell(container.name, "bold" if row.live else "dim"),
        Cell(row.server),
        Cell(_state(container)),
        Cell(container.image),
        Cell(container.stack),
        Cell(", ".join(dict.fromkeys(_port(port) for port in container.ports if port.public))),
        Cell(container.id[:12], "dim"),
    ]


def _glyph(container: Container, glyphs: Glyphs) -> Cell:
    if container.state == "running":
        if container.health == "unhealthy":
            return Cell(glyphs.fail, "bad")
        return Cell(glyphs.busy, "busy") if container.health == "starting" else Cell(glyphs.ok, "good")
    if container.state == "paused":
        return Cell(glyphs.paused, "warn")
    if container.state in ("restarting", "removing"):
        return Cell(glyphs.busy, "warn")
    return Cell(glyphs.fail, "bad") if has_failed(container) else Cell(glyphs.off, "dim")


def _state(container: Container) -> str:
    """``running 3d (healthy)``, ``exited(1) 5m``."""
    code = f"({container.exit_code})" if container.state == "exited" and container.exit_code is not None else ""
    moment = container.started if _runs(container) else container.finished
    age = f" {duration_text(time.time() - moment)}" if moment > 0 else ""
    return f"{container.state}{code}{age}" + (f" ({container.health})" if container.health else "")


def _port(port: Port) -> str:
    """``8080->80/tcp``; an address that is not every address stands before it."""
    where = f"{port.ip}:" if port.ip not in ("", "0.0.0.0", "::") else ""
    return f"{where}{port.public}->{port.private}/{port.protocol}"


async def _sampled(runtime: Runtime) -> None:
    """Wait for the first figures of servers that have running containers."""
    subscription = runtime.fleet.state.subscribe()
    try:
        async with asyncio.timeout(_FIRST_SAMPLE):
            while any(
                server.engine_live and not server.samples and any(_runs(c) for c in server.containers.values())
                for server in runtime.fleet.state.servers.values()
            ):
                await subscription.wait()
                subscription.take()
    except TimeoutError:
        return
    finally:
        subscription.close()


def _figures(runtime: Runtime) -> list[Figures]:
    return [
        Figures(
            server=name,
            name=container.name,
            id=container.id,
            cpu=s.cpu,
            memory=s.memory,
            memory_limit=s.memory_limit,
            net_rx=s.net_rx,
            net_tx=s.net_tx,
            block_read=s.block_read,
            block_write=s.block_write,
            pids=s.pids,
        )
        for name, server in runtime.fleet.state.servers.items()
        if server.engine_live
        for container in server.containers.values()
        if (s := server.samples.get(container.id)) is not None and _runs(container)
    ]


def _print_top(out: Output, figures: list[Figures], *, stream: bool) -> None:
    if out.json:
        document: Any = {"at": time.time(), "containers": figures}
        (out.record if stream else out.document)(document)
        return
    if stream:
        out.line(time.strftime("%H:%M:%S"))
    out.table(_TOP, [_top_row(figure) for figure in figures])
    if stream:
        out.line()


def _top_row(figure: Figures) -> list[Cell]:
    limit = f" of {bytes_text(figure.memory_limit)}" if figure.memory_limit else ""
    return [
        Cell(figure.name, "bold"),
        Cell(figure.server),
        Cell(f"{figure.cpu:.1f}"),
        Cell(bytes_text(figure.memory) + limit),
        Cell(rate_text(figure.net_rx)),
        Cell(rate_text(figure.net_tx)),
        Cell("-" if figure.block_read is None else rate_text(figure.block_read)),
        Cell("-" if figure.block_write is None else rate_text(figure.block_write)),
        Cell(str(figure.pids)),
    ]


def _print_processes(out: Output, table: ProcessTable) -> None:
    if out.json:
        out.document(table)
        return
    columns = [Column(title, flexible=title in ("CMD", "COMMAND", "ARGS")) for title in table.titles]
    out.table(columns, [[Cell(text) for text in row] for row in table.rows])
