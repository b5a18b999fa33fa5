"""Definitions in YAML files that people and git keep, and the syntax of compose files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import yaml

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.repos import RepoDefinition, check_repo
from komodo_tui.domain.servers import ServerDefinition, check_server
from komodo_tui.domain.stacks import StackDefinition, check_stack
from komodo_tui.store.yaml_files import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FleetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What such a file may have."""

    servers: tuple[ServerDefinition, ...] = ()
    stacks: tuple[StackDefinition, ...] = ()
    procedures: tuple[ProcedureDefinition, ...] = ()
    repos: tuple[RepoDefinition, ...] = ()


def read_fleet(paths: Sequence[Path]) -> FleetFile:
    """All files as one. Nothing is taken when anything is wrong.

    Raises:
        UsageError: a file cannot be read or does not fit (file, line and key are named), or a name is there twice.
    """
    servers: dict[str, ServerDefinition] = {}
    stacks: dict[str, StackDefinition] = {}
    procedures: dict[str, ProcedureDefinition] = {}
    repos: dict[str, RepoDefinition] = {}
    for path in paths:
        found = read_yaml(path, FleetFile)
        for server in found.servers:
            if servers.setdefault(server.name, server) is not server:
                raise UsageError(f"{path}: server {server.name} is defined twice")
            _in(path, lambda server=server: check_server(server))
        for stack in found.stacks:
            if stacks.setdefault(stack.name, stack) is not stack:
                raise UsageError(f"{path}: stack {stack.name} is defined twice")
            _in(path, lambda stack=stack: check_compose(check_stack(stack)))
        for procedure in found.procedures:
            if procedures.setdefault(procedure.name, procedure) is not procedure:
                raise UsageError(f"{path}: procedure {procedure.name} is defined twice")
        for repo in found.repos:
            if repos.setdefault(repo.name, repo) is not repo:
                raise UsageError(f"{path}: repo {repo.name} is defined twice")
            _in(path, lambda repo=repo: check_repo(repo))
    return FleetFile(
        servers=tuple(servers.values()), stacks=tuple(stacks.values()), procedures=tuple(procedures.values()),
        repos=tuple(repos.values()),
    )  # fmt: skip


def check_compose(stack: StackDefinition) -> StackDefinition:
    """Return it, or raise :class:`UsageError` with line and column where its compose file is no YAML."""
    contents = {**({"compose.yaml": stack.compose} if stack.compose else {}), **stack.attached}
    for name in stack.files:
        if name in contents:
            check_yaml(contents[name], name=f"stack {stack.name}: {name}")
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


def _in(path: Path, check: object) -> None:
    """Run a check, naming the file in what it raises."""
    try:
        check()  # type: ignore[operator]
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error
