"""The steps a procedure can be made of: one struct for each, its fields as YAML has them.

Spans of time are texts like ``30s`` or ``5m``. In every text but scripts ``{name}`` stands for a parameter or a saved
output. Commands and scripts find them in their environment too, as ``KOMODO_PARAM_<NAME>`` and
``KOMODO_OUTPUT_<NAME>``; that is the way into a shell, where a value filled into a text could be read as commands.
"""

from __future__ import annotations

from komodo_tui.domain.procedures.steps.base import OnContainers, Spread, Step, Words
from komodo_tui.domain.procedures.steps.builds import Build
from komodo_tui.domain.procedures.steps.containers import (
    ClearLogs,
    Exec,
    KillContainers,
    PauseContainers,
    RemoveContainers,
    RestartContainers,
    StartContainers,
    StopContainers,
    UnpauseContainers,
)
from komodo_tui.domain.procedures.steps.entry import IDEMPOTENT, KINDS, VERBS, StepEntry, dangerous, idempotent
from komodo_tui.domain.procedures.steps.flow import Approve, CheckUpdates, Notify, Procedure, Set, Sleep, Wait
from komodo_tui.domain.procedures.steps.servers import (
    BackupVolume,
    Prune,
    PullImage,
    RemoveResources,
    RestoreVolume,
    Run,
    Script,
)
from komodo_tui.domain.procedures.steps.stacks import (
    Deploy,
    DeployIfChanged,
    DestroyStack,
    OnRepo,
    OnStack,
    PauseStack,
    PullStack,
    RepoClone,
    RepoPull,
    RestartStack,
    RollbackStack,
    StartStack,
    StopStack,
    UnpauseStack,
)
from komodo_tui.domain.procedures.steps.syncs import SyncApply

AnyStep = Step

__all__ = [
    "IDEMPOTENT",
    "KINDS",
    "VERBS",
    "AnyStep",
    "Approve",
    "BackupVolume",
    "Build",
    "CheckUpdates",
    "ClearLogs",
    "Deploy",
    "DeployIfChanged",
    "DestroyStack",
    "Exec",
    "KillContainers",
    "Notify",
    "OnContainers",
    "OnRepo",
    "OnStack",
    "PauseContainers",
    "PauseStack",
    "Procedure",
    "Prune",
    "PullImage",
    "PullStack",
    "RemoveContainers",
    "RemoveResources",
    "RepoClone",
    "RepoPull",
    "RestartContainers",
    "RestartStack",
    "RestoreVolume",
    "RollbackStack",
    "Run",
    "Script",
    "Set",
    "Sleep",
    "Spread",
    "StartContainers",
    "StartStack",
    "Step",
    "StepEntry",
    "StopContainers",
    "StopStack",
    "SyncApply",
    "UnpauseContainers",
    "UnpauseStack",
    "Wait",
    "Words",
    "dangerous",
    "idempotent",
]  # fmt: skip
