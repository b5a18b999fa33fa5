"""Definitions in YAML files that people and git keep, and the syntax of compose files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from komodo_agent.wire.compose_values import with_variables
from komodo_tui.domain.alerters import Alerter, check_alerter
from komodo_tui.domain.builds import BuildDefinition, check_build
from komodo_tui.domain.deploy_order import in_deploy_order
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.log_rules import LogRule, check_log_rule
from komodo_tui.domain.maintenance import MaintenanceDefinition, check_maintenance
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.repos import RepoDefinition, check_repo
from komodo_tui.domain.servers import ServerDefinition, check_server
from komodo_tui.domain.single import DeploymentDefinition, check_deployment
from komodo_tui.domain.stacks import StackDefinition, check_stack
from komodo_tui.domain.syncs import SyncDefinition, check_sync
from komodo_tui.domain.values import VariableDefinition, check_name, check_scope, split_name
from komodo_tui.store.yaml_files import parse_yaml, read_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FleetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What such a file may have."""

    servers: tuple[ServerDefinition, ...] = ()
    variables: tuple[VariableDefinition, ...] = ()
    """Secrets are never in a file of definitions."""
    repos: tuple[RepoDefinition, ...] = ()
    builds: tuple[BuildDefinition, ...] = ()
    stacks: tuple[StackDefinition, ...] = ()
    deployments: tuple[DeploymentDefinition, ...] = ()
    alerters: tuple[Alerter, ...] = ()
    maintenance: tuple[MaintenanceDefinition, ...] = ()
    log_rules: tuple[LogRule, ...] = ()
    procedures: tuple[ProcedureDefinition, ...] = ()
    syncs: tuple[SyncDefinition, ...] = ()


def read_fleet(paths: Sequence[Path]) -> FleetFile:
    """All files as one. Nothing is taken when anything is wrong.

    Raises:
        UsageError: a file cannot be read or does not fit (file, line and key are named), or a name is there twice.
    """
    found, _ = parse_fleet((str(path), read_content(path)) for path in paths)
    return found


def parse_fleet(files: Iterable[tuple[str, bytes]]) -> tuple[FleetFile, dict[tuple[str, str], str]]:
    """The same of contents with their names; with them, the file of each definition by its plural and its name."""
    merged: dict[str, list[Any]] = {plural: [] for plural in FleetFile.__struct_fields__}
    places: dict[tuple[str, str], str] = {}
    for file, content in files:
        found = parse_yaml(content, FleetFile, name=file)
        for plural, known in merged.items():
            for definition in getattr(found, plural):
                key = (plural, definition.name)
                if key in places:
                    what = f"{plural.removesuffix('s')} {definition.name}"
                    again = "twice" if places[key] == file else f"twice, in {places[key]} too"
                    raise UsageError(f"{file}: {what} is defined {again}")
                places[key] = file
                check_definition(file, plural, definition)
                known.append(definition)
    placed = {each.name: each.after for each in (*merged["stacks"], *merged["deployments"])}
    in_deploy_order(placed, placed)
    return FleetFile(**{plural: tuple(known) for plural, known in merged.items()}), places


def check_definition(file: str, plural: str, definition: Any) -> None:
    """Raise UsageError that names the file, too, where a definition of this kind cannot be used."""
    try:
        if plural in _CHECKS:
            _CHECKS[plural](definition)
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}", hint=error.hint) from error


def check_variable(variable: VariableDefinition) -> VariableDefinition:
    """Return it, or raise UsageError unless its full name can stand in ``[[NAME]]`` of its scope."""
    scope, name = split_name(variable.name)
    check_name(name)
    check_scope(scope)
    return variable


def check_compose(stack: StackDefinition) -> StackDefinition:
    """Return it, or raise :class:`UsageError` with line and column where its compose file is no YAML."""
    contents = {**({"compose.yaml": stack.compose} if stack.compose else {}), **stack.attached}
    for name in stack.files:
        if name in contents:
            check_yaml(with_variables(contents[name]), name=f"stack {stack.name}: {name}")
    return stack


def check_yaml(content: str, *, name: str) -> None:
    """Raise :class:`UsageError` with line and column unless this is YAML. Tags and keys of compose's own may stand."""
    try:
        node = yaml.compose(content, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{name}{where}: {error.problem or 'this is no YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: this is no YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(f"{name}, line 1: a compose file is a map with 'services' in it")


_CHECKS: dict[str, Callable[[Any], object]] = {
    "servers": check_server,
    "variables": check_variable,
    "repos": check_repo,
    "builds": check_build,
    "stacks": lambda stack: check_compose(check_stack(stack)),
    "deployments": check_deployment,
    "alerters": check_alerter,
    "maintenance": check_maintenance,
    "log_rules": check_log_rule,
    "syncs": check_sync,
}
"""By key of the file. Procedures are checked once all of them are known: one may run another."""
