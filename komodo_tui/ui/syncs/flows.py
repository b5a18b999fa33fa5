"""From a key to definitions as the files say, or to a commit that makes the files say what is here."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from komodo_tui.domain.confirm import strictest
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.operations import Plan
from komodo_tui.domain.stacks import StackOperation
from komodo_tui.domain.units import count_text
from komodo_tui.operations.definition_files import planned
from komodo_tui.operations.syncs.applying import deployed_with
from komodo_tui.operations.syncs.committing import commit_back, refuse_folder
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.form import Field, FormDialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.syncs import Item
    from komodo_tui.operations.syncs.applying import Submit
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.syncs.book import SyncBook, SyncRow


async def apply(runtime: Runtime, shell: Shell, book: SyncBook, row: SyncRow, items: Sequence[Item]) -> None:
    """Show all that would be done, ask once, do it.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    looked = row.looked
    if looked is None or looked.pending is None:
        raise UsageError(f"sync {row.definition.name} has not been looked at yet", hint="wait for the look, or ^R")
    changes = await asyncio.to_thread(book.applier.changes_of, looked.pending, items)
    plans = planned(runtime.executor, changes)
    drifts = deployed_with(looked.drifts, looked.pending, items)
    deploys = [runtime.executor.plan(drift.operation) for drift in drifts if drift.operation is not None]
    plans += deploys
    if not plans:
        held = any(item.held for item in row.items)
        words = "a guard keeps it, the note says why" if held else "mark with Space what was changed here or in both"
        shell.flash(f"nothing to do: {words}", "dim")
        return
    whole = _whole(row.definition.name, plans)
    if not await shell.ask(ConfirmDialog(whole)):
        return
    done = await book.applier.apply(
        row.definition, looked.pending, items, _submitting(runtime, shell, follow=len(deploys) == 1)
    )
    bad = [f"{record.title or record.act}: {record.summary}" for record in done.records if record.outcome != "success"]
    if bad or done.left:
        left = [f"not begun: {what}" for what in done.left]
        await shell.ask(
            ErrorDialog("sync", f"{row.definition.name} is not applied as a whole",
                        hint="The Actions tab keeps each act, with its output.", detail="\n".join(bad + left),
                        copy=shell.copy)
        )  # fmt: skip
    else:
        shell.flash(f"{row.definition.name}: {count_text(len(done.records), 'act')} done", "ok")


async def commit(runtime: Runtime, shell: Shell, row: SyncRow, items: Sequence[Item]) -> bool:
    """Ask for the words of the commit, show it, push it. Returns whether it was done.

    Raises:
        KomodoError: it cannot be made, or was refused.
    """
    if row.looked is None or row.looked.pending is None:
        raise UsageError(f"sync {row.definition.name} has not been looked at yet", hint="wait for the look, or ^R")
    refuse_folder(row.definition)
    if not items:
        shell.flash("nothing was changed here", "dim")
        return False
    who = runtime.actor.sudo_user or runtime.actor.name
    first = f"{items[0].kind} {items[0].name}"
    fields = [
        Field("message", "message", value=f"Change {first}" + (" and more" if len(items) > 1 else "")),
        Field("author", "author", value=f"{who} <{who}@{socket.gethostname()}>", help="Ana Lee <ana@example.com>"),
    ]
    values = await shell.ask(FormDialog("Commit back", fields))
    if values is None:
        return False
    operation = await asyncio.to_thread(
        commit_back, row.definition, row.looked.pending, items, runtime.definitions,
        message=str(values["message"]), author=str(values["author"]),
    )  # fmt: skip
    record = await shell.acts.run(operation)
    return record is not None and record.outcome == "success"


def _submitting(runtime: Runtime, shell: Shell, *, follow: bool) -> Submit:
    """A deploy is shown as it goes, of several the newest line; definitions are done at once."""

    async def submit(plan: Plan) -> ActionRecord:
        if isinstance(plan.operation, StackOperation):
            return await shell.acts.submit(plan, plan.phrase or True, follow=follow)
        shell.flash(plan.title, "busy")
        return await runtime.executor.submit(plan, runtime.actor, given=plan.phrase or True)

    return submit


def _whole(name: str, plans: Sequence[Plan]) -> Plan:
    """All plans as one, to be agreed to at once."""
    level = strictest(["yes", *(plan.confirm for plan in plans)])
    return Plan(
        operation=plans[0].operation,
        title=f"Apply sync {name}: {count_text(len(plans), 'act')}",
        verb="apply",
        steps=tuple(step for plan in plans for step in plan.steps),
        confirm=level,
        phrase=name if level == "type" else "",
        undo="the definitions file keeps its last versions; a deployment keeps its revisions",
    )
