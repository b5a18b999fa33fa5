"""Goes on with what is to follow builds whose program has ended in between. Any front end may: locks keep it once."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from komodo_tui.domain.builds import BuildOperation
from komodo_tui.domain.errors import KomodoError, LockedError, NotFoundError
from komodo_tui.domain.follow_ups import FollowStep
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.build_follow import follower_of, not_well
from komodo_tui.operations.build_history import BuildHistory
from komodo_tui.operations.build_runs import BuildOutput
from komodo_tui.operations.intents import read_operation
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.build_logs import BuildLogs

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.follow_ups import FollowUp
    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.operations.build_follow import Followed, Runtime

_LOOK = 10.0
"""Seconds between looks."""
_GRACE = 10.0
"""Seconds after a build in which whoever asked for it goes on by itself."""
_LATE = 3 * 86400.0
"""Seconds after a build from which on a person has to ask for what follows: by then they may want something else."""
_ONCE = 10.0
"""Seconds one single look waits for acts that ended programs left to be closed."""
_CONNECT = 20.0
"""Seconds a server may take to be connected before what needs it is begun without."""


class FollowKeeper:
    """``say`` is told, in one line, what is gone on with and how it ends."""

    def __init__(self, runtime: Runtime, say: Callable[[str], None], *, grace: float = _GRACE) -> None:
        self._runtime = runtime
        self._say = say
        self._grace = grace
        self._follower = follower_of(runtime)
        self._store = self._follower.store
        self._locks = TargetLocks(runtime.state_dir.locks)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        self._patience: float | None = None

    async def run(self) -> None:
        """Until cancelled. What is under way then is left to the next program."""
        try:
            while True:
                for follow_up in await self._open():
                    if follow_up.act not in self._tasks:
                        self._begin(follow_up)
                await asyncio.sleep(_LOOK)
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def once(self) -> list[tuple[str, list[Followed]]]:
        """What is open now, to its end; by build what came of it. A build that still runs is left to the next look."""
        self._patience = _ONCE
        found = await self._open()
        done = await asyncio.gather(*map(self._go_on, found))
        return [(one.build, steps) for one, steps in zip(found, done, strict=True) if steps]

    async def _open(self) -> list[FollowUp]:
        if not await asyncio.to_thread(self._runtime.state_dir.follow_ups.exists):
            return []
        try:
            return await asyncio.to_thread(self._store.open)
        except KomodoError as error:
            self._once(str(error))
            return []

    def _begin(self, follow_up: FollowUp) -> None:
        async def see_through() -> None:
            await self._go_on(follow_up)

        task = asyncio.create_task(see_through(), name=f"what follows {follow_up.build}")
        self._tasks[follow_up.act] = task
        task.add_done_callback(lambda _: self._tasks.pop(follow_up.act, None))

    async def _go_on(self, follow_up: FollowUp) -> list[Followed]:
        """See one through where its build has ended well and nobody else is at it."""
        try:
            record = await self._built(follow_up)
            operation = read_operation(record) if record is not None else None
            if record is None or not isinstance(operation, BuildOperation):
                return []
            if record.ended is None or time.time() - record.ended < self._grace:
                return []
            if not self._locks.free([f"follow-up {record.id}"]):
                return []
            if await asyncio.to_thread(self._too_late, follow_up, record):
                return []
            now = await asyncio.to_thread(BuildDefinitions(self._runtime.definitions).find, follow_up.build)
            return await self._follow(now or operation.build, record)
        except LockedError:
            return []  # somebody was faster
        except KomodoError as error:
            self._once(f"build {follow_up.build}: {error}")
            return []

    def _too_late(self, follow_up: FollowUp, record: ActionRecord) -> bool:
        """Whether it is not gone on with by itself any more; then that is kept as its end."""
        newest = BuildHistory(self._runtime.history).last(follow_up.build)
        why = ""
        if newest is not None and newest.id != record.id:
            why = f"not begun, since {newest.version} was built after it"
        elif record.ended is not None and time.time() - record.ended > _LATE:
            why = f"not begun, since nobody went on with it in time; komodo-tui build {follow_up.build} --resume does"
        if why:
            kept = [step for step in follow_up.steps if step.ok]
            late = FollowStep(what="what was left", outcome="not begun", error=why)
            self._store.write(record.id, [*kept, late], time.time())
            self._say(f"build {follow_up.build}: {why}")
        return bool(why)

    async def _built(self, follow_up: FollowUp) -> ActionRecord | None:
        """The build's record once it has succeeded; None where it goes on, or nothing follows it."""
        executor = self._runtime.executor
        try:
            record = await asyncio.to_thread(self._runtime.history.get, follow_up.act)
        except NotFoundError:
            if self._locks.free([f"build {follow_up.build}"]):  # its program ended before it began
                await asyncio.to_thread(self._store.drop, follow_up.act)
            return None
        if record.outcome is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await executor.recover(_CONNECT)
            record = await asyncio.to_thread(self._runtime.history.get, follow_up.act)
        if record.outcome is not None and record.outcome != "success":
            await asyncio.to_thread(self._store.drop, follow_up.act)
        return record if record.outcome == "success" else None

    async def _follow(self, build: BuildDefinition, record: ActionRecord) -> list[Followed]:
        self._say(f"build {build.name}: going on with what follows it")
        runtime = self._runtime
        await self._connected(build, record)
        await BuildOutput(runtime.fleet, BuildLogs(runtime.state_dir.root), runtime.history).keep(record)

        async def submit(plan: Plan, act_id: str) -> ActionRecord:
            given = plan.phrase or True  # it was agreed to together with the build
            return await runtime.executor.submit(plan, record.actor, given=given, act_id=act_id, run=record.run)

        done = await self._follower.follow(build, record, submit, wait=False)
        bad = not_well(done)
        self._say(f"build {build.name}: {f'{bad[0].what}: {bad[0].why}' if bad else 'all that follows it is done'}")
        return done

    async def _connected(self, build: BuildDefinition, record: ActionRecord) -> None:
        """Wait for the servers, as long as is reasonable: right after the start they are being connected."""

        async def one(server: str) -> None:
            try:
                await self._runtime.fleet.link(server).client(_CONNECT)
            except KomodoError:
                return  # what needs it says so

        try:
            places = await asyncio.to_thread(self._follower.places, build)
        except KomodoError:
            return
        await asyncio.gather(*map(one, {*places, *(target.server for target in record.targets)}))

    def _once(self, text: str) -> None:
        """Say what would be so at each look."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)
