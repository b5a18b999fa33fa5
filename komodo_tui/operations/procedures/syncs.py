"""Steps that apply syncs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.syncs import by_itself
from komodo_tui.operations.procedures.parts import Work
from komodo_tui.operations.procedures.targets import Picked, pick_named
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.operations.syncs.applying import SyncApplier
from komodo_tui.operations.syncs.looking import SyncLooker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.procedures import steps
    from komodo_tui.domain.syncs import Item, SyncDefinition
    from komodo_tui.operations.procedures.parts import Environment, RunParts, Submit
    from komodo_tui.operations.syncs.looking import Pending


async def pick_syncs(step: steps.SyncApply, parts: RunParts) -> Picked:
    """The syncs that the words fit. Raises NotFoundError, UsageError."""
    known = await asyncio.to_thread(SyncDefinitions(parts.runtime.definitions).known)
    names = pick_named(step.sync, [(name, ()) for name in known], "sync")
    picked = Picked()
    picked.targets += [Target(server="", name=name) for name in names]
    if not names:
        picked.problem = f"nothing matches sync {' '.join(words(step.sync))}"
    return picked


async def sync_works(
    step: steps.SyncApply, parts: RunParts, targets: Sequence[Target], environment: Environment
) -> list[Work]:
    """An act for each definition that differs, then the deploys; none after one that failed.

    Raises KomodoError: the files cannot be read.
    """
    runtime = parts.runtime
    known = await asyncio.to_thread(SyncDefinitions(runtime.definitions).known)
    looker = SyncLooker(runtime, runtime.fleet, runtime.state_dir)
    applier = SyncApplier(runtime, runtime.executor, runtime.preparer, looker)
    works: list[Work] = []
    for target in targets:
        sync = known[target.name]
        pending = await looker.look(sync)
        items = by_itself(sync, pending.items)
        changes = await asyncio.to_thread(applier.changes_of, pending, items)
        if changes:
            rest = [Work(change.operation, (target,), needs_all=True) for change in changes[:-1]]
            then = _Then(applier, sync, pending, items)
            works += [*rest, Work(changes[-1].operation, (target,), then, needs_all=True)]
        elif sync.deploy:
            drifts = await applier.drifts(pending)
            works += [Work(drift.operation, (target,), needs_all=True) for drift in drifts if drift.operation]
    return works


class _Then:
    """What comes after the definitions of one sync."""

    def __init__(self, applier: SyncApplier, sync: SyncDefinition, pending: Pending, items: list[Item]) -> None:
        self._applier = applier
        self._sync = sync
        self._pending = pending
        self._items = items

    async def __call__(self, record: ActionRecord, submit: Submit) -> None:
        """Note what was brought, deploy where asked to. Raises ActError where it did not go well.

        After a definition that could not be changed nothing follows: the next look finds what was brought.
        """
        if record.outcome != "success":
            return
        done = await self._applier.finish(self._sync, self._pending, self._items, submit)
        if not done.ok:
            bad = next((each for each in done.records if each.outcome != "success"), None)
            why = f"{bad.title or bad.act}: {bad.summary}" if bad is not None else ", ".join(done.left)
            raise ActError(f"the definitions are applied, but not all is deployed: {why}")
