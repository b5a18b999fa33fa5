"""``attach``: back to a terminal that lives in a server's agent."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError, NotFoundError, ReadOnlyError, UsageError
from komodo_tui.domain.units import duration_text
from komodo_tui.fleet.kept import KeptTerminal, keeps_terminals
from komodo_tui.headless import own_terminal
from komodo_tui.headless.session import warn_away
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.terminals import TerminalInfo
    from komodo_tui.headless.session import Runtime, Session


_COLUMNS = (
    Column("ID"), Column("TARGET"), Column("NAME", flexible=True), Column("COMMAND", flexible=True), Column("STATE"),
    Column("ATTACHED", right=True), Column("SIZE", right=True), Column("OPEN", right=True),
)  # fmt: skip


class Open(NamedTuple):
    """A terminal of some server."""

    server: str
    info: TerminalInfo

    @property
    def target(self) -> str:
        """As all of the program writes it."""
        return f"{self.info.target}@{self.server}" if self.info.target else self.server

    @property
    def state(self) -> str:
        """Running, or how it ended."""
        if self.info.ended is None:
            return "running"
        return "ended" if self.info.code is None else f"ended ({self.info.code})"


async def attach(session: Session) -> int:
    """List, end, or go back to one; then the exit code is its program's."""
    arguments = session.arguments
    async with session.servers() as runtime:
        there = await _all(runtime)
        if arguments.list:
            warn_away(session.out, runtime, engines=False)
            _print(session, there)
            return 0
        if session.out.json:
            raise UsageError("attach: --json goes with --list alone")
        if runtime.settings.read_only and not arguments.look:
            raise ReadOnlyError("attach: refused, read-only mode is on", hint="--look only looks")
        wanted = _one(there, arguments.terminal)
        kept = KeptTerminal.found(runtime.fleet.link(wanted.server), wanted.target, wanted.info)
        if arguments.end:
            await kept.end()
            return 0
        if not (sys.stdin.isatty() and session.out.terminal):
            raise UsageError("attach: needs a terminal", hint="exec runs a command between pipes")
        size = os.get_terminal_size(sys.stdin.fileno())
        running = await kept.open(size.columns, size.lines, read_only=arguments.look, come_back=False)
        own_terminal.clear()
        end = await own_terminal.carry_kept(running, kept, keys=not arguments.look)
    return own_terminal.exit_code(end, f"attach to {wanted.target}", wanted.server)


async def _all(runtime: Runtime) -> list[Open]:
    """What the servers that are there have, by server and age."""
    names = [name for name, live in runtime.fleet.state.servers.items() if live.live and keeps_terminals(live.hello)]
    found = await asyncio.gather(*(_of(runtime, name) for name in names))
    return [Open(name, info) for name, infos in zip(names, found, strict=True) for info in infos]


async def _of(runtime: Runtime, server: str) -> list[TerminalInfo]:
    try:
        return await (await runtime.fleet.link(server).client()).terminals()
    except KomodoError:
        return []  # it went away this moment


def _one(there: Sequence[Open], word: str) -> Open:
    """The one that is meant: by id, else by name or target; those that run before those that ended."""
    fitting = [one for one in there if not word or one.info.id.startswith(word)]
    fitting = fitting or [one for one in there if word in (one.info.name, one.target, one.info.target, one.server)]
    running = [one for one in fitting if one.info.ended is None] or fitting
    if not running:
        what = f"no terminal is {word!r}" if word else "no terminal is open"
        raise NotFoundError(f"attach: {what}", hint="komodo-tui attach --list shows those there are")
    if len(running) > 1:
        ids = ", ".join(f"{one.info.id[:8]} ({one.target})" for one in running)
        raise UsageError(f"attach: {len(running)} terminals fit: {ids}", hint="name one by its id")
    return running[0]


def _print(session: Session, there: Sequence[Open]) -> None:
    if session.out.json:
        session.out.document(
            [
                {
                    "id": one.info.id, "server": one.server, "container": one.info.target, "name": one.info.name,
                    "command": list(one.info.command), "opened": one.info.opened, "ended": one.info.ended,
                    "code": one.info.code, "attached": one.info.clients, "cols": one.info.cols, "rows": one.info.rows,
                }
                for one in there
            ]
        )  # fmt: skip
        return
    session.out.table(_COLUMNS, [_row(one) for one in there])


def _row(one: Open) -> list[Cell]:
    info = one.info
    state = Cell(one.state, "good" if info.ended is None else "dim")
    texts = (info.name, _command(info))
    figures = (str(info.clients), f"{info.cols}x{info.rows}", duration_text(time.time() - info.opened))
    return [Cell(info.id[:8]), Cell(one.target), *map(Cell, texts), state, *map(Cell, figures)]


def _command(info: TerminalInfo) -> str:
    return "attached" if info.attached else ("new: " if info.fresh else "") + (" ".join(info.command) or "shell")
