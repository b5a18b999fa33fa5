"""Alerters, maintenance and rules for logs as the user defined them, and changing one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.alerters import Alerter, check_alerter
from komodo_tui.domain.alerts import DefineAlertingOperation
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.log_rules import LogRule, check_log_rule
from komodo_tui.domain.maintenance import MaintenanceDefinition, OpenWindow, check_maintenance
from komodo_tui.domain.operations import PlanStep, Target
from komodo_tui.operations.commands import definition_command
from komodo_tui.operations.container_plans import Draft
from komodo_tui.operations.kept_definitions import KeptDefinitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.alerts import AlertingKind
    from komodo_tui.operations.definitions import ServerDefinitions
    from komodo_tui.store.definitions import DefinitionStore


class AlerterDefinitions(KeptDefinitions[Alerter, DefineAlertingOperation]):
    """Where alerts go."""

    KIND = "alerter"
    TYPE = Alerter

    def carried(self, operation: DefineAlertingOperation) -> Alerter:
        """The definition an operation brings. Raises UsageError."""
        return check_alerter(_converted(operation, Alerter))


class MaintenanceDefinitions(KeptDefinitions[MaintenanceDefinition, DefineAlertingOperation]):
    """When alerts press nobody."""

    KIND = "maintenance"
    TYPE = MaintenanceDefinition

    def carried(self, operation: DefineAlertingOperation) -> MaintenanceDefinition:
        """The definition an operation brings. Raises UsageError."""
        return check_maintenance(_converted(operation, MaintenanceDefinition))


class LogRuleDefinitions(KeptDefinitions[LogRule, DefineAlertingOperation]):
    """What in a log is trouble."""

    KIND = "log_rule"
    TYPE = LogRule

    def carried(self, operation: DefineAlertingOperation) -> LogRule:
        """The definition an operation brings. Raises UsageError."""
        return check_log_rule(_converted(operation, LogRule))


class AlertingDefinitions:
    """All of them, as the executor writes them."""

    def __init__(self, store: DefinitionStore) -> None:
        self.alerters = AlerterDefinitions(store)
        self.maintenance = MaintenanceDefinitions(store)
        self.log_rules = LogRuleDefinitions(store)

    def of(self, kind: AlertingKind) -> AlerterDefinitions | MaintenanceDefinitions | LogRuleDefinitions:
        """Those of one kind."""
        if kind == "log_rule":
            return self.log_rules
        return self.alerters if kind == "alerter" else self.maintenance

    async def change(self, operation: DefineAlertingOperation) -> None:
        """Write the change. Raises ConflictError when it was changed meanwhile, NotFoundError, UsageError."""
        await self.of(operation.kind).change(operation)


def open_windows(store: DefinitionStore, servers: ServerDefinitions, now: float) -> list[OpenWindow]:
    """The maintenance that is on. Raises StoreError."""
    found = [each for each in MaintenanceDefinitions(store).known().values() if each.on(now)]
    if not found:
        return []
    tags: Mapping[str, tuple[str, ...]] = {name: server.tags for name, server in servers.known().items()}
    return [OpenWindow(each, tags) for each in found]


def draft_alerting(operation: DefineAlertingOperation, known: AlertingDefinitions) -> Draft:
    """Check a change of a definition.

    Raises:
        UsageError: a field cannot be used.
        RefusedError: one of that name exists.
        NotFoundError: there is none of that name.
    """
    kind, name = operation.kind, operation.name
    kept = known.of(kind)
    before = kept.find(name)
    if operation.verb == "add" and before is not None:
        raise RefusedError(f"{kind} {name!r} exists already", hint="choose another name, or edit that one")
    if operation.verb != "add" and before is None:
        raise NotFoundError(f"there is no {kind} {name!r}")
    details: tuple[str, ...] = ()
    if operation.verb != "remove":
        details = _differences(before, kept.carried(operation))
    text = {"add": "define", "edit": "change the definition of", "remove": "forget"}[operation.verb]
    undo = {
        "add": "remove its definition",
        "edit": "edit it back: the definitions file keeps its last five versions",
        "remove": "define it again",
    }[operation.verb]
    command = definition_command(kind, operation.verb, name)
    if kind == "maintenance" and operation.verb == "remove":
        command = shlex.join(["komodo-tui", "alerts", "--forget", name])
    step = PlanStep(target=Target(server="", name=name), text=f"{text} {kind} {name}", command=command, details=details)
    return Draft(f"{text.capitalize()} {kind} {name}", f"{kind} {operation.verb}", (step,), undo)


def _converted(operation: DefineAlertingOperation, of: type[Any]) -> Any:
    if operation.definition is None:
        raise UsageError(f"{operation.kind} {operation.name}: no definition is given")
    try:
        definition = msgspec.convert(operation.definition, of)
    except msgspec.ValidationError as error:
        raise UsageError(f"{operation.kind} {operation.name}: {error}") from error
    if definition.name != operation.name:
        raise UsageError(f"{operation.kind} {operation.name}: its definition calls it {definition.name}")
    return definition


def _differences(before: msgspec.Struct | None, after: msgspec.Struct) -> tuple[str, ...]:
    """``for: 2h → 3h``, a field a line. Addresses are told by what they begin with: people put tokens into them."""
    lines = []
    for field in msgspec.structs.fields(type(after)):
        old, new = (getattr(each, field.name, None) for each in (before, after))
        if field.name == "name" or old == new:
            continue
        lines.append(f"{field.encode_name}: {_shown(field.name, old)} → {_shown(field.name, new)}")
    return tuple(lines)


def _shown(field: str, value: Any) -> str:
    if value is None or value == "" or value == ():
        return "none"
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{text.partition('://')[0]}://…" if field == "url" and "://" in text else text
