"""The list of kinds: a new one is a struct, a line in :class:`StepEntry`, and its doing in operations/procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from komodo_tui.domain.procedures.steps import builds, containers, flow, servers, stacks, syncs

if TYPE_CHECKING:
    from komodo_agent.wire.jobs import ContainerVerb
    from komodo_tui.domain.procedures.steps.base import Step


class StepEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step in YAML: a map of one key, the kind of step, to its fields."""

    start_containers: containers.StartContainers | None = None
    stop_containers: containers.StopContainers | None = None
    restart_containers: containers.RestartContainers | None = None
    pause_containers: containers.PauseContainers | None = None
    unpause_containers: containers.UnpauseContainers | None = None
    kill_containers: containers.KillContainers | None = None
    remove_containers: containers.RemoveContainers | None = None
    clear_logs: containers.ClearLogs | None = None
    exec: containers.Exec | None = None
    run: servers.Run | None = None
    script: servers.Script | None = None
    deploy: stacks.Deploy | None = None
    deploy_if_changed: stacks.DeployIfChanged | None = None
    pull_stack: stacks.PullStack | None = None
    rollback_stack: stacks.RollbackStack | None = None
    start_stack: stacks.StartStack | None = None
    stop_stack: stacks.StopStack | None = None
    restart_stack: stacks.RestartStack | None = None
    pause_stack: stacks.PauseStack | None = None
    unpause_stack: stacks.UnpauseStack | None = None
    destroy_stack: stacks.DestroyStack | None = None
    repo_clone: stacks.RepoClone | None = None
    repo_pull: stacks.RepoPull | None = None
    build: builds.Build | None = None
    sync: syncs.SyncApply | None = None
    prune: servers.Prune | None = None
    remove_resources: servers.RemoveResources | None = None
    pull_image: servers.PullImage | None = None
    backup_volume: servers.BackupVolume | None = None
    restore_volume: servers.RestoreVolume | None = None
    check_updates: flow.CheckUpdates | None = None
    wait: flow.Wait | None = None
    sleep: flow.Sleep | None = None
    set: flow.Set | None = None
    notify: flow.Notify | None = None
    approve: flow.Approve | None = None
    procedure: flow.Procedure | None = None

    @property
    def found(self) -> list[tuple[str, Step]]:
        """Kind and step of each key given."""
        return [(kind, cast("Step", step)) for kind in KINDS if (step := getattr(self, kind)) is not None]

    @property
    def kind(self) -> str:
        """The one kind of a checked entry."""
        return self.found[0][0]

    @property
    def step(self) -> Step:
        """The one step of a checked entry."""
        return self.found[0][1]


KINDS: tuple[str, ...] = StepEntry.__struct_fields__
"""All of them, as YAML has them."""

VERBS: dict[type[Step], ContainerVerb] = {
    containers.StartContainers: "start",
    containers.StopContainers: "stop",
    containers.RestartContainers: "restart",
    containers.PauseContainers: "pause",
    containers.UnpauseContainers: "unpause",
    containers.KillContainers: "kill",
    containers.RemoveContainers: "remove",
}
"""Steps that are a verb on containers."""

_DANGEROUS: tuple[type[Step], ...] = (
    containers.RemoveContainers, servers.Run, servers.Script, stacks.DestroyStack, servers.RemoveResources,
    servers.RestoreVolume,
)  # fmt: skip
IDEMPOTENT: tuple[type[Step], ...] = (
    containers.StartContainers, containers.StopContainers, containers.RestartContainers, containers.PauseContainers,
    containers.UnpauseContainers, containers.RemoveContainers, containers.ClearLogs, stacks.OnStack, stacks.OnRepo,
    servers.Prune, servers.RemoveResources, servers.PullImage, servers.BackupVolume, builds.Build, syncs.SyncApply,
    flow.Wait, flow.Sleep, flow.Set, flow.CheckUpdates, flow.Approve, flow.Procedure,
)  # fmt: skip
"""Kinds that may be done again by themselves where nobody knows how an attempt ended. Commands, scripts, signals,
restores and messages may not."""


def dangerous(step: Step) -> bool:
    """Whether a procedure has to allow it by ``allow_dangerous: true``."""
    return isinstance(step, _DANGEROUS) or (isinstance(step, servers.Prune) and (step.volumes or step.containers))


def idempotent(step: Step) -> bool:
    """Whether it may be done again by itself."""
    if isinstance(step, stacks.RollbackStack) and step.idempotent is None:
        return False  # it would go back one more
    return isinstance(step, IDEMPOTENT) if step.idempotent is None else step.idempotent
