"""What comes after a build that succeeded: ship, push, redeploy. On disk before it begins, so that it is done once.

The executor notes it with the build's intent. Each thing gets the id of its act before that act begins; a program
that takes over finds in the history how far it came. Who works on one holds its lock.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from komodo_tui.domain.errors import ActError, KomodoError, LockedError, NotFoundError, UnreachableError, UsageError
from komodo_tui.domain.follow_ups import FollowStep, FollowUp
from komodo_tui.domain.operations import ActionRecord
from komodo_tui.domain.stacks import StackOperation, where_it_changes
from komodo_tui.operations.build_history import run_of
from komodo_tui.operations.build_wants import BuildWants
from komodo_tui.operations.job_steps import OutcomeUnknownError
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.operations.outcomes import failed
from komodo_tui.store.follow_ups import FollowUpStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from komodo_tui.domain.builds import BuildDefinition
    from komodo_tui.domain.operations import Operation, Plan
    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.deployment_definitions import Deployables
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.history import History
    from komodo_tui.store.paths import StateDirectory

    Prepare = Callable[[], Awaitable[Operation]]
    Submit = Callable[[Plan, str], Awaitable[ActionRecord]]
    """How a front end does a plan that was agreed to together with the build, under the id of the act to come."""

_CLOSING = 30.0
"""Seconds the act of a program that ended may take to be closed by its agent's answer."""
_LOOK = 0.5


@dataclass(frozen=True)
class Followed:
    """One thing that was to be done after a build."""

    what: str
    record: ActionRecord | None = None
    """None: it was not begun, or nothing was left to do."""
    error: KomodoError | None = None
    """Why it was not begun."""
    act: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.error is None and (self.record is None or self.record.outcome == "success")

    @property
    def why(self) -> str:
        """Why it did not go well, in a line, with what to do where that is known."""
        if self.error is not None:
            return self.error.message + (f" ({self.error.hint})" if self.error.hint else "")
        if self.record is None or self.ok:
            return ""
        first = next((step.error for step in self.record.steps if step.error), "")
        return self.record.summary or first or str(self.record.outcome)


class Runtime(Protocol):
    """What any front end has, and follow-ups need."""

    @property
    def state_dir(self) -> StateDirectory: ...
    @property
    def definitions(self) -> DefinitionStore: ...
    @property
    def fleet(self) -> FleetManager: ...
    @property
    def executor(self) -> Executor: ...
    @property
    def history(self) -> History: ...
    @property
    def deployables(self) -> Deployables: ...
    @property
    def preparer(self) -> StackPreparer: ...


