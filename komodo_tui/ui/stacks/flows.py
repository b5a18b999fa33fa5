"""From a key to an act on a stack: ask the agents, show the plan, confirm, follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import msgspec

from komodo_tui.domain.errors import ReadOnlyError
from komodo_tui.domain.operations import Plan
from komodo_tui.ui.stacks.planning import DeployDialog
from komodo_tui.ui.stacks.reading import TextDialog, between_text, revision_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from komodo_agent.wire.compose import PullPolicy, Revision, RevisionSummary
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.stacks import StackDefinition, StackOperation
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

T = TypeVar("T")


async def deploy(
    runtime: Runtime, shell: Shell, stack: StackDefinition, servers: Sequence[str] = (), *,
    pull: PullPolicy | None = None, refresh: Sequence[str] = (),
) -> ActionRecord | None:  # fmt: skip
    """Show what a deploy would do, and do it after a yes; None after a no. ``refresh``: services to pull anew.

    Raises:
        KomodoError: it cannot be planned, or was refused.
    """
    _writable(runtime, "deploy", stack.name)
    words = f"asking what a deploy of {stack.name} would change"
    return await confirmed(
        runtime, shell, await told(shell, words, runtime.preparer.deploy(stack, servers, pull=pull, refresh=refresh))
    )


async def roll_back(
    runtime: Runtime, shell: Shell, stack: StackDefinition, servers: Sequence[str] = (),
    revision: RevisionSummary | None = None,
) -> ActionRecord | None:  # fmt: skip
    """The same for a return to a revision; without one, to the last good one that differs from what is deployed."""
    _writable(runtime, "rollback", stack.name)
    asked = runtime.preparer.rollback(stack, servers, revision.number if revision is not None else 0)
    operation = await told(shell, f"asking what a return of {stack.name} would change", asked)
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


async def told(shell: Shell, words: str, asked: Awaitable[T]) -> T:
    """Wait for an answer; the footer says for how long already."""
    shell.flash(words, "busy")
    task = asyncio.ensure_future(asked)
    seconds = 0
    try:
        while not (await asyncio.wait({task}, timeout=1.0))[0]:
            seconds += 1
            shell.flash(f"{words}  {seconds} s", "busy")
    finally:
        task.cancel()
    return task.result()


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
    asked = asyncio.gather(*(_revision(runtime, server, project, summary.number) for server, summary in ordered))
    found = await told(shell, f"asking {ordered[0][0]}", asked)
    called = [f"{summary.number} on {server}" for server, summary in ordered]
    look = shell.look
    text = revision_text(found[0], look) if len(found) == 1 else between_text(found[0], found[1], look)
    await shell.ask(TextDialog(f"{project}: revision {' → '.join(called)}", text, shell.copy))


async def _revision(runtime: Runtime, server: str, project: str, number: int) -> Revision:
    client = await runtime.fleet.link(server).client()
    return await client.compose_revision(project, number)


def _writable(runtime: Runtime, verb: str, name: str) -> None:
    if runtime.settings.read_only:
        raise ReadOnlyError(f"{verb} {name}: refused, read-only mode is on")
