"""Definitions of every kind against a YAML file of them: what applying it would change, and the file that they make.

A kind is one entry of :data:`KINDS` and one field of :class:`~komodo_tui.store.fleet_files.FleetFile` of the same
name. ``plan``, ``apply`` and ``export`` know it then; so does whatever else keeps definitions equal to files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from komodo_tui.domain.alerts import DefineAlertingOperation
from komodo_tui.domain.builds import DefineBuildOperation
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import DefineProcedureOperation, ServerOperation
from komodo_tui.domain.procedures.check import check, runs_of
from komodo_tui.domain.repos import DefineRepoOperation
from komodo_tui.domain.single import DefineDeploymentOperation
from komodo_tui.domain.stacks import DefineStackOperation
from komodo_tui.domain.syncs import DefineSyncOperation
from komodo_tui.domain.values import ValueOperation, VariableDefinition, split_name
from komodo_tui.operations.alerts.definitions import (
    AlerterDefinitions,
    AlertingDefinitions,
    LogRuleDefinitions,
    MaintenanceDefinitions,
)
from komodo_tui.operations.build_definitions import BuildDefinitions
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.sync_definitions import SyncDefinitions
from komodo_tui.store.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from komodo_tui.domain.alerters import Alerter
    from komodo_tui.domain.alerts import AlertingKind
    from komodo_tui.domain.log_rules import LogRule
    from komodo_tui.domain.maintenance import MaintenanceDefinition
    from komodo_tui.domain.operations import Operation, Plan
    from komodo_tui.domain.procedures.model import ProcedureDefinition
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.operations.deployment_definitions import DeploymentDefinitions
    from komodo_tui.operations.executor import Executor
    from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
    from komodo_tui.operations.stack_definitions import StackDefinitions
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.definitions import DefinitionStore
    from komodo_tui.store.fleet_files import FleetFile

Verb = Literal["add", "edit", "remove"]


class Parts(Protocol):
    """Where the definitions are."""

    @property
    def definitions(self) -> DefinitionStore: ...
    @property
    def servers(self) -> ServerDefinitions: ...
    @property
    def stacks(self) -> StackDefinitions: ...
    @property
    def deployments(self) -> DeploymentDefinitions: ...
    @property
    def values(self) -> StoredValues: ...
    def procedures(self) -> ProcedureDefinitions:
        """The procedures, read at each call."""
        ...


@dataclass(frozen=True)
class Kind:
    """One kind of definition, as files have it."""

    word: str
    """``stack``."""
    plural: str
    """Its key in a file."""
    known: Callable[[Parts], Mapping[str, Any]]
    """By name."""
    operation: Callable[[Parts, Verb, str, Any], Operation]
    """The operation that brings the definition (None to remove it), based on the revision there is now."""


@dataclass(frozen=True)
class Change:
    """One difference between the definitions and a file."""

    verb: Verb
    word: str
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.verb} {self.word} {self.name}"


def _server(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = parts.servers.revision(name) if verb != "add" else None
    return ServerOperation(verb=verb, server=name, definition=definition, rev=rev)


def _variable(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    scope, short = split_name(name)
    if verb == "remove":
        return ValueOperation(verb="remove", kind="variable", name=short, scope=scope)
    token = parts.values.hand_in(Secret(definition.value))
    return ValueOperation(verb="set", kind="variable", name=short, scope=scope, token=token)


def _stack(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = parts.stacks.stored(name).rev if verb != "add" else None
    return DefineStackOperation(verb=verb, name=name, definition=definition, rev=rev)


def _deployment(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = parts.deployments.stored(name).rev if verb != "add" else None
    return DefineDeploymentOperation(verb=verb, name=name, definition=definition, rev=rev)


def _repo(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = RepoDefinitions(parts.definitions).stored(name).rev if verb != "add" else None
    return DefineRepoOperation(verb=verb, name=name, definition=definition, rev=rev)


def _build(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = BuildDefinitions(parts.definitions).stored(name).rev if verb != "add" else None
    return DefineBuildOperation(verb=verb, name=name, definition=definition, rev=rev)


def _sync(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = SyncDefinitions(parts.definitions).stored(name).rev if verb != "add" else None
    return DefineSyncOperation(verb=verb, name=name, definition=definition, rev=rev)


def _alerters(parts: Parts) -> Mapping[str, Alerter]:
    return AlerterDefinitions(parts.definitions).known()


def _log_rules(parts: Parts) -> Mapping[str, LogRule]:
    return LogRuleDefinitions(parts.definitions).known()


def _maintenance(parts: Parts) -> Mapping[str, MaintenanceDefinition]:
    return MaintenanceDefinitions(parts.definitions).known()


def _alerting(kind: AlertingKind, parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = AlertingDefinitions(parts.definitions).of(kind).stored(name).rev if verb != "add" else None
    plain = msgspec.to_builtins(definition) if definition is not None else None
    return DefineAlertingOperation(verb=verb, kind=kind, name=name, definition=plain, rev=rev)


def _procedure(parts: Parts, verb: Verb, name: str, definition: Any) -> Operation:
    rev = parts.procedures().stored(name).rev if verb != "add" else None
    plain = msgspec.to_builtins(definition) if definition is not None else None
    return DefineProcedureOperation(verb=verb, name=name, definition=plain, rev=rev)


def _variables(parts: Parts) -> Mapping[str, VariableDefinition]:
    return {stored.value.name: stored.value for stored in parts.definitions.all("variable", VariableDefinition)}


KINDS = (
    Kind("server", "servers", lambda parts: parts.servers.known(), _server),
    Kind("variable", "variables", _variables, _variable),
    Kind("repo", "repos", lambda parts: RepoDefinitions(parts.definitions).known(), _repo),
    Kind("build", "builds", lambda parts: BuildDefinitions(parts.definitions).known(), _build),
    Kind("stack", "stacks", lambda parts: parts.stacks.known(), _stack),
    Kind("deployment", "deployments", lambda parts: parts.deployments.known(), _deployment),
    Kind("alerter", "alerters", _alerters, partial(_alerting, "alerter")),
    Kind("maintenance", "maintenance", _maintenance, partial(_alerting, "maintenance")),
    Kind("log_rule", "log_rules", _log_rules, partial(_alerting, "log_rule")),
    Kind("procedure", "procedures", lambda parts: parts.procedures().known(), _procedure),
    Kind("sync", "syncs", lambda parts: SyncDefinitions(parts.definitions).known(), _sync),
)
"""In the order they come, which is against the order they go: what others name is there first and gone last."""


def changes(parts: Parts, wanted: FleetFile, *, delete: bool = False) -> list[Change]:
    """What has to be done for the definitions to be what the file says. Reads the stores.

    ``delete``: what the file does not have is forgotten, too.

    Raises:
        UsageError: a definition cannot be used.
        StoreError: the definitions cannot be read.
    """
    known_procedures = parts.procedures().known() if wanted.procedures else {}
    coming = {procedure.name: procedure for procedure in wanted.procedures}
    for procedure in wanted.procedures:  # all of them first: one may run another
        check(procedure, lambda name: coming.get(name) or known_procedures.get(name))
    added, gone = [], []
    for kind in KINDS:
        known, wants = kind.known(parts), getattr(wanted, kind.plural)
        if kind.word == "procedure":
            wants = _in_order(wants)
        for definition in wants:
            name = definition.name
            verb: Verb = "edit" if name in known else "add"
            if known.get(name) != definition:
                added.append(Change(verb, kind.word, name, kind.operation(parts, verb, name, definition)))
        if delete:
            kept = {definition.name for definition in wants}
            removed = [name for name in known if name not in kept]
            gone.append([Change("remove", kind.word, n, kind.operation(parts, "remove", n, None)) for n in removed])
    return [*added, *(change for group in reversed(gone) for change in group)]


def planned(executor: Executor, found: list[Change]) -> list[Plan]:
    """The plans of these changes as things stand, for what has to be asked before the first is done.

    A procedure that runs one which comes with it cannot be planned before that one is there; :func:`changes` has
    checked it. Raises UsageError, RefusedError, NotFoundError of any other that makes no sense.
    """
    plans = []
    for change in found:
        try:
            plans.append(executor.plan(change.operation))
        except UsageError:
            if change.word != "procedure" or change.verb == "remove":
                raise
    return plans


def _in_order(procedures: Iterable[ProcedureDefinition]) -> list[ProcedureDefinition]:
    """What others run before those others; checked procedures run in no circle."""
    waiting = {procedure.name: procedure for procedure in procedures}
    found: list[ProcedureDefinition] = []

    def take(procedure: ProcedureDefinition) -> None:
        if waiting.pop(procedure.name, None) is None:
            return
        for name in runs_of(procedure):
            if name in waiting:
                take(waiting[name])
        found.append(procedure)

    for procedure in tuple(waiting.values()):
        take(procedure)
    return found


def exported(parts: Parts, kinds: Collection[str] = (), names: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """The definitions as a file has them, without what stands at its default. Secrets are none of them.

    Args:
        kinds: words or plurals; empty = all.
        names: empty = all.

    Raises:
        UsageError: there is no such kind.
        NotFoundError: nothing has one of the names.
    """
    for word in kinds:
        if not any(word in (kind.word, kind.plural) for kind in KINDS):
            raise UsageError(f"there is no kind {word!r}", hint=f"known: {', '.join(k.word for k in KINDS)}")
    chosen = [kind for kind in KINDS if not kinds or kind.word in kinds or kind.plural in kinds]
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in chosen:
        wanted = [value for name, value in sorted(kind.known(parts).items()) if not names or name in names]
        if wanted:
            found[kind.plural] = [plain(value) for value in wanted]
    there = {entry["name"] for entries in found.values() for entry in entries}
    missing = [name for name in names if name not in there]
    if missing:
        raise NotFoundError(f"there is no definition {missing[0]!r}", hint="komodo-tui export, without names")
    return found


def plain(definition: msgspec.Struct) -> dict[str, Any]:
    """A definition in maps and lists, without what stands at its default."""
    found: dict[str, Any] = msgspec.to_builtins(_shortened(definition))
    return found


def _shortened(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        shown = {}
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if default is msgspec.NODEFAULT or inner != default:
                shown[field.encode_name] = _shortened(inner)
        tag = value.__struct_config__.tag
        return {value.__struct_config__.tag_field: tag, **shown} if tag is not None else shown
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    return [_shortened(inner) for inner in value] if isinstance(value, list | tuple) else value
