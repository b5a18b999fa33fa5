"""How each kind of step on many targets is done: what it is done to, and the acts it becomes.

A new kind is a struct in :mod:`komodo_tui.domain.procedures.steps` and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures import steps
from komodo_tui.operations.procedures import builds, commands, resources, stacks, syncs
from komodo_tui.operations.procedures.targets import container_words, pick_containers, pick_for_servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from komodo_tui.domain.operations import Target
    from komodo_tui.operations.procedures.parts import Environment, RunParts, Work
    from komodo_tui.operations.procedures.targets import Picked


class SpreadKind(NamedTuple):
    """One kind."""

    pick: Callable[[Any, RunParts], Awaitable[Picked]]
    """What it would be done to now. Changes nothing."""
    works: Callable[[Any, RunParts, Sequence[Target], Environment], Awaitable[list[Work]]]
    """The acts on these; targets in none of them have nothing to do. Changes nothing, may ask the agents."""
    in_turn: bool = False
    """The acts one after the other; else at the same time."""
    after: Callable[[Any, Target], str] | None = None
    """Done here after a target went well; says what it did. Blocks, shortly; raises OSError."""


async def _containers(step: steps.OnContainers, parts: RunParts) -> Picked:
    return pick_containers(step, container_words(step), parts)


async def _servers(step: steps.Spread, parts: RunParts) -> Picked:
    return pick_for_servers(step, parts)


_KINDS: dict[type[steps.Spread], SpreadKind] = {
    steps.Exec: SpreadKind(_containers, commands.command_works),
    steps.ClearLogs: SpreadKind(_containers, commands.clear_works),
    steps.OnContainers: SpreadKind(_containers, commands.verb_works),
    steps.Run: SpreadKind(_servers, commands.command_works),
    steps.Script: SpreadKind(_servers, commands.script_works),
    steps.Wait: SpreadKind(_servers, commands.file_works),
    steps.OnStack: SpreadKind(stacks.pick_stacks, stacks.stack_works, in_turn=True),
    steps.OnRepo: SpreadKind(stacks.pick_repos, stacks.repo_works, in_turn=True),
    steps.Build: SpreadKind(builds.pick_builds, builds.build_works, in_turn=True),
    steps.SyncApply: SpreadKind(syncs.pick_syncs, syncs.sync_works, in_turn=True),
    steps.Prune: SpreadKind(_servers, resources.prune_works, in_turn=True),
    steps.RemoveResources: SpreadKind(resources.pick_resources, resources.remove_works),
    steps.PullImage: SpreadKind(_servers, resources.pull_works),
    steps.BackupVolume: SpreadKind(resources.pick_volumes, resources.backup_works, after=resources.forget_old),
    steps.RestoreVolume: SpreadKind(resources.pick_volumes, resources.restore_works),
}
"""The first that a step is of counts."""


def spread_kind(step: steps.Spread) -> SpreadKind:
    """How this step is done. Raises UsageError where nobody said so."""
    for kind, how in _KINDS.items():
        if isinstance(step, kind):
            return how
    raise UsageError(f"{type(step).__name__} is no step that this version can do")
