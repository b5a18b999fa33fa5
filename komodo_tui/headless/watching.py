"""``watch`` and ``schedules``."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, LockedError, ReadOnlyError, StoreError, UsageError
from komodo_tui.domain.schedules import Schedule
from komodo_tui.domain.units import time_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.alerts.notifier import Notifier
from komodo_tui.operations.alerts.surveys import MoreSurveys
from komodo_tui.operations.alerts.watcher import INTERVAL, AlertWatcher
from komodo_tui.operations.procedures.scheduler import Scheduler
from komodo_tui.operations.pushes.watch import push_loops, pushes_once
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.syncs.watching import SyncWatcher
from komodo_tui.store.deliveries import DeliveryQueue
from komodo_tui.store.locks import FileLock
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from komodo_tui.headless.session import Runtime, Session

UNIT = "komodo-tui-watch.service"


async def watch(session: Session) -> int:
    """Watch until it is told to stop."""
    async with session.runtime() as runtime:
        if session.arguments.install:
            return _install(session)
        if runtime.settings.read_only:
            raise ReadOnlyError("watch: refused, read-only mode is on", hint="start without --read-only")
        lock = FileLock(runtime.state_dir.root / "watch.lock")
        if not lock.try_acquire():
            raise LockedError("a watch is under way already", hint="one process watches a state directory")
        with SlotsOf(runtime) as slots:
            scheduler = _scheduler(session, runtime, slots)
            try:
                if session.arguments.once:
                    await scheduler.once()
                    await _pushes_once(session, runtime)
                    await _alerts_once(session, runtime)
                else:
                    runtime.fleet.interval = INTERVAL
                    await runtime.start()
                    session.out.say(
                        f"watching {len(_scheduled(runtime))} schedules and {len(runtime.servers.fleet())} servers"
                    )
                    say = _say(session)
                    records = MoreSurveys(runtime, runtime.alerts.last_look())
                    alerts = AlertWatcher(runtime.fleet.state, runtime.alerts, say, records.latest)
                    notifier = _notifier(runtime, say)
                    with PushesOf(runtime) as pushes:
                        loops = push_loops(
                            runtime, runtime.settings, pushes, RunStore(runtime.state_dir.runs), say
                        )  # fmt: skip
                        syncs = SyncWatcher(runtime, RunStore(runtime.state_dir.runs), say)
                        watched = (scheduler, alerts, records, notifier, syncs)
                        await _until_told(*(each.run() for each in watched), *loops)
            finally:
                lock.release()
    return ExitCode.DONE


async def _pushes_once(session: Session, runtime: Runtime) -> None:
    """For cron; servers are connected only where there is something to look at or to do."""
    polled = any(repo.poll for repo in RepoDefinitions(runtime.definitions).known().values())
    with PushesOf(runtime) as pushes:
        waiting = [push for push in pushes.newest().values() if push.state in ("pending", "running")]
        if polled or waiting:
            await runtime.start()
            await session.settle(runtime)
            await pushes_once(runtime, pushes, RunStore(runtime.state_dir.runs), _say(session))


async def _alerts_once(session: Session, runtime: Runtime) -> None:
    """For cron: what is so now, and was so at the look before, counts as lasting in between."""
    if not runtime.fleet.state.servers:
        await runtime.start()
    await session.settle(runtime)
    more = MoreSurveys(runtime, runtime.alerts.last_look())
    await more.once()
    watcher = AlertWatcher(runtime.fleet.state, runtime.alerts, _say(session), more.latest)
    if await watcher.once(runtime.state_dir.root / "alerts-once.json"):
        await _notifier(runtime, _say(session)).look()


def _notifier(runtime: Runtime, say: Callable[[str], None]) -> Notifier:
    queue = DeliveryQueue(runtime.alerts)
    return Notifier(runtime.state_dir, queue, lambda: runtime.values.lookup("", ""), say)


class SlotsOf:
    """The slots of a runtime, closed in the end."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = SlotStore(runtime.state_dir.runs / "slots.db")

    def __enter__(self) -> SlotStore:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


class PushesOf:
    """The pushes of a runtime, closed in the end."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = PushStore(runtime.state_dir.pushes)

    def __enter__(self) -> PushStore:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def _scheduler(session: Session, runtime: Runtime, slots: SlotStore) -> Scheduler:
    return Scheduler(
        runtime.state_dir, lambda: runtime.procedures().known().values(), slots, RunStore(runtime.state_dir.runs),
        _say(session),
    )  # fmt: skip


def _say(session: Session) -> Callable[[str], None]:
    def say(text: str) -> None:
        session.out.line(f"{time_text(time.time())} {text}")
        session.out.flush()

    return say


async def _until_told(*loops: Coroutine[Any, Any, None]) -> None:
    """Until SIGTERM or SIGINT; runs that were started go on, they are processes of their own."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(_all(loops))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        if not running.cancelled():
            raise


async def _all(loops: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:  # where one breaks, the unit starts all anew
        for loop in loops:
            tasks.create_task(loop)


def _scheduled(runtime: Runtime) -> list[str]:
    return [name for name, definition in runtime.procedures().known().items() if definition.schedule]


def _install(session: Session) -> int:
    """Write a systemd user unit."""
    program = Path(sys.argv[0]).absolute()
    home = ["--home", str(Path(session.arguments.home).absolute())] if session.arguments.home else []
    command = shlex.join([str(program), *home, "watch"])
    path = Path.home() / ".config/systemd/user" / UNIT
    unit = f"""\
[Unit]
Description=komodo-tui watch: runs procedures when they are due, looks for alerts
Documentation=man:systemd.service(5)

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=10
# Runs are processes of their own: they go on when the watch is restarted.
KillMode=process

[Install]
WantedBy=default.target
"""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    session.out.line(f"{path}")
    session.out.say(f"start it:  systemctl --user enable --now {UNIT}")
    session.out.say("keep it running while you are logged out:  loginctl enable-linger")
    return ExitCode.DONE


async def schedules(session: Session) -> int:
    """What runs by itself."""
    async with session.runtime() as runtime:
        lock = FileLock(runtime.state_dir.root / "watch.lock")
        watched = not lock.try_acquire()
        lock.release()
        now, rows = time.time(), []
        with SlotsOf(runtime) as slots:
            for name, definition in runtime.procedures().known().items():
                if not definition.schedule:
                    continue
                last = slots.last(name)
                try:
                    following = time_text(Schedule(definition.schedule, definition.timezone).after(now))
                except UsageError as error:
                    following = error.message
                rows.append({
                    "name": name, "schedule": definition.schedule, "timezone": definition.timezone,
                    "last": time_text(last.at) if last else "", "result": last.result if last else "",
                    "next": following,
                })  # fmt: skip
        if session.out.json:
            session.out.document({"watched": watched, "schedules": rows})
            return ExitCode.DONE
        session.out.table(
            (Column("NAME"), Column("SCHEDULE"), Column("LAST"), Column("RESULT", flexible=True), Column("NEXT")),
            [[Cell(row[key]) for key in ("name", "schedule", "last", "result", "next")] for row in rows],
        )
        if not watched:
            session.out.say("komodo-tui: nobody watches: start komodo-tui watch, or see komodo-tui watch --install")
    return ExitCode.DONE
