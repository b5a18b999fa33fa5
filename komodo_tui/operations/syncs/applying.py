"""Makes definitions as the files say, each through the one gate, and deploys what does not run as it is defined."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from komodo_tui.domain.deploy_order import in_deploy_order
from komodo_tui.domain.errors import ActError, KomodoError, LockedError, RefusedError, UsageError
from komodo_tui.domain.single import DeploymentDefinition, with_image
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stacks import where_it_changes
from komodo_tui.domain.syncs import applied
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.definition_files import KINDS, Change, changes, planned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from komodo_tui.domain.operations import ActionRecord, Plan
    from komodo_tui.domain.stacks import StackDefinition, StackOperation
    from komodo_tui.domain.syncs import Item, Key, SyncBase, SyncDefinition
    from komodo_tui.operations.definition_files import Parts
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.stack_prepare import StackPreparer
    from komodo_tui.operations.syncs.looking import Pending, SyncLooker

    Submit = Callable[[Plan], Awaitable[ActionRecord]]
    """How a front end does a plan that was agreed to as a part of the whole."""


class Applied(NamedTuple):
    """What came of it."""

    records: list[ActionRecord]
    left: list[str]
    """What was not begun, since something before it failed."""

    @property
    def ok(self) -> bool:
        """Whether all of it went well."""
        return not self.left and all(record.outcome == "success" for record in self.records)


class Drift(NamedTuple):
    """What a deploy of one stack or deployment would change, and where."""

    name: str
    operation: StackOperation | None
    """None: nothing would change anywhere."""
    problem: str = ""
    """Why it cannot be told."""


class SyncApplier:
    """Applies what a look found."""

    def __init__(self, parts: Parts, executor: Executor, preparer: StackPreparer, looker: SyncLooker) -> None:
        self._parts = parts
        self._executor = executor
        self._preparer = preparer
        self._looker = looker

    def changes_of(self, pending: Pending, items: Collection[Item]) -> list[Change]:
        """The acts that these items are, in an order in which what others name is there first and gone last. Blocks.

        Raises:
            UsageError: an item is guarded: it is not for anybody to apply.
            RefusedError: one was changed here since the look.
        """
        now = self._looker.here({item.key for item in items})
        stale = next((item for item in items if now.get(item.key) != item.here), None)
        if stale is not None:
            raise RefusedError(
                f"{stale.kind} {stale.name} was changed here since the files were compared", hint="look again"
            )
        guarded = next((item for item in items if item.state == "guarded"), None)
        if guarded is not None:
            raise UsageError(f"{guarded} is not applied: {guarded.note}")
        chosen = {item.key for item in items}
        wanted = msgspec.structs.replace(pending.wanted, **{
            kind.plural: tuple(d for d in getattr(pending.wanted, kind.plural) if (kind.word, d.name) in chosen)
            for kind in KINDS
        })  # fmt: skip
        gone = {item.key for item in items if item.files is None}
        removals = [
            Change("remove", kind.word, name, kind.operation(self._parts, "remove", name, None))
            for kind in reversed(KINDS)
            for word, name in sorted(gone)
            if word == kind.word
        ]
        return [*changes(self._parts, wanted), *removals]

    async def apply(self, sync: SyncDefinition, pending: Pending, items: Sequence[Item], submit: Submit) -> Applied:
        """Make the definitions so, one act after the other, none after one that failed; then deploy, where asked to.

        Raises:
            LockedError: somebody applies it already.
            KomodoError: it cannot be planned; nothing was done then.
        """
        lock = self._looker.bases.lock(sync.name)
        if not await asyncio.to_thread(lock.try_acquire):
            raise LockedError(f"sync {sync.name} is being applied already", hint="wait for it")
        try:
            found = await asyncio.to_thread(self.changes_of, pending, items)
            planned(self._executor, found)  # all of them make sense before the first is done
            records, left = await self._definitions(found, submit)
            if left:
                await asyncio.to_thread(self._remember, sync, pending, items)
                return Applied(records, left)
            then = await self.finish(sync, pending, items, submit)
            return Applied(records + then.records, then.left)
        finally:
            lock.release()

    async def finish(self, sync: SyncDefinition, pending: Pending, items: Sequence[Item], submit: Submit) -> Applied:
        """Note what was brought, once the definitions are changed; then deploy, where the sync does."""
        await asyncio.to_thread(self._remember, sync, pending, items)
        if not sync.deploy:
            return Applied([], [])
        done = Applied(*await self._deploys(pending, items, submit))
        if done.ok:
            await asyncio.to_thread(self._keep_drifted, sync, ())
        return done

    async def drifted(self, sync: SyncDefinition, pending: Pending, drifts: Sequence[Drift]) -> tuple[str, ...]:
        """What does not run as it is defined in the files and here: ``shop@web-1``. It is kept with the look.

        What cannot be told of, since a server is away, say, is what it was.
        """
        known = deployed_with(drifts, pending, ())
        untold = {drift.name for drift in known if drift.problem}
        found = [
            f"{drift.name}@{target.server}"
            for drift in known if drift.operation is not None
            for target in drift.operation.targets
        ]  # fmt: skip
        found += [where for where in pending.base.drifted if where.partition("@")[0] in untold]
        await asyncio.to_thread(self._keep_drifted, sync, tuple(found))
        return tuple(found)

    def _keep_drifted(self, sync: SyncDefinition, found: tuple[str, ...]) -> None:
        self._looker.bases.update(sync.name, lambda now: msgspec.structs.replace(now, drifted=found))

    async def drifts(self, pending: Pending, items: Collection[Item] = ()) -> list[Drift]:
        """Which stacks and deployments of the files do not run as the files say, in the order they are deployed.

        Those that are defined otherwise here are left out, but for ``items``: they are about to be as in the files.

        Raises:
            UsageError: they are to be deployed each after another.
        """
        found = _deployables(pending, items)
        order = in_deploy_order(found, {name: one.after for name, one in found.items()})
        return [await self._drift(found[name]) for name in order]

    async def _drift(self, stack: StackDefinition | DeploymentDefinition) -> Drift:
        if not stack.servers:
            return Drift(stack.name, None)
        try:
            if isinstance(stack, DeploymentDefinition):
                builds = await asyncio.to_thread(BuildDefinitions(self._parts.definitions).known)
                stack = as_stack(with_image(stack, builds))
            operation = where_it_changes(await self._preparer.deploy(stack))
        except KomodoError as error:
            return Drift(stack.name, None, str(error))
        return Drift(stack.name, operation if operation.targets else None)

    async def _definitions(self, found: list[Change], submit: Submit) -> tuple[list[ActionRecord], list[str]]:
        records: list[ActionRecord] = []
        for n, change in enumerate(found):
            # planned anew: what went before may have changed what it has to do
            record = await submit(self._executor.plan(change.operation))
            records.append(record)
            if record.outcome != "success":
                return records, [str(each) for each in found[n + 1 :]]
        return records, []

    async def _deploys(
        self, pending: Pending, items: Collection[Item], submit: Submit
    ) -> tuple[list[ActionRecord], list[str]]:
        records: list[ActionRecord] = []
        waiting = _deployables(pending, items)
        order = in_deploy_order(waiting, {name: one.after for name, one in waiting.items()})
        for n, name in enumerate(order):
            drift = await self._drift(waiting[name])
            if drift.problem:
                raise ActError(f"{name} cannot be deployed: {drift.problem}")
            if drift.operation is None:
                continue
            record = await submit(self._executor.plan(drift.operation))
            records.append(record)
            if record.outcome != "success":
                return records, [f"deploy {other}" for other in order[n + 1 :]]
        return records, []

    def _remember(self, sync: SyncDefinition, pending: Pending, items: Sequence[Item]) -> None:
        """Note what was brought: what is as the files say by now, also where something else failed."""
        here = self._looker.here({*(item.key for item in items), *pending.equal})
        done = [item for item in items if here.get(item.key) == item.files]
        equal = {key: value for key, value in pending.equal.items() if here.get(key) == value}

        def with_them(now: SyncBase) -> SyncBase:
            return msgspec.structs.replace(
                now,
                base=applied(now, done, equal),
                commit=pending.source.commit if len(done) == len(items) else now.commit,
                applied=time.time(),
                pending=tuple(f"{i}" for i in pending.items if i not in done and i.state != "guarded"),
                conflicts=sum(i.state == "conflict" for i in pending.items if i not in done),
            )

        self._looker.bases.update(sync.name, with_them)


def _deployables(pending: Pending, items: Collection[Item]) -> dict[str, StackDefinition | DeploymentDefinition]:
    """Those of the files that are defined here as there, or are about to be; never one that is kept otherwise."""
    same = {*pending.equal, *(item.key for item in items)}
    found: dict[str, StackDefinition | DeploymentDefinition] = {
        stack.name: stack for stack in pending.wanted.stacks if ("stack", stack.name) in same
    }
    return found | {one.name: one for one in pending.wanted.deployments if ("deployment", one.name) in same}


def deployed_with(drifts: Sequence[Drift], pending: Pending, items: Collection[Item]) -> list[Drift]:
    """Those of a look's that an apply of these items deploys, or has to say something of."""
    names = _deployables(pending, items)
    return [drift for drift in drifts if drift.name in names]


def chosen(items: Sequence[Item], only: Collection[str]) -> list[Item]:
    """The items of these names (``shop`` or ``stack shop``); all that can be applied where none is named.

    Raises:
        UsageError: a name is no item's.
    """
    if not only:
        return [item for item in items if item.state in ("new", "changed", "gone")]
    by_word: dict[str, list[Item]] = {}
    for item in items:
        for word in (item.name, f"{item.kind} {item.name}"):
            by_word.setdefault(word, []).append(item)
    for word in only:
        if word not in by_word:
            raise UsageError(f"{word!r} does not differ", hint="komodo-tui sync plan lists what does")
    picked: dict[Key, Item] = {item.key: item for word in only for item in by_word[word]}
    return list(picked.values())
