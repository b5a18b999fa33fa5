"""The confirm policy, read for one operation on one server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from komodo_tui.domain.alerts import AlertOperation, DefineAlertingOperation
from komodo_tui.domain.builds import BuildOperation, DefineBuildOperation
from komodo_tui.domain.operations import (
    Confirm,
    ContainerOperation,
    DefineProcedureOperation,
    Operation,
    ServerOperation,
)
from komodo_tui.domain.registries import RegistryOperation
from komodo_tui.domain.repos import DefineRepoOperation, RepoOperation
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation, StackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.domain.volumes import VolumeOperation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_tui.domain.settings import ConfirmPolicy, ConfirmRule

Danger = Literal["start", "change", "harm"]
_ORDER: tuple[Confirm, ...] = ("none", "yes", "type")
_VERBS: dict[str, Danger] = {
    "start": "start",
    "unpause": "start",
    "kill": "harm",
    "remove": "harm",
    "prune": "harm",
    "clear_cache": "change",
    "destroy": "harm",
    "adopt": "start",
}
_REPO_VERBS: dict[str, Danger] = {"clone": "start", "fetch": "start", "pull": "change", "commit": "change"}


def danger(operation: Operation) -> Danger:
    """How much an operation can hurt."""
    if isinstance(operation, ContainerOperation | ResourceOperation | StackOperation):
        return _VERBS.get(operation.verb, "change")
    if isinstance(operation, ValueOperation):
        return "harm" if operation.verb == "remove" else "start"
    if isinstance(operation, RegistryOperation):
        return "harm" if operation.verb == "delete" else "start" if operation.verb == "start" else "change"
    if isinstance(operation, VolumeOperation):
        return "harm" if operation.verb == "restore" else "start"
    if isinstance(operation, AlertOperation):
        return "start"
    if isinstance(operation, BuildOperation):
        return "change" if operation.build.redeploy_on_build else "start"
    if isinstance(operation, RepoOperation):
        return "harm" if operation.verb == "remove" or operation.discard else _REPO_VERBS[operation.verb]
    if isinstance(
        operation,
        DefineStackOperation
        | DefineDeploymentOperation
        | DefineProcedureOperation
        | DefineRepoOperation
        | DefineBuildOperation
        | DefineSyncOperation
        | DefineAlertingOperation,
    ):
        return "change" if operation.verb == "remove" else "start"
    if isinstance(operation, ServerOperation) and operation.verb in ("add", "edit"):
        return "start"
    return "change"


def required(policy: ConfirmPolicy, operation: Operation, tags: Iterable[str]) -> Confirm:
    """What has to be given before this operation on a server with these tags: the strictest rule that applies.

    An image that would not run on one of its servers always wants a yes.
    """
    kind = danger(operation)
    rules = [policy.default, *(policy.tags[tag] for tag in tags if tag in policy.tags)]
    always: Confirm = "yes" if isinstance(operation, ShipOperation) and operation.unfit() else "none"
    return strictest([always, *(_of(rule, kind) for rule in rules)])


def strictest(given: Iterable[Confirm]) -> Confirm:
    """The one that asks for most; ``none`` of nothing."""
    return max(given, key=_ORDER.index, default="none")


def _of(rule: ConfirmRule, kind: Danger) -> Confirm:
    return {"start": rule.start, "change": rule.change, "harm": rule.harm}[kind]
