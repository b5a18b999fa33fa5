"""From a key to an act on a stack: ask the agents, show the plan, confirm, follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ReadOnlyError
from komodo_tui.domain.operations import Plan
from komodo_tui.ui.stacks.planning import DeployDialog
from komodo_tui.ui.stacks.reading import TextDialog, between_text, revision_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.compose import PullPolicy, RevisionSummary
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.stacks import StackDefinition, StackOperation
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


async def deploy(
    runtime: Runtime, shell: Shell, stack: StackDefinition, servers: Sequence[str] = (), *,
    pull: PullPolicy | None = None,
) -> ActionRecord | None:  # fmt: skip
    """Show what a deploy would do, and do it after a yes; None after a no.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    _writable(runtime, "deploy", stack.name)
    shell.flash(f"asking what a deploy of {stack.name} would change", "busy")
    return await confirmed(runtime, shell, await runtime.preparer.deploy(stack, servers, pull=pull))


async def roll_back(
    runtime: Runtime, shell: Shell, stack: StackDefinition, servers: Sequence[str] = (),
    revision: RevisionSummary | None = None,
) -> ActionRecord | None:  # fmt: skip
    """The same for a return to a revision; without one, to the last good one that differs from what is deployed."""
    _writable(runtime, "rollback", stack.name)
    shell.flash(f"asking what a return of {stack.name} would change", "busy")
    operation = await runtime.preparer.rollback(stack, servers, revision.number if revision is not None else 0)
    if revision is not None and revision.outcome != "success":
        words = f"revision {revision.number} was no good one: {revision.outcome.replace('_', ' ')}"
        warned = (msgspec.structs.replace(t, warnings=(*t.warnings, words)) for t in operation.targets)
        operation = msgspec.structs.replace(operation, targets=tuple(warned))
    return await confirmed(runtime, shell, operation)


async def confirmed(runtime: Runtime, shell: Shell, operation: StackOperation) -> ActionRecord | None:
    """Show the plan, whatever the policy asks, and follow the act after a yes."""
    if any(target.preview is not None and target.preview.conflicts for target in operation.targets):
        title = f"{operation.verb.capitalize()} {operation.stack}: it cannot be done as things stand"
        nothing = Plan(operation=operation, title=title, verb=operation.verb, steps=(), confirm="yes")
        await shell.ask(DeployDialog(nothing, operation, possible=False))
        return None
    plan = runtime.executor.plan(operation)
    if not await shell.ask(DeployDialog(plan, operation)):
        return None
    return await shell.acts.run(operation, follow=True, asked=True)


async def show_revisions(
    runtime: Runtime, shell: Shell, project: str, picked: Sequence[tuple[str, RevisionSummary]]
) -> None:
    """The files of one, or what differs between two.

    Raises:
        KomodoError: an agent cannot be asked.
    """
    if len(picked) > 2:
        shell.flash("mark two to see what differs, or none to see one", "warn")
        return
    ordered = sorted(picked, key=lambda item: item[1].started)
    shell.flash(f"asking {ordered[0][0]}", "busy")
    found = [
        await (await runtime.fleet.link(server).client()).compose_revision(project, summary.number)
        for server, summary in ordered
    ]
    called = [f"{summary.number} on {server}" for server, summary in ordered]
    look = shell.look
    text = revision_text(found[0], look) if len(found) == 1 else between_text(found[0], found[1], look)
    await shell.ask(TextDialog(f"{project}: revision {' → '.join(called)}", text, shell.copy))


def _writable(runtime: Runtime, verb: str, name: str) -> None:
    if runtime.settings.read_only:
        raise ReadOnlyError(f"{verb} {name}: refused, read-only mode is on")
