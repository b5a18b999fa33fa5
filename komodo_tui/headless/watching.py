"""``watch`` and ``schedules``."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, ReadOnlyError, UsageError
from komodo_tui.domain.schedules import Schedule
from komodo_tui.domain.units import time_text
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.alerts.surveys import MoreSurveys
from komodo_tui.operations.alerts.watcher import INTERVAL, AlertWatcher
from komodo_tui.operations.build_keeper import FollowKeeper
from komodo_tui.operations.pushes.watch import pushes_once
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.watch.follow import SettingsFollower
from komodo_tui.watch.holding import Holding
from komodo_tui.watch.install import install
from komodo_tui.watch.loops import notifier_of, scheduler_of, slots_of
from komodo_tui.watch.turn import WatchTurn, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from komodo_tui.headless.session import Runtime, Session

_CLOSED = 10.0
"""Seconds for acts that ended programs left to be closed."""


async def watch(session: Session) -> int:
    """Watch until it is told to stop."""
    async with session.runtime() as runtime:
        if session.arguments.install:
            return _install(session)
        if runtime.settings.read_only:
            raise ReadOnlyError("watch: refused, read-only mode is on", hint="start without --read-only")
        if session.arguments.once:
            return await _once(session, runtime)
        turn = WatchTurn(runtime.state_dir.root, "watch", runtime.actor.name)
        await turn.take_over()
        try:
            await _until_told(_watch(session, runtime, turn))
        finally:
            turn.release()
    return ExitCode.DONE


async def _watch(session: Session, runtime: Runtime, turn: WatchTurn) -> None:
    say = _say(session)
    runtime.fleet.interval = INTERVAL
    await runtime.start()
    session.out.say(f"watching {len(_scheduled(runtime))} schedules and {len(runtime.servers.fleet())} servers")
    session.out.flush()
    follower = SettingsFollower(runtime.state_dir.settings, runtime, say)
    await _all((Holding(runtime, turn, say).run(), follower.run()))


async def _once(session: Session, runtime: Runtime) -> int:
    """For cron."""
    turn = WatchTurn(runtime.state_dir.root, "once", runtime.actor.name)
    if not await asyncio.to_thread(turn.take):
        holder = await asyncio.to_thread(holder_of, runtime.state_dir.root)
        session.out.say(f"watch: nothing to do here: {holder or 'another process'} watches")
        return ExitCode.DONE
    try:
        with closing(slots_of(runtime)) as slots:
            await scheduler_of(runtime, slots, RunStore(runtime.state_dir.runs), _say(session)).once()
            await _pushes_once(session, runtime)
            await _builds_once(session, runtime)
            await _alerts_once(session, runtime)
    finally:
        turn.release()
    return ExitCode.DONE


async def _pushes_once(session: Session, runtime: Runtime) -> None:
    """For cron; servers are connected only where there is something to look at or to do."""
    polled = any(repo.poll for repo in RepoDefinitions(runtime.definitions).known().values())
    with closing(PushStore(runtime.state_dir.pushes)) as pushes:
        waiting = [push for push in pushes.newest().values() if push.state in ("pending", "running")]
        if polled or waiting:
            await runtime.start()
            await session.settle(runtime)
            await pushes_once(runtime, pushes, RunStore(runtime.state_dir.runs), _say(session))


async def _builds_once(session: Session, runtime: Runtime) -> None:
    """For cron: what is to follow builds whose program has ended."""
    keeper = FollowKeeper(runtime, _say(session), grace=0.0)
    if not await keeper.anything():
        return
    if not runtime.fleet.state.servers:
        await runtime.start()
    await session.settle(runtime)
    await runtime.recovered(_CLOSED)  # a build that still runs then is left to the next look
    await keeper.once()


async def _alerts_once(session: Session, runtime: Runtime) -> None:
    """For cron: what is so now, and was so at the look before, counts as lasting in between."""
    if not runtime.fleet.state.servers:
        await runtime.start()
    await session.settle(runtime)
    more = MoreSurveys(runtime, runtime.alerts.last_look())
    await more.once()
    watcher = AlertWatcher(runtime.fleet.state, runtime.alerts, _say(session), more.latest)
    if await watcher.once(runtime.state_dir.root / "alerts-once.json"):
        await notifier_of(runtime, _say(session)).look()


def _say(session: Session) -> Callable[[str], None]:
    def say(text: str) -> None:
        session.out.line(f"{time_text(time.time())} {text}")
        session.out.flush()

    return say


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Until SIGTERM or SIGINT; runs that were started go on, they are processes of their own."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(work)
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
    path = install(session.arguments.home, session.arguments.ssh_config)
    session.out.line(f"{path}")
    session.out.say(f"start it:  systemctl --user enable --now {path.name}")
    session.out.say("keep it running while you are logged out:  loginctl enable-linger")
    return ExitCode.DONE


async def schedules(session: Session) -> int:
    """What runs by itself."""
    async with session.runtime() as runtime:
        holder = await asyncio.to_thread(holder_of, runtime.state_dir.root)
        now, rows = time.time(), []
        with closing(slots_of(runtime)) as slots:
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
            session.out.document({"watched": holder is not None, "schedules": rows})
            return ExitCode.DONE
        session.out.table(
            (Column("NAME"), Column("SCHEDULE"), Column("LAST"), Column("RESULT", flexible=True), Column("NEXT")),
            [[Cell(row[key]) for key in ("name", "schedule", "last", "result", "next")] for row in rows],
        )
        if holder is None:
            session.out.say("komodo-tui: nobody watches: start komodo-tui watch, or see komodo-tui watch --install")
    return ExitCode.DONE
