"""``exec``: a process in a container, on this terminal or between pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

from komodo_agent.wire.exec import STDERR, ExecRequest
from komodo_tui.domain.errors import ActError, HostUnreachableError, ReadOnlyError, UsageError
from komodo_tui.headless.session import not_reached, pick, servers_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Coroutine, Iterator

    from komodo_tui.fleet.streams import ExecSession
    from komodo_tui.headless.session import Session

_CHUNK = 32 << 10


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
        client = await runtime.fleet.link(server).client()
        running = await client.exec(_request(arguments, container.id, terminal=tty_wanted), container.name)
        try:
            await (_on_terminal(running) if tty_wanted else _between_pipes(running))
            end = await running.wait()
        finally:
            await running.close()
    if end.code is not None:
        return end.code
    if end.reason.startswith("the connection"):
        raise HostUnreachableError(f"exec in {container.name}: {end.reason}", server=server)
    raise ActError(f"exec in {container.name}: {end.reason or 'it ended without an exit status'}", server=server)


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
        user=arguments.user, workdir=arguments.workdir, environment=environment,
    )  # fmt: skip


async def _on_terminal(running: ExecSession) -> None:
    """Every key to the process, every byte of it to the terminal, until it ends."""
    fd = sys.stdin.fileno()
    with _raw(fd), _resizes(running, fd):
        await _both(_send(running, fd), _receive(running))


async def _between_pipes(running: ExecSession) -> None:
    """Standard input to the process until its end; its two outputs to ours."""
    await _both(_send(running, sys.stdin.fileno() if sys.stdin else None), _receive(running))


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
        async for data in _input(fd):
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


async def _input(fd: int) -> AsyncIterator[bytes]:
    """What arrives on a descriptor, without a thread that could not be ended while it waits."""
    loop = asyncio.get_running_loop()
    waits = not stat.S_ISREG(os.fstat(fd).st_mode)  # a file is always ready, and cannot be watched
    ready = asyncio.Event()
    while True:
        if waits:
            ready.clear()
            try:
                loop.add_reader(fd, ready.set)
            except PermissionError:  # /dev/null and the like are always ready too
                waits = False
                continue
            try:
                await ready.wait()
            finally:
                loop.remove_reader(fd)
        data = os.read(fd, _CHUNK)
        if not data:
            return
        yield data


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resizes(running: ExecSession, fd: int) -> Iterator[None]:
    """Tell the process when the terminal's window changes."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def tell() -> None:
        size = os.get_terminal_size(fd)
        task = loop.create_task(running.resize(size.columns, size.lines))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGWINCH, tell)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
