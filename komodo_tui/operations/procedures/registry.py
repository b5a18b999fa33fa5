"""How each kind of step on many targets is done: what it is done to, and the acts it becomes.

A new kind is a struct in :mod:`komodo_tui.domain.procedures.steps` and a line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures import steps
from komodo_tui.operations.procedures import commands
from komodo_tui.operations.procedures.targets import container_words, pick_containers, pick_for_servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from komodo_tui.domain.operations import ActionRecord, Target
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
    rest: Callable[[Any, ActionRecord, RunParts, str], Awaitable[None]] | None = None
    """What a process that ended may have left to do after an act that went well, for the run of this id.

    Raises KomodoError: it did not go well.
    """


async def _containers(step: steps.OnContainers, parts: RunParts) -> Picked:
    return pick_containers(step, container_words(step), parts)


async def _servers(step: steps.Spread, parts: RunParts) -> Picked:
    return pick_for_servers(step, parts)


def _late(module: str, name: str) -> Callable[..., Awaitable[Any]]:
    """A function of a module beside this one, which is loaded at the first call: few runs have steps of its kinds."""

    async def call(*given: Any) -> Any:
        found = await getattr(import_module(f"komodo_tui.operations.procedures.{module}"), name)(*given)
        return found

    return call


def _forget_old(step: steps.BackupVolume, target: Target) -> str:
    from komodo_tui.operations.procedures.resources import forget_old  # late, as those above

    return forget_old(step, target)


_KINDS: dict[type[steps.Spread], SpreadKind] = {
    steps.Exec: SpreadKind(_containers, commands.command_works),
    steps.ClearLogs: SpreadKind(_containers, commands.clear_works),
    steps.OnContainers: SpreadKind(_containers, commands.verb_works),
    steps.Run: SpreadKind(_servers, commands.command_works),
    steps.Script: SpreadKind(_servers, commands.script_works),
    steps.Wait: SpreadKind(_servers, commands.file_works),
    steps.OnStack: SpreadKind(_late("stacks", "pick_stacks"), _late("stacks", "stack_works"), in_turn=True),
    steps.OnRepo: SpreadKind(_late("stacks", "pick_repos"), _late("stacks", "repo_works"), in_turn=True),
    steps.Build: SpreadKind(
        _late("builds", "pick_builds"),
        _late("builds", "build_works"),
        in_turn=True,
        rest=_late("builds", "build_rest"),
    ),
    steps.SyncApply: SpreadKind(_late("syncs", "pick_syncs"), _late("syncs", "sync_works"), in_turn=True),
    steps.Prune: SpreadKind(_servers, _late("resources", "prune_works"), in_turn=True),
    steps.RemoveResources: SpreadKind(_late("resources", "pick_resources"), _late("resources", "remove_works")),
    steps.PullImage: SpreadKind(_servers, _late("resources", "pull_works")),
    steps.BackupVolume: SpreadKind(
        _late("resources", "pick_volumes"), _late("resources", "backup_works"), after=_forget_old
    ),
    steps.RestoreVolume: SpreadKind(_late("resources", "pick_volumes"), _late("resources", "restore_works")),
}
"""The first that a step is of counts."""


def spread_kind(step: steps.Spread) -> SpreadKind:
    """How this step is done. Raises UsageError where nobody said so."""
    for kind, how in _KINDS.items():
        if isinstance(step, kind):
            return how
    raise UsageError(f"{type(step).__name__} is no step that this version can do")
