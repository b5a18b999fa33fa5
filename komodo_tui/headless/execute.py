"""``exec``: a process in a container, on this terminal or between pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from komodo_agent.wire.exec import STDERR, ExecRequest
from komodo_agent.wire.terminals import ContainerRequest
from komodo_tui.domain.errors import ActError, ReadOnlyError, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.fleet.kept import KeptTerminal, check_one_off, keeps_terminals
from komodo_tui.headless import own_terminal
from komodo_tui.headless.session import not_reached, pick, servers_of
from komodo_tui.operations.terminals import TerminalNote

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

    from komodo_tui.fleet.sessions import SessionEnd
    from komodo_tui.fleet.streams import ExecSession
    from komodo_tui.headless.session import Runtime, Session


_CANNOT_START = (("executable file not found", 127), ("no such file or directory", 127), ("permission denied", 126))
"""Exit codes of shells, and of ``docker exec``, for a command that could not be started."""


async def execute(session: Session) -> int:
    """Run it; the exit code is the process's own."""
    arguments = session.arguments
    if session.out.json:
        raise UsageError("exec: --json makes no sense here", hint="its output is the command's own")
    tty_wanted = session.asking.possible and session.out.terminal and not arguments.no_tty
    async with session.fleet(lambda known: servers_of([arguments.container], arguments, known)) as runtime:
        if runtime.settings.read_only:
            raise ReadOnlyError("exec: refused, read-only mode is on", hint="start without --read-only")
        rows = pick(runtime, [arguments.container])
        if len(rows) != 1:
            raise UsageError(f"exec: {arguments.container!r} are {len(rows)} containers", hint="name one")
        server, container = rows[0]
        live = runtime.fleet.state.servers[server]
        if not live.live:
            raise not_reached(f"exec in {container.name}", [live])
        if arguments.new:
            check_one_off(live.hello, server)
        request = _request(arguments, container.id, terminal=tty_wanted)
        try:
            if tty_wanted:
                end = await _on_terminal(runtime, server, request, container.name)
            else:
                client = await runtime.fleet.link(server).client()
                end = await _between_pipes(await client.exec(request, container.name))
        except ActError as error:
            code = next((code for words, code in _CANNOT_START if words in error.message), 0)
            if not code:
                raise
            session.out.error(error)
            return code
    return own_terminal.exit_code(end, f"exec in {container.name}", server)


def _request(arguments: argparse.Namespace, container: str, *, terminal: bool) -> ExecRequest:
    environment = {}
    for pair in arguments.env:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"exec: --env takes NAME=VALUE, not {name!r}")
        environment[name] = value
    if terminal and os.environ.get("TERM"):
        environment.setdefault("TERM", os.environ["TERM"])
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    size = os.get_terminal_size(sys.stdin.fileno()) if terminal else os.terminal_size((80, 24))
    return ExecRequest(
        container=container, command=tuple(command), tty=terminal, cols=size.columns, rows=size.lines,
        user=arguments.user, workdir=arguments.workdir, environment=environment, fresh=arguments.new,
    )  # fmt: skip


async def _on_terminal(runtime: Runtime, server: str, request: ExecRequest, title: str) -> SessionEnd:
    """Every key to the process, every byte of it to the terminal, until it ends or is left alone."""
    link, executor = runtime.fleet.link(server), runtime.executor
    target = Target(server=server, name=title, id=request.container)
    note = TerminalNote(verb="open", target=target, command=_shown(request))
    if keeps_terminals(runtime.fleet.state.servers[server].hello):
        kept = KeptTerminal(link, str(target), ContainerRequest(process=request))
        session = await executor.terminals.act(
            note, runtime.actor, lambda: kept.open(request.cols, request.rows, come_back=False)
        )
        return await own_terminal.carry_kept(session, kept)
    client = await link.client()
    running = await executor.terminals.act(note, runtime.actor, lambda: client.exec(request, title))
    return await own_terminal.carry(running)


def _shown(request: ExecRequest) -> str:
    return ("new: " if request.fresh else "") + (" ".join(request.command) or "shell")


async def _between_pipes(running: ExecSession) -> SessionEnd:
    """Standard input to the process until its end; its two outputs to ours."""
    try:
        await _both(_send(running, sys.stdin.fileno() if sys.stdin else None), _receive(running))
        return await running.wait()
    finally:
        await running.close()


async def _both(sending: Coroutine[Any, Any, None], receiving: Coroutine[Any, Any, None]) -> None:
    """Send as long as something is received."""
    sender = asyncio.ensure_future(sending)
    try:
        await receiving
    finally:
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender


async def _send(running: ExecSession, fd: int | None) -> None:
    if fd is not None:
        async for data in own_terminal.arriving(fd):
            await running.write(data)
    await running.end_of_input()


async def _receive(running: ExecSession) -> None:
    while True:
        stream, data = await running.read_tagged()
        if not data:
            return
        target = sys.stderr if stream == STDERR else sys.stdout
        target.buffer.write(data)
        target.buffer.flush()