class BuildFollower:
    """Does what follows builds, and tells how far it came."""

    def __init__(
        self,
        fleet: FleetManager,
        executor: Executor,
        preparer: StackPreparer,
        deployables: Deployables,
        known: Callable[[], Mapping[str, ServerDefinition]],
        *,
        history: History,
        store: FollowUpStore,
        locks: TargetLocks,
    ) -> None:
        """``known`` reads the servers' definitions."""
        self._executor = executor
        self._wants = BuildWants(fleet, preparer, deployables, known)
        self._history = history
        self.store = store
        self._locks = locks

    def places(self, build: BuildDefinition) -> tuple[str, ...]:
        """The servers that are needed then. Blocks. Raises UsageError, NotFoundError."""
        return self._wants.places(build)

    async def follow(
        self, build: BuildDefinition, record: ActionRecord, submit: Submit, *, wait: bool = True
    ) -> list[Followed]:
        """Do it, one thing after the other, from where it stands; nothing after one that did not end well.

        Where another program is at it, its end is waited for; or, without ``wait``:

        Raises:
            LockedError: another program is at it.
            UnreachableError: how an act of a program that ended came out cannot be learned now; it stays open.
            StoreError: it cannot be kept; what is begun goes on by itself.
        """
        while True:
            with_lock = self._locks.hold([f"follow-up {record.id}"], f"what follows build {build.name}")
            try:
                with with_lock:
                    return await self._under_lock(build, record, submit)
            except LockedError:
                if not wait:
                    raise
            await asyncio.sleep(_LOOK)

    def left(self, build: BuildDefinition, record: ActionRecord) -> list[str]:
        """What was not done yet of what follows, in a few words each. Blocks. Raises UsageError, NotFoundError."""
        found = self.store.get(record.id)
        done = {step.what for step in found.steps if step.ok} if found is not None else set()
        return [one.what for one in self._wants.wanted(build, run_of(record)) if one.what not in done]

    def again(self, act: str) -> FollowUp:
        """Open one that ended badly: what went well stays done. Blocks.

        Raises:
            NotFoundError: nothing followed that build.
        """
        found = self.store.get(act)
        if found is None:
            raise NotFoundError("nothing was to follow that build", hint="build it again")
        kept = [step for step in found.steps if step.ok or step.outcome in ("", "interrupted")]
        self.store.write(act, kept)
        return msgspec.structs.replace(found, ended=None, steps=tuple(kept))

    async def _under_lock(self, build: BuildDefinition, record: ActionRecord, submit: Submit) -> list[Followed]:
        known = await asyncio.to_thread(self.store.get, record.id)
        if known is None:
            await asyncio.to_thread(self.store.note, record.id, build.name, time.time())
        elif known.ended is not None:
            return [await self._told(step) for step in known.steps]
        before = {step.what: step for step in known.steps} if known is not None else {}
        done: list[Followed] = []

        async def keep(step: FollowStep | None = None, *, end: bool = False) -> None:
            steps = [*map(_kept, done), *((step,) if step is not None else ())]
            await asyncio.to_thread(self.store.write, record.id, steps, time.time() if end else None)

        try:
            wanted = await asyncio.to_thread(self._wants.wanted, build, run_of(record))
        except (UsageError, NotFoundError) as error:  # a definition has changed meanwhile
            done.append(Followed("what follows", error=error))
            await keep(end=True)
            return done
        for what, prepare in wanted:
            bad = next((one for one in done if not one.ok), None)
            if bad is not None:
                done.append(Followed(what, error=ActError(f"not begun, since {bad.what} did not end well")))
                continue
            earlier = before.get(what)
            found = await self._earlier(earlier.act) if earlier is not None and earlier.act else None
            if found is not None and found.outcome != "interrupted":
                done.append(Followed(what, found, act=found.id))
            else:
                act = str(uuid.uuid4())
                await keep(FollowStep(what=what, act=act))
                one = await self._one(what, prepare, submit, act, again=found is not None)
                if one.error is not None and not isinstance(one.error, OutcomeUnknownError):
                    await asyncio.to_thread(self._enter, record, one)
                done.append(one)
            await keep()
        await keep(end=True)
        return done

    async def _one(self, what: str, prepare: Prepare, submit: Submit, act: str, *, again: bool) -> Followed:
        """``again``: some of it may have been done by a program that ended meanwhile."""
        try:
            operation = await prepare()
            if again and isinstance(operation, StackOperation):
                operation = where_it_changes(operation)
                if not operation.targets:
                    return Followed(what)
            return Followed(what, await submit(self._executor.plan(operation), act), act=act)
        except KomodoError as error:
            return Followed(what, error=error, act=act)

    def _enter(self, record: ActionRecord, one: Followed) -> None:
        """What could not begin is in the history too, beside what did."""
        try:
            self._history.get(one.act)
        except NotFoundError:
            target, error = record.targets[0], one.error or ActError("it was not begun")
            self._history.begin(
                ActionRecord(
                    id=one.act, seq=0, started=time.time(), actor=record.actor, act="follow up", run=record.run,
                    targets=(target,), title=f"After {record.title}: {one.what}",
                    operation={"operation": "follow_up", "build": record.id, "what": one.what},
                )
            )  # fmt: skip
            result = msgspec.structs.replace(failed(target, error), error=f"{one.what}: {error.message}")
            self._history.finish(one.act, "failed", [result], summary=result.error)

    async def _earlier(self, act: str) -> ActionRecord | None:
        """What an act of a program that ended came to; None where it never began."""
        deadline = time.monotonic() + _CLOSING
        while True:
            try:
                record = await asyncio.to_thread(self._history.get, act)
            except NotFoundError:
                return None
            if record.outcome is not None:
                return record
            if time.monotonic() >= deadline and not self._executor.under_way(record):
                raise UnreachableError(f"{record.title}: its server does not tell how it ended")
            await self._executor.recover(_CLOSING)
            await asyncio.sleep(_LOOK)

    async def _told(self, step: FollowStep) -> Followed:
        """As it was kept."""
        record = None
        if step.act and step.outcome != "not begun":
            with suppress(NotFoundError):
                record = await asyncio.to_thread(self._history.get, step.act)
        error = ActError(step.error) if record is None and not step.ok else None
        return Followed(step.what, record, error, step.act)


def follower_of(runtime: Runtime, known: Callable[[], Mapping[str, ServerDefinition]] | None = None) -> BuildFollower:
    """The follower of a front end. ``known``: the servers, where those it is connected to are not all."""
    servers = runtime.fleet.state.servers
    return BuildFollower(
        runtime.fleet, runtime.executor, runtime.preparer, runtime.deployables,
        known or (lambda: {name: live.definition for name, live in servers.items()}),
        history=runtime.history, store=FollowUpStore(runtime.state_dir.follow_ups),
        locks=TargetLocks(runtime.state_dir.locks),
    )  # fmt: skip


def _kept(one: Followed) -> FollowStep:
    if one.error is not None:
        lost = isinstance(one.error, OutcomeUnknownError)
        return FollowStep(
            what=one.what, act=one.act, outcome="interrupted" if lost else "not begun", error=one.error.message
        )
    outcome = str(one.record.outcome) if one.record is not None else "success"
    return FollowStep(what=one.what, act=one.act, outcome=outcome, error=one.why)


def not_well(done: Sequence[Followed]) -> list[Followed]:
    """Those that did not end well."""
    return [one for one in done if not one.ok]
