"""``watch`` and ``schedules``."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode, ReadOnlyError, StoreError
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import count_text, duration_text, time_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.alerts.watcher import INTERVAL
from komodo_tui.watch.ahead import ahead, parts_text, standing_lines
from komodo_tui.watch.follow import SettingsFollower
from komodo_tui.watch.holding import Holding
from komodo_tui.watch.install import install
from komodo_tui.watch.notify import tell_systemd
from komodo_tui.watch.once import OnceLook, Report
from komodo_tui.watch.timetable import timetable
from komodo_tui.watch.turn import WatchTurn, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.watch.timetable import Entry


async def watch(session: Session) -> int:
    """Watch until it is told to stop."""
    arguments = session.arguments
    async with session.runtime() as runtime:
        if arguments.install:
            return _install(session)
        if arguments.status:
            return await _status(session, runtime)
        if runtime.settings.read_only:
            raise ReadOnlyError("watch: refused, read-only mode is on", hint="start without --read-only")
        turn = WatchTurn(runtime.state_dir.root, "once" if arguments.once else "watch", runtime.actor.name)
        if arguments.once:
            return await _until_told(_once(session, runtime, turn), turn, told=ExitCode.INTERRUPTED)
        await turn.take_over()
        return await _until_told(_watch(session, runtime, turn), turn, told=ExitCode.DONE)


async def _watch(session: Session, runtime: Runtime, turn: WatchTurn) -> int:
    say = _say(session)
    runtime.fleet.interval = INTERVAL
    await runtime.start()
    session.out.say(f"watching {await asyncio.to_thread(_watched, runtime)}")
    holding = Holding(runtime, turn, say)

    def alive() -> None:
        if holding.well:
            tell_systemd("READY=1", "WATCHDOG=1", f"STATUS={holding.words}")

    async with asyncio.TaskGroup() as tasks:  # where one breaks, the unit starts all anew
        tasks.create_task(SettingsFollower(runtime.state_dir.settings, runtime, say).run())
        tasks.create_task(holding.run(alive=alive))
    return ExitCode.DONE


def _watched(runtime: Runtime) -> str:
    """How much of everything; of what cannot be read the part tells that needs it."""
    servers = count_text(len(runtime.servers.fleet()), "server")
    try:
        waits = ahead(runtime, time.time())
    except StoreError:
        return servers
    alerters = count_text(waits.alerters, "alerter") if waits.alerters else ""
    return ", ".join(filter(None, (servers, parts_text(waits), alerters)))


async def _once(session: Session, runtime: Runtime, turn: WatchTurn) -> int:
    """For cron: 1 where something that was due failed; who watches all the time makes it needless."""

    async def connected() -> None:
        await runtime.start()
        await session.settle(runtime, measured=False)

    if await asyncio.to_thread(turn.take):
        say = _quiet if session.out.json else _say(session)
        report = await OnceLook(runtime, say, connected).run()
    else:
        holder = await asyncio.to_thread(holder_of, runtime.state_dir.root)
        report = Report(watched=str(holder or "another process"))
    if session.out.json:
        session.out.document({**msgspec.to_builtins(report), "ok": not report.failed})
    elif report.watched:
        session.out.say(f"watch: nothing was done here: {report.watched} watches")
    return ExitCode.FAILED if report.failed else ExitCode.DONE


async def _status(session: Session, runtime: Runtime) -> int:
    """Who watches and how that goes: 0 where all is well, 1 where nobody does or it does not get on."""
    now, holder = time.time(), await asyncio.to_thread(holder_of, runtime.state_dir.root)
    waits = await asyncio.to_thread(ahead, runtime, now)
    late = holder.late(now) if holder is not None else []
    if session.out.json:
        session.out.document({
            "watched": holder is not None, "well": holder is not None and not late,
            "holder": msgspec.to_builtins(holder), "late": late, "ahead": waits._asdict(),
        })  # fmt: skip
    else:
        for line in standing_lines(holder, waits, now):
            session.out.line(line)
        if holder is not None:
            session.out.line(
                f"since {time_text(holder.since)}, {holder.servers} of {holder.servers_all} servers are connected"
            )
            for part, at in sorted(holder.looked.items()):
                tone = "  late" if part in late else ""
                session.out.line(f"  {part:<10} looked {duration_text(now - at)} ago{tone}")
            if holder.said:
                session.out.line(f"  said last: {holder.said}")
    return ExitCode.DONE if holder is not None and not late else ExitCode.FAILED


def _quiet(_: str) -> None:
    """What would be said stands in the report."""


def _say(session: Session) -> Callable[[str], None]:
    def say(text: str) -> None:
        now = time.time()
        if session.out.json:
            session.out.record({"at": now, "text": clean(text)})
        else:
            session.out.line(f"{time_text(now)} {text}")
        session.out.flush()

    return say


async def _until_told(work: Coroutine[Any, Any, int], turn: WatchTurn, *, told: int) -> int:
    """Its result, or ``told`` after SIGTERM, SIGINT or SIGHUP; runs that were started go on, they are processes of
    their own. The turn is given back."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        if not running.cancelled():
            raise
        tell_systemd("STOPPING=1")
        return told
    finally:
        turn.release()


def _install(session: Session) -> int:
    """Write a systemd user unit."""
    path = install(session.arguments.home, session.arguments.ssh_config)
    session.out.line(f"{path}")
    session.out.say(f"start it:  systemctl --user enable --now {path.name}")
    session.out.say("keep it running while you are logged out:  loginctl enable-linger")
    return ExitCode.DONE


async def schedules(session: Session) -> int:
    """What runs by itself."""
    async with session.runtime() as runtime:
        now = time.time()
        holder = await asyncio.to_thread(holder_of, runtime.state_dir.root)
        entries = await asyncio.to_thread(timetable, runtime, now)
        if session.out.json:
            rows = [entry._asdict() for entry in entries]
            session.out.document({"watched": holder is not None, "holder": holder, "schedules": rows})
            return ExitCode.DONE
        session.out.table(
            (Column("NAME"), Column("KIND"), Column("SCHEDULE"), Column("LAST"), Column("MISSED", right=True),
             Column("NEXT"), Column("RESULT", flexible=True)),
            [_row(entry) for entry in entries],
        )  # fmt: skip
        if holder is None:
            session.out.say("komodo-tui: nobody watches: start komodo-tui watch, or see komodo-tui watch --install")
    return ExitCode.DONE


def _row(entry: Entry) -> list[Cell]:
    times = [time_text(at) if at else "-" for at in (entry.last, entry.next)]
    result = Cell(entry.problem, "bad") if entry.problem else Cell(entry.result, "" if entry.good else "warn")
    return [
        Cell(entry.name), Cell(entry.kind), Cell(entry.when), Cell(times[0]), Cell(str(entry.missed or "-")),
        Cell(times[1]), result,
    ]  # fmt: skip
